//! Backup of a connector: a file to recreate it, with its configuration without server-side keys, references in place
//! of masked secrets, and its offsets.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{ConnectorClient, LiveConnector, is_mask, is_server_key};
use crate::{
    api::connect::{ConnectorOffsets, GetOffsets},
    catalog::secret::is_secret_name,
    client::ClientError,
};

/// Prefix of the variables for secrets in connector files.
const SECRET_VARIABLE_PREFIX: &str = "EBS_SECRET_";

/// Backup of a connector.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Content of the file: `name`, `config`, and `offsets` if known.
    pub document: Value,
    /// Secrets that the file refers to, because the service does not return them.
    pub secrets: Vec<SecretReference>,
}

/// Reference to a secret in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretReference {
    /// Configuration key of the secret.
    pub config: String,
    /// Environment variable that must contain the secret.
    pub variable: String,
}

impl Backup {
    /// Creates a backup of `observed` at `offsets`.
    #[must_use]
    pub fn from_connector(observed: &LiveConnector, offsets: Option<&ConnectorOffsets>) -> Self {
        let mut secrets = Vec::new();
        let mut taken = BTreeSet::new();
        let mut config = BTreeMap::new();
        for (key, value) in &observed.expanded.info.config {
            if is_server_key(key) {
                continue;
            }
            let value = if is_mask(value) || is_secret_name(key) {
                let variable = secret_variable(key, &mut taken);
                secrets.push(SecretReference {
                    config: key.clone(),
                    variable: variable.clone(),
                });
                format!("${{env:{variable}}}")
            } else {
                value.clone()
            };
            config.insert(key.clone(), value);
        }
        config.insert("name".to_owned(), observed.name.clone());
        let mut document = json!({ "name": observed.name, "config": config });
        if let Some(offsets) = offsets.filter(|offsets| !offsets.offsets.is_empty()) {
            document["offsets"] = json!(offsets.offsets);
        }
        Self { document, secrets }
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        format!("{:#}\n", self.document)
    }
}

/// Returns the variable for `key`; keys that differ only in punctuation get different variables.
fn secret_variable(key: &str, taken: &mut BTreeSet<String>) -> String {
    let upper = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let name: String = SECRET_VARIABLE_PREFIX.chars().chain(key.chars().map(upper)).collect();
    let mut unique = name.clone();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{number}");
        number += 1;
    }
    unique
}

impl ConnectorClient {
    /// Reads the offsets of a connector; they may be stale (docs/reference/connect.md#offsets).
    ///
    /// # Errors
    /// When the request fails.
    pub async fn offsets(&self, observed: &LiveConnector) -> Result<ConnectorOffsets, ClientError> {
        let request = GetOffsets {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        Ok(self.client.send(&request).await?.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connect::{ExpandedConnector, OffsetItem};

    #[test]
    fn a_backup_omits_server_keys_and_references_secrets() {
        let mut now = ExpandedConnector::default();
        for (key, value) in [
            ("connector.class", "PostgresSource"),
            ("connection.password", "****************"),
            ("connection-password", "****"),
            ("cloud.provider", "aws"),
            ("config.internal.x", "1"),
            ("topics", "${topic}"),
        ] {
            now.info.config.insert(key.to_owned(), value.to_owned());
        }
        let seen = LiveConnector {
            name: "claims-a".to_owned(),
            expanded: now,
        };
        let offsets = ConnectorOffsets {
            offsets: vec![OffsetItem {
                partition: json!({ "kafka_partition": 0 }),
                offset: json!({ "kafka_offset": 7 }),
            }],
            ..ConnectorOffsets::default()
        };
        let backup = Backup::from_connector(&seen, Some(&offsets));
        let expected = json!({
            "name": "claims-a",
            "config": {
                "connection-password": "${env:EBS_SECRET_CONNECTION_PASSWORD}",
                "connection.password": "${env:EBS_SECRET_CONNECTION_PASSWORD_2}",
                "connector.class": "PostgresSource",
                "name": "claims-a",
                "topics": "${topic}",
            },
            "offsets": [{ "partition": { "kafka_partition": 0 }, "offset": { "kafka_offset": 7 } }],
        });
        assert_eq!(backup.document, expected);
        let secrets: Vec<&str> = backup.secrets.iter().map(|secret| secret.config.as_str()).collect();
        assert_eq!(secrets, ["connection-password", "connection.password"]);
    }
}
