//! Faults of connectors. A fault is set by name (`sandbox fault connector NAME KIND`) or triggered by a value in the
//! configuration.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::plugins::SandboxPlugin;
use crate::catalog::topic_keys::{topic_use, uses_dotted_names};

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $about:literal;)+) => {
        /// Fault of a connector. The numbers are the patterns of docs/reference/connect.md#error-messages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ConnectorFault {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ConnectorFault {
            /// All faults.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the name of the fault, used on the command line and in values that trigger it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Returns a short description.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $about,)+ }
            }
        }
    };
}

faults! {
    /// The connector's Kafka API key was revoked (pattern 1).
    KafkaKeyInvalid = "kafka-key-invalid", "the connector's Kafka API key was revoked";
    /// Its Kafka principal may not create the dead letter queue topic (pattern 5).
    DlqNotCreatable = "dlq-not-creatable", "its Kafka principal may not create the dead letter queue topic";
    /// The stored configuration is invalid; the previous one stays active (pattern 6).
    InvalidUpdate = "invalid-update", "the stored configuration is invalid; the previous one stays active";
    /// The external system rejects user name and password (pattern 8; 9 for Debezium).
    WrongPassword = "wrong-password", "the external system rejects user name and password";
    /// The host name cannot be resolved (pattern 10).
    UnknownHost = "unknown-host", "the host name cannot be resolved";
    /// The host refuses the connection (pattern 10).
    ConnectionRefused = "connection-refused", "the host refuses the connection";
    /// The certificate belongs to another host (pattern 11).
    TlsName = "tls-name", "the certificate belongs to another host";
    /// The issuer of the certificate is not trusted (pattern 11).
    TlsUntrusted = "tls-untrusted", "the issuer of the certificate is not trusted";
    /// The database lacks the plugin that decodes its log (pattern 12).
    DecodingPlugin = "decoding-plugin", "the database lacks the plugin that decodes its log";
    /// Another client reads from the replication slot (pattern 13).
    SlotInUse = "slot-in-use", "another client reads from the replication slot";
    /// The database has purged the log that the connector must read (pattern 14).
    LogPurged = "log-purged", "the database has purged the log that the connector must read";
    /// The redo log topic cannot be read (pattern 15).
    RedoTopic = "redo-topic", "the redo log topic cannot be read";
    /// Records are not in the configured format (pattern 16).
    WrongFormat = "wrong-format", "records are not in the configured format";
    /// A schema is missing in the Schema Registry (pattern 17).
    SchemaMissing = "schema-missing", "a schema is missing in the Schema Registry";
    /// Its Kafka principal may not use a schema (pattern 17).
    SchemaDenied = "schema-denied", "its Kafka principal may not use a schema";
    /// Its Kafka principal may not use a topic (pattern 18).
    TopicDenied = "topic-denied", "its Kafka principal may not use a topic";
    /// Its Kafka principal may not use the consumer group (pattern 18).
    GroupDenied = "group-denied", "its Kafka principal may not use the consumer group";
    /// A topic does not exist (pattern 18).
    MissingTopic = "missing-topic", "a topic does not exist";
    /// A record exceeds the maximum message size of the topic (pattern 19).
    RecordTooLarge = "record-too-large", "a record exceeds the maximum message size of the topic";
    /// The table does not exist and may not be created (pattern 20).
    TableMissing = "table-missing", "the table does not exist and may not be created";
    /// The cloud storage denies access (403) (pattern 21).
    StorageDenied = "storage-denied", "the cloud storage denies access (403)";
    /// Snowflake rejects the private key (pattern 22).
    SnowflakeJwt = "snowflake-jwt", "Snowflake rejects the private key";
    /// The external system is too slow; the consumer is removed from its group (pattern 23).
    SlowTarget = "slow-target", "the external system is too slow; the consumer is removed from its group";
    /// One of several tasks has failed: DEGRADED (pattern 24).
    TaskFailed = "task-failed", "one of several tasks has failed: DEGRADED";
    /// An unexpected error of Confluent Cloud without details (pattern 25).
    PlatformError = "platform-error", "an unexpected error of Confluent Cloud without details";
    /// Offsets were set to values of the wrong type (pattern 31).
    OffsetType = "offset-type", "offsets were set to values of the wrong type";
    /// Fails and restarts repeatedly (docs/reference/connect.md#timing-of-states).
    Flapping = "flapping", "fails and restarts repeatedly";
    /// Stays PROVISIONING (docs/reference/connect.md#timing-of-states).
    StuckProvisioning = "stuck-provisioning", "stays PROVISIONING";
}

