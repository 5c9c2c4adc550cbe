//! Keys of a profile.

use super::credentials::KeyPair;
use crate::{
    model::{ApiKeyId, KeyKind, Secret},
    redact::SecretRegistry,
};

/// Keys of a profile; at most one of each kind.
#[derive(Clone, Debug, Default)]
pub struct ProfileKeys {
    /// Cloud key.
    pub cloud: Option<KeyPair>,
    /// Kafka key.
    pub kafka: Option<KeyPair>,
    /// Schema Registry key.
    pub schema_registry: Option<KeyPair>,
}

impl ProfileKeys {
    /// Returns the key of `kind`.
    pub fn get(&self, kind: KeyKind) -> Option<&KeyPair> {
        match kind {
            KeyKind::Cloud => self.cloud.as_ref(),
            KeyKind::Kafka => self.kafka.as_ref(),
            KeyKind::SchemaRegistry => self.schema_registry.as_ref(),
        }
    }

    /// Sets the key of `kind`.
    pub fn set(&mut self, kind: KeyKind, pair: KeyPair) {
        match kind {
            KeyKind::Cloud => self.cloud = Some(pair),
            KeyKind::Kafka => self.kafka = Some(pair),
            KeyKind::SchemaRegistry => self.schema_registry = Some(pair),
        }
    }

    /// Returns the keys with their kinds.
    #[must_use]
    pub fn to_list(&self) -> Vec<(KeyKind, &ApiKeyId, &Secret)> {
        [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry]
            .into_iter()
            .filter_map(|kind| self.get(kind).map(|pair| (kind, &pair.id, &pair.secret)))
            .collect()
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Returns the keys.
    pub fn iter(&self) -> impl Iterator<Item = &KeyPair> {
        [&self.cloud, &self.kafka, &self.schema_registry].into_iter().flatten()
    }

    /// Registers the secrets.
    pub fn register(&self, secrets: &SecretRegistry) {
        self.iter()
            .for_each(|pair| secrets.add_pair(pair.id.as_str(), pair.secret.expose()));
    }
}
