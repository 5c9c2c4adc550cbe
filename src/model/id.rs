//! Typed ids, so that an `EnvironmentId` cannot be passed as a `ClusterId`.
//!
//! Validation is lenient: Confluent documents ids as opaque text of up to 255 characters
//! (docs.confluent.io/cloud/current/api.html), so only the prefix and the character set are checked.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Error: the text is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is not {article} {what}: {expected}")]
pub struct IdError {
    written: String,
    article: &'static str,
    what: &'static str,
    expected: String,
}

fn check_id(text: &str, prefix: &str, what: &'static str) -> Result<(), IdError> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let rest = text.strip_prefix(prefix);
    if rest.is_some_and(|rest| !rest.is_empty()) && text.len() <= 255 && text.chars().all(harmless) {
        return Ok(());
    }
    let article = if what.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    let expected = if prefix.is_empty() {
        "expected letters, digits and dashes".to_owned()
    } else {
        format!("expected `{prefix}…`")
    };
    Err(IdError {
        written: text.to_owned(),
        article,
        what,
        expected,
    })
}

macro_rules! id_types {
    ($($(#[doc = $doc:literal])+ $name:ident, $prefix:literal, $what:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Prefix of all ids of this kind; empty if the kind has none.
            pub const PREFIX: &'static str = $prefix;

            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check_id(text, $prefix, $what).map(|()| Self(text.to_owned()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

id_types! {
    /// Organization id, a UUID.
    OrganizationId, "", "organization id";
    /// Environment id, `env-…`.
    EnvironmentId, "env-", "environment id";
    /// Kafka cluster id, `lkc-…`.
    ClusterId, "lkc-", "Kafka cluster id";
    /// Schema Registry cluster id, `lsrc-…`.
    SchemaRegistryId, "lsrc-", "Schema Registry id";
    /// Service account id, `sa-…`.
    ServiceAccountId, "sa-", "service account id";
    /// User id, `u-…`.
    UserId, "u-", "user id";
    /// Role binding id, `rb-…`.
    RoleBindingId, "rb-", "role binding id";
    /// API key: the public half, upper-case letters and digits.
    ApiKeyId, "", "API key";
    /// Connector id, `lcc-…` (custom connectors use `clcc-…`, which is handled as plain text).
    ConnectorId, "lcc-", "connector id";
    /// Id of a client quota: `cq-…`.
    ClientQuotaId, "cq-", "client quota id";
}

impl ApiKeyId {
    /// Whether `text` looks like an API key: upper-case letters and digits. All known keys have 16 of them. This check
    /// keeps a secret that was passed as a key out of output and URLs.
    #[must_use]
    pub fn is_plausible(text: &str) -> bool {
        (1..=32).contains(&text.len()) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_a_plausible_key_id() {
        assert!(ApiKeyId::is_plausible("ABCDEFGHIJKLMNOP"));
        for text in [
            "",
            "cfltcanary",
            "ABCdEFGH",
            "AB/CD",
            "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPA",
        ] {
            assert!(!ApiKeyId::is_plausible(text), "{text}");
        }
    }

    #[test]
    fn an_id_of_another_kind_is_rejected_with_the_expected_prefix() {
        let error = "env-abc123".parse::<ClusterId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`env-abc123` is not a Kafka cluster id: expected `lkc-…`"
        );
        assert!("lkc-".parse::<ClusterId>().is_err());
        assert!("lkc-a/b".parse::<ClusterId>().is_err());
        assert_eq!("lkc-abc123".parse::<ClusterId>().unwrap().as_str(), "lkc-abc123");
    }
}