impl ConnectorFault {
    /// Returns whether connectors of `plugin` can have the fault: its direction, and the external system that its text
    /// belongs to.
    pub(crate) fn fits(self, plugin: &SandboxPlugin) -> bool {
        let (sink, class) = (plugin.is_sink(), plugin.class());
        let has_key = |wanted: &str| plugin.keys().any(|key| key.name.contains(wanted));
        match self {
            Self::DlqNotCreatable | Self::WrongFormat | Self::SchemaMissing | Self::GroupDenied | Self::SlowTarget => {
                sink
            }
            Self::RecordTooLarge | Self::OffsetType => !sink,
            Self::DecodingPlugin | Self::SlotInUse => !sink && has_key("slot.name"),
            Self::LogPurged => !sink && uses_dotted_names(class),
            Self::RedoTopic => !sink && has_key("redo.log.topic.name"),
            Self::TableMissing => sink && (has_key("auto.create") || has_key("table.name.format")),
            Self::StorageDenied => ["bucket", "azblob.", "azure.datalake."].into_iter().any(has_key),
            Self::SnowflakeJwt => class.contains("Snowflake"),
            Self::KafkaKeyInvalid
            | Self::InvalidUpdate
            | Self::WrongPassword
            | Self::UnknownHost
            | Self::ConnectionRefused
            | Self::TlsName
            | Self::TlsUntrusted
            | Self::SchemaDenied
            | Self::TopicDenied
            | Self::MissingTopic
            | Self::TaskFailed
            | Self::PlatformError
            | Self::Flapping
            | Self::StuckProvisioning => true,
        }
    }
}

/// Error for a text that is not the name of a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a connector fault")]
pub struct ConnectorFaultError(String);

impl FromStr for ConnectorFault {
    type Err = ConnectorFaultError;

    fn from_str(text: &str) -> Result<Self, ConnectorFaultError> {
        let known = Self::ALL.iter().copied().find(|kind| kind.name() == text);
        known.ok_or_else(|| ConnectorFaultError(text.to_owned()))
    }
}

impl fmt::Display for ConnectorFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// Active fault of all connectors with one name. The connector may not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedConnectorFault {
    /// Name of the connector, in any cluster.
    pub connector: String,
    /// Kind of the fault.
    pub kind: ConnectorFault,
    /// Start of the fault.
    pub since: Timestamp,
}

/// Keys whose values are free names or ids, in addition to topic keys. Their values never trigger a fault.
const EXEMPT_KEYS: [&str; 4] = ["name", "connector.class", "kafka.auth.mode", "kafka.service.account.id"];

/// Returns the fault that a configuration value triggers: the value contains the name of a fault that the plugin can
/// have, or a host that cannot exist (`.invalid`, RFC 2606). Underscores count as hyphens, because replication slots
/// allow no hyphens.
pub(crate) fn triggered_fault(plugin: &SandboxPlugin, key: &str, value: &str) -> Option<ConnectorFault> {
    if EXEMPT_KEYS.contains(&key) || topic_use(plugin.class(), key).is_some() {
        return None;
    }
    let value = value.to_ascii_lowercase().replace('_', "-");
    let name = ConnectorFault::ALL
        .iter()
        .find(|kind| value.contains(kind.name()) && kind.fits(plugin));
    let nowhere = || {
        let mut hosts = value.split(['/', ':', ',', '@']);
        hosts.any(|part| part.ends_with(".invalid"))
    };
    name.copied()
        .or_else(|| nowhere().then_some(ConnectorFault::UnknownHost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_names_are_unique_and_equal_their_serialized_form() {
        for kind in ConnectorFault::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, kind.name());
        }
        assert!("wrong".parse::<ConnectorFault>().is_err());
    }

    #[test]
    fn faults_are_triggered_by_values_but_not_by_names() {
        let triggered = |class, key, value| triggered_fault(&SandboxPlugin::find_or_unknown(class), key, value);
        let cdc = "PostgresCdcSourceV2";
        assert_eq!(
            triggered(cdc, "slot.name", "slot_in_use"),
            Some(ConnectorFault::SlotInUse)
        );
        assert_eq!(triggered("S3_SINK", "s3.bucket.name", "slot_in_use"), None);
        for (key, value) in [
            ("database.hostname", "pg.example.invalid"),
            ("http.api.url", "https://hooks.example.invalid:8443/in"),
        ] {
            assert_eq!(triggered("X", key, value), Some(ConnectorFault::UnknownHost), "{key}");
        }
        assert_eq!(triggered("X", "topics", "claims-missing-topic"), None);
        assert_eq!(triggered("HttpSinkV2", "api1.topics", "claims-missing-topic"), None);
        assert_eq!(triggered("X", "database.hostname", "db.example.com"), None);
    }

    #[test]
    fn a_fault_fits_the_direction_and_the_system_of_a_plugin() {
        use ConnectorFault as Fault;
        for (kind, fitting, other) in [
            (Fault::SlowTarget, "S3_SINK", "PostgresCdcSourceV2"),
            (Fault::GroupDenied, "PostgresSink", "PostgresSource"),
            (Fault::RecordTooLarge, "DatagenSource", "S3_SINK"),
            (Fault::SlotInUse, "PostgresCdcSourceV2", "MySqlCdcSourceV2"),
            (Fault::LogPurged, "MySqlCdcSourceV2", "MySqlSource"),
            (Fault::RedoTopic, "OracleCdcSource", "PostgresCdcSourceV2"),
            (Fault::TableMissing, "PostgresSink", "S3_SINK"),
            (Fault::StorageDenied, "S3_SINK", "PostgresSink"),
            (Fault::StorageDenied, "AzureBlobSink", "HttpSinkV2"),
            (Fault::SnowflakeJwt, "SnowflakeSink", "S3_SINK"),
        ] {
            assert!(kind.fits(&SandboxPlugin::find_or_unknown(fitting)), "{kind} {fitting}");
            assert!(!kind.fits(&SandboxPlugin::find_or_unknown(other)), "{kind} {other}");
        }
    }
}
