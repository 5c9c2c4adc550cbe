//! Groups of configuration keys, which order long configurations. The service reports groups only in validation
//! responses.

use super::{rule::is_transform_key, rules::server_key::is_server_key, topic_keys::topic_use};

/// Group of a configuration key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyGroup {
    /// Plugin, identity and size of the connector.
    Connector,
    /// Kafka topics that it reads or writes.
    Topics,
    /// External system and plugin settings.
    Plugin,
    /// Formats, transforms and error handling.
    Records,
    /// Added by the service.
    Service,
}

impl KeyGroup {
    /// All groups, in order.
    pub const ALL: [Self; 5] = [
        Self::Connector,
        Self::Topics,
        Self::Plugin,
        Self::Records,
        Self::Service,
    ];

    /// Returns the heading of the group.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Connector => "Connector",
            Self::Topics => "Topics",
            Self::Plugin => "Plugin",
            Self::Records => "Records",
            Self::Service => "Added by the Service",
        }
    }

    /// Returns the group of `key` for the plugin `class`. Source of the common keys:
    /// docs/reference/connect.md#common-configuration-keys, docs/reference/connect.md#kafka-identity and
    /// docs/reference/connect.md#keys-added-by-the-service.
    #[must_use]
    pub fn classify(class: &str, key: &str) -> Self {
        const OWN: [&str; 5] = [
            "auto.restart.on.user.error",
            "confluent.connector.type",
            "connector.class",
            "name",
            "tasks.max",
        ];
        const IDENTITY: [&str; 2] = ["kafka.", "confluent.custom."];
        const RECORDS: [&str; 8] = [
            "consumer.override.",
            "csfle.",
            "errors.",
            "header.converter",
            "key.converter",
            "max.poll.",
            "producer.override.",
            "value.converter",
        ];
        let begins = |families: &[&str]| families.iter().any(|family| key.starts_with(family));
        let is_format = (key.starts_with("input.") || key.starts_with("output.")) && key.ends_with(".format");
        if is_server_key(key) {
            Self::Service
        } else if topic_use(class, key).is_some() {
            Self::Topics
        } else if OWN.contains(&key) || begins(&IDENTITY) {
            Self::Connector
        } else if is_format || is_transform_key(key) || begins(&RECORDS) || key == "schema.context.name" {
            Self::Records
        } else {
            Self::Plugin
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The keys of docs/reference/connect.md#common-configuration-keys, docs/reference/connect.md#kafka-identity,
    // docs/reference/connect.md#keys-added-by-the-service and docs/reference/connect.md#plugin-definitions.
    #[test]
    fn keys_are_in_the_expected_group() {
        for (group, keys) in [
            (
                KeyGroup::Connector,
                "name connector.class tasks.max kafka.auth.mode kafka.service.account.id kafka.api.secret",
            ),
            (
                KeyGroup::Topics,
                "topics topics.regex errors.deadletterqueue.topic.name",
            ),
            (
                KeyGroup::Plugin,
                "s3.bucket.name flush.size time.interval authentication.method topics.dir",
            ),
            (
                KeyGroup::Records,
                "input.data.format output.data.format errors.tolerance transforms transforms.a.type \
                 value.converter.schemas.enable max.poll.records",
            ),
            (
                KeyGroup::Service,
                "cloud.environment connector.crn kafka.endpoint kafka.region config.internal.x",
            ),
        ] {
            for key in keys.split_whitespace() {
                assert_eq!(KeyGroup::classify("S3_SINK", key), group, "{key}");
            }
        }
        assert_eq!(
            KeyGroup::classify("PostgresCdcSourceV2", "topic.prefix"),
            KeyGroup::Topics
        );
    }
}
