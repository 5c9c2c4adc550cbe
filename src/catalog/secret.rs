//! Secrets in connector files: which values are secrets, masked values, and references to secrets.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    reader::catalog,
    schema::{Catalog, KeySchema, PluginSchema, ValueType},
};

/// Prefix of the variables that every connector file may reference.
pub const VARIABLE_PREFIX: &str = "EBS_SECRET_";

/// Returns whether a connector file may refer to a variable: its name starts with [`VARIABLE_PREFIX`], or a profile lists
/// it. The variables of Confluent's tools hold the credentials of the platform, so no list allows them.
#[must_use]
pub fn is_referable_variable(name: &str, listed: &[String]) -> bool {
    let is_reserved = name.to_ascii_uppercase().starts_with("CONFLUENT");
    let own = name.len() > VARIABLE_PREFIX.len() && name.starts_with(VARIABLE_PREFIX);
    !is_reserved && (own || listed.iter().any(|variable| variable == name))
}

/// Returns the default variable for the secret of `key`.
#[must_use]
pub fn variable_for(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.to_ascii_uppercase().replace(['.', '-'], "_"))
}

/// Reference to a secret, a whole value: `${env:NAME}`, `${file:PATH}`, `${prompt:}`. Every other `${…}` belongs to the
/// service and stays unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueReference<'a> {
    /// Environment variable.
    Env(&'a str),
    /// File below the secrets folder.
    File(&'a str),
    /// Prompt with its text.
    Prompt(&'a str),
}

impl<'a> ValueReference<'a> {
    /// Parses a whole value; `None` if it is not a reference.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let inside = value.strip_prefix("${")?.strip_suffix('}')?;
        if inside.contains(['{', '}']) {
            return None;
        }
        match inside.split_once(':')? {
            ("env", name) => Some(Self::Env(name)),
            ("file", path) => Some(Self::File(path)),
            ("prompt", what) => Some(Self::Prompt(what)),
            _ => None,
        }
    }

    /// Returns whether `value` contains a reference, also as a part.
    #[must_use]
    pub fn occurs_in(value: &str) -> bool {
        ["${env:", "${file:", "${prompt:"]
            .iter()
            .any(|begin| value.contains(begin))
    }
}

/// Returns whether `value` is the mask that the service returns for a secret: 16 stars, 4 in older responses; the
/// Terraform provider accepts two or more (`internal/provider/constants.go`,
/// docs/reference/connect.md#secrets-and-masks).
#[must_use]
pub fn is_masked_value(value: &str) -> bool {
    value.len() > 1 && value.bytes().all(|byte| byte == b'*')
}

/// PASSWORD keys whose values are not secrets, with the reason. The service masks them, but a literal value leaks
/// nothing.
const NOT_SECRET: [(&str, &[&str]); 6] = [
    (
        "is a public key id",
        &[
            // Source: docs/reference/connect.md#plugin-definitions. STRING in the current definitions.
            "kafka.api.key",
            // docs.aws.amazon.com/IAM "Manage access keys": the id is not a secret. `aws.secret.key.id` is not it.
            "aws.access.key.id",
            "staging.s3.access.key.id",
            // help.salesforce.com "Connected app": the consumer key identifies the application.
            "salesforce.consumer.key",
        ],
    ),
    (
        "is an id",
        // learn.microsoft.com "Application and service principal objects".
        &[
            "azure.search.client.id",
            "azure.search.subscription.id",
            "azure.search.tenant.id",
        ],
    ),
    ("is an account name", &["azblob.account.name"]),
    // According to its definition, it is masked because it *may* be sensitive.
    ("is a user name", &["mqtt.username"]),
    (
        "is a query",
        // Source: docs/reference/connect.md#plugin-definitions
        &["query", "snapshot.select.statement.overrides.data.map"],
    ),
    (
        "contains public certificates",
        // According to their definitions: CA certificates, client certificates and trust stores without a private key.
        &[
            "ssl.rootcertfile",
            "ssl.clientcertfile",
            "database.sslrootcert",
            "database.sslcert",
            "redis.cacert",
            "redis.key.cert",
            "ssl.truststorefile",
            "https.ssl.truststorefile",
            "elastic.https.ssl.truststore.file",
            "opensearch.ssl.truststorefile",
            "servicenow.ssl.truststorefile",
            "rabbitmq.https.ssl.truststorefile",
            "mq.tls.truststore.location",
            "mqtt.ssl.trust.store.file",
            "database.ssl.truststore",
            "redis.ssl.truststore.file",
            "solace.ssl.truststore.file",
            "splunk.hec.ssl.trust.store.file",
        ],
    ),
];

/// Returns why the value of a PASSWORD key is not a secret, if it is not.
#[must_use]
pub fn not_secret_reason(key: &str) -> Option<&'static str> {
    NOT_SECRET
        .iter()
        .find(|(_, keys)| keys.contains(&key))
        .map(|(reason, _)| *reason)
}

