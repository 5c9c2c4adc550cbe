//! What can be done to a resource, and sets of such operations.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

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

/// A word that names no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation")]
pub struct OperationError(String);

impl Operation {
    /// Every operation, in the order in which they are shown.
    pub const ALL: [Self; 24] = [
        Self::Describe,
        Self::Create,
        Self::Delete,
        Self::Update,
        Self::Read,
        Self::Write,
        Self::Alter,
        Self::DescribeConfigs,
        Self::AlterConfigs,
        Self::ReadCompatibility,
        Self::WriteCompatibility,
        Self::ReadConfig,
        Self::ReadStatus,
        Self::ViewLogs,
        Self::ViewMetrics,
        Self::Lifecycle,
        Self::Configure,
        Self::ConfigureCredentials,
        Self::Assign,
        Self::ManageCloudKeys,
        Self::ManageKafkaKeys,
        Self::ManageSchemaRegistryKeys,
        Self::DescribeAccess,
        Self::AlterAccess,
    ];

    /// The word that people write and read; also the serialised form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Update => "update",
            Self::Read => "read",
            Self::Write => "write",
            Self::Alter => "alter",
            Self::DescribeConfigs => "describe-configs",
            Self::AlterConfigs => "alter-configs",
            Self::ReadCompatibility => "read-compatibility",
            Self::WriteCompatibility => "write-compatibility",
            Self::ReadConfig => "read-config",
            Self::ReadStatus => "read-status",
            Self::ViewLogs => "view-logs",
            Self::ViewMetrics => "view-metrics",
            Self::Lifecycle => "lifecycle",
            Self::Configure => "configure",
            Self::ConfigureCredentials => "configure-credentials",
            Self::Assign => "assign",
            Self::ManageCloudKeys => "manage-cloud-keys",
            Self::ManageKafkaKeys => "manage-kafka-keys",
            Self::ManageSchemaRegistryKeys => "manage-schema-registry-keys",
            Self::DescribeAccess => "describe-access",
            Self::AlterAccess => "alter-access",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        let known = Self::ALL.into_iter().find(|operation| operation.as_str() == text);
        known.ok_or_else(|| OperationError(text.to_owned()))
    }
}

/// A set of operations, small enough to be passed by value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OperationSet(u32);

impl OperationSet {
    /// No operation.
    pub const EMPTY: Self = Self(0);
    /// Every operation there is.
    pub const ALL: Self = Self::new(&Operation::ALL);

    /// Exactly `operations`.
    #[must_use]
    pub const fn new(operations: &[Operation]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < operations.len() {
            bits |= 1 << operations[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// Whether `operation` is in it.
    #[must_use]
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & (1 << operation as u32) != 0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in this one or in `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this one but not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The operations, in the order of [`Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL
            .into_iter()
            .filter(move |&operation| self.contains(operation))
    }
}

impl FromIterator<Operation> for OperationSet {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        operations
            .into_iter()
            .fold(Self::EMPTY, |set, operation| set.union(Self::new(&[operation])))
    }
}

impl fmt::Display for OperationSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operation) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(out, "{comma}{operation}")?;
        }
        Ok(())
    }
}

impl Serialize for OperationSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_listed_and_round_trips_through_text() {
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index, "{operation}");
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.as_str());
            assert_eq!(operation.as_str().parse(), Ok(operation));
        }
        assert_eq!(OperationSet::ALL.len(), Operation::ALL.len());
        assert!("destroy".parse::<Operation>().is_err());
    }

    #[test]
    fn operation_sets_support_union_difference_and_intersection() {
        let set = OperationSet::new(&[Operation::Write, Operation::Describe]);
        assert_eq!(set.to_string(), "describe, write");
        assert_eq!(
            set.difference(OperationSet::new(&[Operation::Describe])).to_string(),
            "write"
        );
        assert!(set.intersection(OperationSet::new(&[Operation::Read])).is_empty());
        assert_eq!(set.iter().collect::<OperationSet>(), set);
    }
}
