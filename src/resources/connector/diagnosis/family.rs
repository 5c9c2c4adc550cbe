//! Families of errors.

use serde::Serialize;

/// Kind of error, for people who group errors and for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorFamily {
    /// The transaction log, slot or history that change data capture needs is gone.
    LogGone,
    /// A replication slot or id is used by another client.
    ReplicationSlot,
    /// The user lacks a right in the source database.
    DatabaseRights,
    /// The database is not set up for change data capture.
    CdcSetup,
    /// The database accepts no more connections or slots.
    DatabaseLimit,
    /// The database, service or login does not exist.
    DatabaseMissing,
    /// The external system rejects user, password, key or token.
    Credentials,
    /// The user lacks a right in the target.
    TargetRights,
    /// A bucket, table, index or the like does not exist.
    TargetMissing,
    /// The target is full.
    TargetFull,
    /// The target or its locks limit the connector.
    TargetLimited,
    /// The external system is down.
    TargetUnavailable,
    /// The region or the address is wrong.
    WrongEndpoint,
    /// Another error of the external system.
    ExternalSystem,
    /// A value or a schema does not fit the target.
    DataMismatch,
    /// The records do not have the configured format.
    Format,
    /// The Schema Registry refuses, lacks or does not answer.
    Schema,
    /// Name, route or connection.
    Network,
    /// The external system does not let Confluent's addresses in.
    AccessList,
    /// Certificates and encryption.
    Tls,
    /// Keys and rights in Kafka.
    KafkaAccess,
    /// A Kafka topic does not exist.
    TopicMissing,
    /// Kafka does not answer.
    KafkaAvailability,
    /// A limit of the organization or the cluster.
    Quota,
    /// The configuration of the connector.
    Configuration,
    /// Requests to the API of Confluent Cloud.
    ControlPlane,
    /// The connector does not start in time.
    Provisioning,
    /// Confluent itself.
    Confluent,
    /// Nothing is known.
    Unknown,
}

impl ErrorFamily {
    /// Returns the name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogGone => "log-gone",
            Self::ReplicationSlot => "replication-slot",
            Self::DatabaseRights => "database-rights",
            Self::CdcSetup => "cdc-setup",
            Self::DatabaseLimit => "database-limit",
            Self::DatabaseMissing => "database-missing",
            Self::Credentials => "credentials",
            Self::TargetRights => "target-rights",
            Self::TargetMissing => "target-missing",
            Self::TargetFull => "target-full",
            Self::TargetLimited => "target-limited",
            Self::TargetUnavailable => "target-unavailable",
            Self::WrongEndpoint => "wrong-endpoint",
            Self::ExternalSystem => "external-system",
            Self::DataMismatch => "data-mismatch",
            Self::Format => "format",
            Self::Schema => "schema",
            Self::Network => "network",
            Self::AccessList => "access-list",
            Self::Tls => "tls",
            Self::KafkaAccess => "kafka-access",
            Self::TopicMissing => "topic-missing",
            Self::KafkaAvailability => "kafka-availability",
            Self::Quota => "quota",
            Self::Configuration => "configuration",
            Self::ControlPlane => "control-plane",
            Self::Provisioning => "provisioning",
            Self::Confluent => "confluent",
            Self::Unknown => "unknown",
        }
    }
}
