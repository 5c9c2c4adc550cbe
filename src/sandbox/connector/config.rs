//! Connector configurations: parsing, masking of secrets, and the keys that the service adds.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ConnectorFault, MASK, fault::triggered_fault, plugins::SandboxPlugin};
use crate::{
    catalog::{rules::server_key::is_server_key, secret::is_masked_value},
    sandbox::{crypt::SecretDigest, state::ConnectorRecord, view::CLOUD},
};

/// Configuration of a connector.
pub(crate) type ConnectorConfig = BTreeMap<String, String>;

/// Returns a value unless it is empty.
pub(crate) fn value<'a>(config: &'a ConnectorConfig, key: &str) -> Option<&'a str> {
    config.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

/// Returns the configured number of tasks; a missing value counts as one
/// (docs/reference/quotas.md#counting-connectors).
pub(crate) fn tasks_max(config: &ConnectorConfig) -> u32 {
    value(config, "tasks.max")
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

/// Returns whether a name has an allowed length and allowed characters (docs/reference/connect.md#connector-names:
/// documented for custom connectors).
fn is_valid_name(name: &str) -> bool {
    let good = |letter: char| letter.is_alphanumeric() || " .,&_+|[]-".contains(letter);
    name.chars().count() <= 64 && name.chars().all(good)
}

/// Parses a flat map of strings for the connector `name`. Keys that the service adds to configurations are ignored,
/// because clients send back what they have read (docs/reference/connect.md#secrets-and-masks and
/// docs/reference/connect.md#keys-added-by-the-service). Errors have the form `key: text`.
pub(crate) fn parse_config(written: &Value, name: &str) -> Result<ConnectorConfig, Vec<String>> {
    let Some(fields) = written.as_object() else {
        return Err(vec!["config: the configuration is required".into()]);
    };
    let mut read = ConnectorConfig::new();
    let mut errors = Vec::new();
    for (key, value) in fields.iter().filter(|(key, _)| !is_server_key(key)) {
        match value.as_str() {
            Some(text) => drop(read.insert(key.clone(), text.to_owned())),
            None => errors.push(format!("{key}: the value must be a string")),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if value(&read, "connector.class").is_none() {
        errors.push("connector.class: the class of the connector is required".into());
    }
    if !is_valid_name(name) {
        errors.push("name: at most 64 letters, digits, spaces and .,&_+|[]-".into());
    }
    match read.get("name") {
        Some(inside) if inside != name => errors.push("name: must be the same in the configuration".into()),
        Some(_) => {}
        None => drop(read.insert("name".into(), name.to_owned())),
    }
    match errors.is_empty() {
        true => Ok(read),
        false => Err(errors),
    }
}

/// Configuration in the form in which the sandbox stores it.
#[derive(Clone, Debug)]
pub(crate) struct StoredConfig {
    /// Configuration with masked secrets.
    pub(crate) config: ConnectorConfig,
    /// Digests of the secrets.
    pub(crate) secrets: BTreeMap<String, SecretDigest>,
    /// Faults that values trigger, by key.
    pub(crate) triggered_faults: BTreeMap<String, ConnectorFault>,
}

/// Masks the secrets of a configuration. `old` is the connector that the configuration replaces; with `keep`, a masked
/// value keeps the stored secret.
pub(crate) fn mask_secrets(
    config: ConnectorConfig,
    plugin: &SandboxPlugin,
    old: Option<&ConnectorRecord>,
    keep: bool,
) -> std::io::Result<StoredConfig> {
    let mut stored = StoredConfig {
        config,
        secrets: BTreeMap::new(),
        triggered_faults: BTreeMap::new(),
    };
    for (key, value) in &mut stored.config {
        let secret = plugin.is_secret(key) && !value.is_empty();
        let kept = old.filter(|_| secret && keep && is_masked_value(value));
        if let Some((old, digest)) = kept.and_then(|old| Some((old, old.secrets.get(key)?))) {
            stored.secrets.insert(key.clone(), digest.clone());
            if let Some(kind) = old.triggered_faults.get(key) {
                stored.triggered_faults.insert(key.clone(), *kind);
            }
            MASK.clone_into(value);
            continue;
        }
        // A mask without a stored secret is taken as the secret itself, which is wrong for any system.
        let found = match secret && is_masked_value(value) {
            true => Some(ConnectorFault::WrongPassword),
            false => triggered_fault(plugin, key, value),
        };
        if let Some(kind) = found {
            stored.triggered_faults.insert(key.clone(), kind);
        }
        if secret {
            stored.secrets.insert(key.clone(), SecretDigest::new(value)?);
            MASK.clone_into(value);
        }
    }
    Ok(stored)
}

/// Returns the configuration for a response, with the keys that the service adds
/// (docs/reference/connect.md#keys-added-by-the-service).
pub(crate) fn displayed_config(connector: &ConnectorRecord, crn: &str) -> ConnectorConfig {
    let (provider, region) = CLOUD;
    let mut config = connector.config.clone();
    for (key, value) in [
        ("name", connector.name.as_str()),
        ("cloud.environment", "prod"),
        ("cloud.provider", &provider.to_ascii_lowercase()),
        ("connector.crn", crn),
        ("kafka.endpoint", "SASL_SSL://127.0.0.1:9092"),
        ("kafka.region", region),
    ] {
        config.insert(key.to_owned(), value.to_owned());
    }
    config
}

/// Keys that determine the Kafka principal of a connector.
const IDENTITY_KEYS: [&str; 4] = [
    "kafka.auth.mode",
    "kafka.service.account.id",
    "kafka.api.key",
    "kafka.api.secret",
];

/// Returns whether an update changes the Kafka principal of a connector.
pub(crate) fn changes_identity(old: &ConnectorRecord, new: &ConnectorConfig) -> bool {
    IDENTITY_KEYS.iter().any(|key| {
        let (before, after) = (value(&old.config, key), value(new, key));
        match (old.secrets.get(*key), after) {
            (Some(_), Some(after)) if is_masked_value(after) => false,
            (Some(digest), Some(after)) => !digest.matches(after),
            _ => before != after,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_must_be_strings_and_the_name_must_match() {
        let class = json!({ "connector.class": "DatagenSource" });
        assert_eq!(parse_config(&class, "a").unwrap()["name"], "a");
        let errors = |written: Value| parse_config(&written, "a").unwrap_err().join("\n");
        assert!(errors(json!({ "tasks.max": 1 })).starts_with("tasks.max: "));
        assert!(errors(json!({ "connector.class": "X", "name": "b" })).starts_with("name: "));
        assert!(errors(json!([])).starts_with("config: "));
        assert!(parse_config(&class, &"x".repeat(65)).is_err());
        assert!(parse_config(&class, "Größe [1], a&b + c").is_ok());
    }
}
