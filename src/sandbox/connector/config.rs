//! What a written configuration becomes: strings only, secrets masked and kept as digests, keys that the service adds.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ConnectorFault, MASK, fault::triggered_fault, plugins::SandboxPlugin};
use crate::{
    catalog::{rules::server_key::is_server_key, secret::is_masked_value},
    sandbox::{crypt::SecretDigest, state::ConnectorRecord, view::CLOUD},
};

/// A configuration.
pub(crate) type ConnectorConfig = BTreeMap<String, String>;

/// A value that is not empty.
pub(crate) fn value<'a>(config: &'a ConnectorConfig, key: &str) -> Option<&'a str> {
    config.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

/// How many tasks a configuration asks for (docs/reference/quotas.md#counting-connectors: a missing value counts as
/// one).
pub(crate) fn tasks_max(config: &ConnectorConfig) -> u32 {
    value(config, "tasks.max")
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

/// The longest name, and what it may hold beside letters and digits (docs/reference/connect.md#connector-names:
/// documented for custom connectors).
fn is_valid_name(name: &str) -> bool {
    let good = |letter: char| letter.is_alphanumeric() || " .,&_+|[]-".contains(letter);
    name.chars().count() <= 64 && name.chars().all(good)
}

/// Reads a flat map of strings for the connector `name`; keys that the service adds come back with configurations that
/// somebody has read, and mean nothing (docs/reference/connect.md#secrets-and-masks and
/// docs/reference/connect.md#keys-added-by-the-service). Errors are `key: text`.
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

/// A configuration as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredConfig {
    /// Secrets are masked.
    pub(crate) config: ConnectorConfig,
    /// Of secrets only digests are kept.
    pub(crate) secrets: BTreeMap<String, SecretDigest>,
    /// Values that stand for a failure, by key.
    pub(crate) triggered_faults: BTreeMap<String, ConnectorFault>,
}

/// What is stored of a configuration. `old` is the connector that it replaces; with `keep` a mask stands for the secret
/// that is stored there already.
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
        // A mask that stands for nothing is the secret itself, and opens nothing.
        let found = match secret && is_masked_value(value) {
            true => Some(ConnectorFault::WrongPassword),
            false => triggered_fault(plugin.class(), key, value),
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

/// The configuration as it is read back, with keys that the service adds
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

/// Keys that decide about the identity towards Kafka.
const IDENTITY_KEYS: [&str; 4] = [
    "kafka.auth.mode",
    "kafka.service.account.id",
    "kafka.api.key",
    "kafka.api.secret",
];

/// Whether an update changes the identity that a connector uses towards Kafka.
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