/// Returns whether a field, header, variable or configuration key of this name holds a secret. The catalog decides about
/// the keys that it defines: a key is secret if it is a PASSWORD key of any plugin. The name decides about the others.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    static KEYS: LazyLock<HashMap<&'static str, bool>> = LazyLock::new(|| {
        let mut keys = HashMap::new();
        let schemas = catalog().plugins().flat_map(|plugin| plugin.keys.values());
        for schema in schemas.filter(|schema| schema.is_defined()) {
            for name in std::iter::once(schema.name.as_str()).chain(schema.aliases.iter().copied()) {
                *keys.entry(name).or_default() |= schema.value_type == ValueType::Password;
            }
        }
        keys
    });
    match KEYS.get(name) {
        Some(is_password) => *is_password && not_secret_reason(name).is_none(),
        None => not_secret_reason(name).is_none() && has_name_of_secret(name),
    }
}

/// Whether the value of a key is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Secret by its type.
    Secret,
    /// Masked by the service, but not a secret, with the reason.
    MaskedOnly(&'static str),
    /// Secret by its name, because the definition of the key is unknown.
    Likely,
    /// Not a secret.
    NotSecret,
}

impl Secrecy {
    /// Returns whether the value must be hidden; only such values may be references.
    #[must_use]
    pub fn must_be_hidden(self) -> bool {
        self != Self::NotSecret
    }
}

/// Returns the secrecy of `key` by its type, or by its name if its definition is unknown.
#[must_use]
pub fn secrecy(catalog: &Catalog, plugin: Option<&PluginSchema>, key: &str) -> Secrecy {
    let by_name = |key: &str| match has_name_of_secret(key) && not_secret_reason(key).is_none() {
        true => Secrecy::Likely,
        false => Secrecy::NotSecret,
    };
    let by_type = |fact: &KeySchema| match (fact.value_type, not_secret_reason(&fact.name)) {
        (ValueType::Password, Some(reason)) => Secrecy::MaskedOnly(reason),
        (ValueType::Password, None) => Secrecy::Secret,
        _ if !fact.is_defined() => by_name(&fact.name),
        _ => Secrecy::NotSecret,
    };
    let fact = match plugin {
        Some(plugin) => plugin.key(key),
        None => catalog.common_key(key),
    };
    match fact {
        Some(fact) => by_type(fact),
        None => by_name(key),
    }
}

/// Returns whether a name is the name of a secret, regardless of case and separators. A test compares the answer with the
/// types of all keys of the catalog.
fn has_name_of_secret(key: &str) -> bool {
    // Names of secrets, wherever they occur.
    const WORDS: [&str; 20] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "private.key",
        "privatekey",
        "keyfile",
        "credential",
        "api.key",
        "apikey",
        "access.key",
        "accesskey",
        "pemfile",
        "jaas",
        "sensitive.headers",
        "authorization",
        "connection.string",
        "connectionstring",
        "accountkey",
        "sharedkey",
    ];
    // Names of secrets at the end of a part: `max.tokens` is a number, `sas.keyname` a name.
    const WHOLE: [&str; 17] = [
        "token",
        "pwd",
        "account.key",
        "client.key",
        "client.headers",
        "customer.key",
        "encryption.key",
        "function.key",
        "key.file",
        "license.key",
        "master.key",
        "sas.key",
        "shared.key",
        "signing.key",
        "ssl.key",
        "sslkey",
        "wallet.file",
    ];
    // Files with private keys; a trust store has only certificates.
    const KEY_FILES: [&str; 3] = ["keystore", "key.store", "keytab"];
    let key = to_dotted_words(key);
    if key.ends_with("api.key.location") {
        return false;
    }
    let occurs = |word: &&str, whole: bool| {
        key.match_indices(*word).any(|(at, _)| {
            let rest = &key[at + word.len()..];
            let ends = !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
            (ends || !whole) && !is_about_secret(rest)
        })
    };
    WORDS.iter().chain(&KEY_FILES).any(|word| occurs(word, false)) || WHOLE.iter().any(|word| occurs(word, true))
}

