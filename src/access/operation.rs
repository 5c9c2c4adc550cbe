//! What can be done to a resource.

use serde::{Deserialize, Serialize};

/// One operation. Which operations exist for which kind of resource is `roles`' knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// See that it exists, and its plain properties (any kind).
    Describe,
    /// Make it (connector, topic, service account, environment, cluster).
    Create,
    /// Remove it.
    Delete,
    /// Change its properties (service account, environment, cluster).
    Update,
    /// Read data (topic), join and commit (group), read schemas (subject).
    Read,
    /// Write data (topic, transactional id), register schemas (subject).
    Write,
    /// Change partitions and the like (topic).
    Alter,
    /// Read settings (topic, cluster).
    DescribeConfigs,
    /// Change settings (topic, cluster).
    AlterConfigs,
    /// Read compatibility settings (subject).
    ReadCompatibility,
    /// Change compatibility settings (subject).
    WriteCompatibility,
    /// Read the configuration (connector).
    ReadConfig,
    /// Read state and task states (connector).
    ReadStatus,
    /// Read log lines (connector).
    ViewLogs,
    /// Read metrics (connector, cluster).
    ViewMetrics,
    /// Pause, resume, restart (connector).
    Lifecycle,
    /// Change the configuration (connector).
    Configure,
    /// Set the identity it uses towards Kafka (connector).
    ConfigureCredentials,
    /// Use it as the identity of a connector (service account).
    Assign,
    /// Create, change and delete its Cloud API keys (service account).
    ManageCloudKeys,
    /// Create, change and delete its Kafka API keys (service account; cluster: keys of any account there).
    ManageKafkaKeys,
    /// Create, change and delete its Schema Registry keys (service account; environment: keys of any account there).
    ManageSchemaRegistryKeys,
    /// See who holds roles on it (any kind).
    DescribeAccess,
    /// Give and take roles on it (any kind).
    AlterAccess,
}
