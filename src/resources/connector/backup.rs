//! A connector as a file that makes it again: its configuration without what the service adds, references in place of
//! masks, and where it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{ConnectorClient, LiveConnector, is_mask, is_server_key};
use crate::{
    api::connect::{ConnectorOffsets, GetOffsets},
    client::ClientError,
    redact::is_secret_name,
};

/// How the names of variables begin that connector files may refer to.
const SECRET_VARIABLE_PREFIX: &str = "EBS_SECRET_";

/// A connector as it can be made again.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The file's content: `name`, `config`, and `offsets` where they are known.
    pub document: Value,
    /// The secrets that it refers to: nobody can read them back.
    pub secrets: Vec<SecretReference>,
}

/// A secret that a saved configuration refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretReference {
    /// The key whose value it is.
    pub config: String,
    /// The environment variable that must hold it.
    pub variable: String,
}

impl Backup {
    /// What makes `seen` again, from where `offsets` say it was.
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

    /// The file's text.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        format!("{:#}\n", self.document)
    }
}

/// The variable for `key`; two keys that differ in punctuation only get different ones.
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
    /// Where a connector is, as the service knows it; it may lag (docs/reference/connect.md#offsets).
    ///
    /// # Errors
    /// When the service does not tell.
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