/// Returns a name in lower case with dots between its words: `accessToken`, `access_token` and `access-token` are the
/// same name.
fn to_dotted_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut before = '.';
    for letter in name.chars() {
        if before.is_ascii_lowercase() && letter.is_ascii_uppercase() {
            words.push('.');
        }
        words.push(if matches!(letter, '-' | '_') {
            '.'
        } else {
            letter.to_ascii_lowercase()
        });
        before = letter;
    }
    words
}

/// Returns whether the rest of a name after the word for a secret says that the key is about a secret: its address, its
/// kind, its name.
fn is_about_secret(rest: &str) -> bool {
    const ABOUT: [&str; 20] = [
        "algorithm",
        "arn",
        "class",
        "enabled",
        "endpoint",
        "expiry",
        "format",
        "header",
        "interval",
        "length",
        "manager",
        "ms",
        "name",
        "property",
        "provider",
        "scope",
        "source",
        "type",
        "uri",
        "url",
    ];
    rest.split('.').any(|part| ABOUT.contains(&part))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_reference_is_a_whole_value_of_one_of_three_kinds() {
        assert_eq!(
            ValueReference::parse("${env:EBS_SECRET_DB}"),
            Some(ValueReference::Env("EBS_SECRET_DB"))
        );
        assert_eq!(
            ValueReference::parse("${file:db/password}"),
            Some(ValueReference::File("db/password"))
        );
        assert_eq!(ValueReference::parse("${prompt:}"), Some(ValueReference::Prompt("")));
        // References of the service, and texts that only resemble references
        // (docs/reference/connect.md#plugin-definitions).
        for other in [
            "${connector}",
            "${topic}",
            "${databaseName}.${tableName}",
            "a${env:X}",
            "${env:A}${env:B}",
            "$env:X",
        ] {
            assert_eq!(ValueReference::parse(other), None, "{other}");
        }
        assert!(ValueReference::occurs_in(
            "https://x?key=${env:CONFLUENT_CLOUD_API_SECRET}"
        ));
        assert!(!ValueReference::occurs_in("dlq-${connector}"));
    }

    #[test]
    fn secret_names_match_regardless_of_case_and_separators() {
        for name in [
            "secret",
            "api_secret",
            "refresh_token",
            "accessToken",
            "connection.password",
            "aws.secret.access.key",
            "snowflake.private.key",
            "gcs.credentials.json",
            "Authorization",
            "Proxy-Authorization",
            "sasl.jaas.config",
            "AccountKey",
            "SharedAccessKey",
            "connectionString",
            "clientSecret",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "display_name",
            "owner",
            "kafka.auth.mode",
            "tasks.max",
            "id",
            "topics",
            "kafka.api.key",
            "oauth2.token.url",
            "max.tokens",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn no_list_allows_the_credentials_of_the_platform() {
        let listed = ["DB_PASSWORD", "CONFLUENT_CLOUD_API_SECRET", "Confluent_Token"].map(str::to_owned);
        for (name, expected) in [
            ("EBS_SECRET_PG", true),
            ("DB_PASSWORD", true),
            ("EBS_SECRET_", false),
            ("PATH", false),
            ("CONFLUENT_CLOUD_API_SECRET", false),
            ("Confluent_Token", false),
        ] {
            assert_eq!(is_referable_variable(name, &listed), expected, "{name}");
        }
    }

    #[test]
    fn a_masked_value_consists_of_stars_only() {
        assert!(is_masked_value("****************") && is_masked_value("****") && is_masked_value("**"));
        assert!(
            !is_masked_value("*") && !is_masked_value("") && !is_masked_value("**a") && !is_masked_value("orders.*")
        );
    }

    #[test]
    fn a_password_key_of_one_plugin_is_secret_in_every_plugin() {
        for key in [
            "azure.eventhubs.sas.key",
            "datadog.api.key",
            "connection.password",
            "api15.http.request.sensitive.headers",
        ] {
            assert!(is_secret_name(key), "{key}");
        }
        for key in [
            "query",
            "aws.access.key.id",
            "topics",
            "oauth2.token.url",
            "name",
            "value",
        ] {
            assert!(!is_secret_name(key), "{key}");
        }
    }

    // The catalog is the measure: a plugin that it lacks has keys like those that it has.
    #[test]
    fn names_of_secrets_agree_with_the_types_of_the_catalog() {
        let keys = || catalog().plugins().flat_map(|plugin| plugin.keys.values());
        let is_password = |key: &KeySchema| key.value_type == ValueType::Password;
        let passwords: HashSet<&str> = keys()
            .filter(|key| is_password(key))
            .map(|key| key.name.as_str())
            .collect();
        let secrets = || passwords.iter().copied().filter(|key| not_secret_reason(key).is_none());
        let missed: Vec<&str> = secrets().filter(|key| !has_name_of_secret(key)).collect();
        assert_eq!(missed, [""; 0], "recall");
        let others: HashSet<&str> = keys()
            .map(|key| key.name.as_str())
            .filter(|key| !passwords.contains(key))
            .collect();
        let wrong: Vec<&str> = others.into_iter().filter(|key| has_name_of_secret(key)).collect();
        assert_eq!(wrong, [""; 0], "precision");
    }

    #[test]
    fn names_of_secrets_in_keys_of_other_connectors() {
        for key in [
            "neo4j.authentication.basic.password",
            "src.kafka.sasl.jaas.config",
            "s3.credentials.provider.aws.secret.access.key",
            "iceberg.catalog.s3.secret-access-key",
            "datadog.api_key",
            "connection.javax.net.ssl.keyStore",
            "connect.hdfs.keytab",
            "syslog.ssl.key.path",
            "openai.apikey",
            "weaviate.auth.token",
        ] {
            assert!(has_name_of_secret(key), "{key}");
        }
        for key in [
            "s3.credentials.provider.class",
            "aws.credentials.provider.sts.role.arn",
            "oauth2.token.url",
            "openai.max.tokens",
            "schema.generation.key.name",
            "tls.public.key",
            "rabbitmq.routing.key",
            "confluent.topic.ssl.truststore.location",
            "vault.secret.name",
            "cassandra.keyspace",
            "token.refresh.interval.ms",
        ] {
            assert!(!has_name_of_secret(key), "{key}");
        }
    }

    #[test]
    fn secrecy_follows_the_type_and_every_exception_is_a_password_key() {
        let of = |class: &str, key| secrecy(catalog(), catalog().plugin(class), key);
        assert_eq!(of("SqsSource", "aws.secret.key.id"), Secrecy::Secret);
        assert!(matches!(of("SqsSource", "aws.access.key.id"), Secrecy::MaskedOnly(_)));
        // The name suggests a secret, but the type decides.
        assert_eq!(of("HttpSink", "oauth2.token.url"), Secrecy::NotSecret);
        assert_eq!(of("HttpSink", "oauth2.client.id"), Secrecy::NotSecret);
        assert_eq!(of("NotThere", "kafka.api.secret"), Secrecy::Secret);
        assert_eq!(of("NotThere", "neo4j.authentication.basic.password"), Secrecy::Likely);
        assert_eq!(of("NotThere", "oauth2.token.url"), Secrecy::NotSecret);
        for (_, keys) in NOT_SECRET {
            for key in keys {
                let facts = catalog().plugins().filter_map(|plugin| plugin.keys.get(*key));
                let mut types = facts.map(|fact| fact.value_type);
                assert!(types.any(|kind| kind == ValueType::Password), "{key}");
            }
        }
    }
}
