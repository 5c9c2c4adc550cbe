//! Differences between a desired and an observed configuration. Server-side keys and secrets, which a read never
//! returns, are handled separately (docs/reference/connect.md#secrets-and-masks and
//! docs/reference/connect.md#keys-added-by-the-service).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use crate::catalog::rules::server_key::is_server_key;
use crate::catalog::secret::is_secret_name;

/// Returns whether a value is the mask of a secret: it begins with two or more asterisks, as in Terraform's provider
/// (docs/reference/connect.md#secrets-and-masks).
#[must_use]
pub fn is_mask(value: &str) -> bool {
    value.starts_with("**")
}

/// Known difference of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretChange {
    /// The secret is added or removed.
    Changed,
    /// The stored secret is kept.
    Unchanged,
    /// The secret is set again, possibly to the same value.
    Unknown,
}

impl SecretChange {
    /// Returns the name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }
}

/// Difference of one key. Contains no value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// Configuration key.
    pub config: String,
    /// Old value; `None` if absent or secret.
    pub old: Option<String>,
    /// New value; `None` if removed or secret.
    pub new: Option<String>,
    /// Difference of a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretChange>,
    /// Reference to the new secret, such as `${env:EBS_SECRET_DB_PASSWORD}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl FieldDiff {
    /// Returns whether the stored value is known to be kept.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.secret == Some(SecretChange::Unchanged)
    }

    /// Returns whether the value certainly changes.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self.secret, Some(SecretChange::Unknown | SecretChange::Unchanged))
    }
}

/// Compares two configurations. `secret` contains secret keys besides those that are masked or have a secret name.
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
            reference: None,
        });
    }
    // The service manages its own keys.
    if old == new || (new.is_none() && is_server_key(key)) {
        return None;
    }
    Some(FieldDiff {
        config: key.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
        secret: None,
        reference: None,
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
