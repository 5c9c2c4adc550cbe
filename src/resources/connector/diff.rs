//! What differs between a configuration that is wanted and one that was read: quiet about what the service adds and
//! about secrets, which a read never shows (docs/reference/connect.md#secrets-and-masks and
//! docs/reference/connect.md#keys-added-by-the-service).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use crate::catalog::rules::server_key::is_server_key;
use crate::redact::is_secret_name;

/// Whether a value is what the service shows instead of a secret: two stars or more at its beginning, as Terraform
/// tells it (docs/reference/connect.md#secrets-and-masks).
#[must_use]
pub fn is_mask(value: &str) -> bool {
    value.starts_with("**")
}

/// How the value of a secret differs, as far as that can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretChange {
    /// It was not there, or it is there no more.
    Changed,
    /// The stored one stays.
    Unchanged,
    /// It is set again; whether to another value cannot be seen.
    Unknown,
}

impl SecretChange {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }
}

/// One key that is not the same on both sides. Of a secret neither value is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// The key.
    pub config: String,
    /// What it is now; nothing when it is not there, or secret.
    pub old: Option<String>,
    /// What it will be; nothing when it goes, or is secret.
    pub new: Option<String>,
    /// What is known, when it is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretChange>,
}

impl FieldDiff {
    /// Whether the stored value is known to stay.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.secret == Some(SecretChange::Unchanged)
    }

    /// Whether the connector would be another than it is, as far as one can see.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self.secret, Some(SecretChange::Unknown | SecretChange::Unchanged))
    }
}

/// What changes when `wanted` takes the place of `seen`. `secret` are keys that are known to be secret besides those that
/// are masked or named like secrets.
#[must_use]
pub fn diff_configs(
    seen: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
    secret: &BTreeSet<String>,
) -> Vec<FieldDiff> {
    let keys: BTreeSet<&String> = seen.keys().chain(wanted.keys()).collect();
    keys.into_iter()
        .filter_map(|key| diff_field(key, seen.get(key), wanted.get(key), secret))
        .collect()
}

fn diff_field(key: &str, old: Option<&String>, new: Option<&String>, secret: &BTreeSet<String>) -> Option<FieldDiff> {
    let masked = old.is_some_and(|old| is_mask(old));
    if masked || secret.contains(key) || is_secret_name(key) {
        let change = match (old, new) {
            (Some(old), Some(new)) if old == new && !masked => return None,
            (Some(_), Some(new)) if masked && is_mask(new) => SecretChange::Unchanged,
            (Some(_), Some(_)) if masked => SecretChange::Unknown,
            _ => SecretChange::Changed,
        };
        return Some(FieldDiff {
            config: key.to_owned(),
            old: None,
            new: None,
            secret: Some(change),
        });
    }
    // What the service adds goes and comes back by itself.
    if old == new || (new.is_none() && is_server_key(key)) {
        return None;
    }
    Some(FieldDiff {
        config: key.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
        secret: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn lines(seen: &[(&str, &str)], wanted: &[(&str, &str)]) -> Vec<String> {
        diff_configs(
            &config(seen),
            &config(wanted),
            &BTreeSet::from(["database.user".to_owned()]),
        )
        .into_iter()
        .map(|field| match field.secret {
            Some(change) => format!("{} secret: {}", field.config, change.as_str()),
            None => format!("{} {:?} {:?}", field.config, field.old, field.new),
        })
        .collect()
    }

    #[test]
    fn keys_that_the_service_adds_are_not_a_difference() {
        let seen = [
            ("name", "a"),
            ("cloud.provider", "aws"),
            ("config.internal.x", "1"),
            ("flush.size", "1000"),
        ];
        assert!(lines(&seen, &[("name", "a"), ("flush.size", "1000")]).is_empty());
        assert_eq!(
            lines(&seen, &[("name", "a"), ("time.interval", "HOURLY")]),
            ["flush.size Some(\"1000\") None", "time.interval None Some(\"HOURLY\")"]
        );
    }

    #[test]
    fn a_secret_is_reported_as_changed_without_its_value() {
        let seen = [("database.password", "****************"), ("database.user", "****")];
        assert_eq!(
            lines(&seen, &[("database.password", "canary"), ("database.user", "****")]),
            ["database.password secret: unknown", "database.user secret: unchanged"]
        );
        assert_eq!(lines(&[], &[("api.token", "canary")]), ["api.token secret: changed"]);
        let all = diff_configs(
            &config(&seen),
            &config(&[("database.password", "canary")]),
            &BTreeSet::new(),
        );
        assert!(!serde_json::to_string(&all).unwrap().contains("canary"));
    }
}
