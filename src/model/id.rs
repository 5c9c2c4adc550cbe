//! Ids as types: an `EnvironmentId` cannot be passed where a `ClusterId` is wanted.
//!
//! The rules are tolerant on purpose: the service documents ids only as opaque text of up to 255 characters
//! (docs.confluent.io/cloud/current/api.html), so only the prefix and harmless characters are checked.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not an id of the wanted kind.
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
        "letters, digits and dashes are expected".to_owned()
    } else {
        format!("`{prefix}…` is expected")
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
            /// How every id of this kind begins; empty when there is no such rule.
            pub const PREFIX: &'static str = $prefix;

            /// The id as text.
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
    /// An organization, a UUID.
    OrganizationId, "", "organization id";
    /// An environment, `env-…`.
    EnvironmentId, "env-", "environment id";
    /// A Kafka cluster, `lkc-…`.
    ClusterId, "lkc-", "Kafka cluster id";
    /// A Schema Registry cluster, `lsrc-…`.
    SchemaRegistryId, "lsrc-", "Schema Registry id";
    /// A service account, `sa-…`.
    ServiceAccountId, "sa-", "service account id";
    /// A person, `u-…`.
    UserId, "u-", "user id";
    /// A role binding, `rb-…`.
    RoleBindingId, "rb-", "role binding id";
    /// An API key: its public half, upper-case letters and digits.
    ApiKeyId, "", "API key";
    /// A connector, `lcc-…` (custom connectors: `clcc-…`, kept as text elsewhere).
    ConnectorId, "lcc-", "connector id";
}

impl ApiKeyId {
    /// Whether a text looks like every id of a key that was seen so far: upper-case letters and digits, 16 of them. A
    /// secret in its place does not, and must go no further: ids are shown, and stand in addresses.
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
            "`env-abc123` is not a Kafka cluster id: `lkc-…` is expected"
        );
        assert!("lkc-".parse::<ClusterId>().is_err());
        assert!("lkc-a/b".parse::<ClusterId>().is_err());
        assert_eq!("lkc-abc123".parse::<ClusterId>().unwrap().as_str(), "lkc-abc123");
    }
}
