//! Operations on resources, and sets of operations.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

/// An operation. The `roles` module defines which operations exist on which resource kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// See the resource and its basic properties (any kind).
    Describe,
    /// Create it (connector, topic, service account, environment, cluster).
    Create,
    /// Delete it.
    Delete,
    /// Change its properties (service account, environment, cluster).
    Update,
    /// Read data (topic), join and commit (group), read schemas (subject).
    Read,
    /// Write data (topic, transactional id), register schemas (subject).
    Write,
    /// Change the number of partitions and similar properties (topic).
    Alter,
    /// Read configuration (topic, cluster).
    DescribeConfigs,
    /// Change configuration (topic, cluster).
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
    /// Set its Kafka identity (connector).
    ConfigureCredentials,
    /// Use it as the identity of a connector (service account).
    Assign,
    /// Create, change and delete its Cloud API keys (service account).
    ManageCloudKeys,
    /// Create, change and delete its Kafka API keys (service account; cluster: keys of any account there).
    ManageKafkaKeys,
    /// Create, change and delete its Schema Registry keys (service account; environment: keys of any account there).
    ManageSchemaRegistryKeys,
    /// List role bindings on it (any kind).
    DescribeAccess,
    /// Create and delete role bindings on it (any kind).
    AlterAccess,
}

/// Error: the text is not an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation")]
pub struct OperationError(String);

impl Operation {
    /// All operations in display order.
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

    /// Returns the name of the operation, which is also its serialized form.
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

/// A set of operations, passed by value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OperationSet(u32);

impl OperationSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);
    /// The set of all operations.
    pub const ALL: Self = Self::new(&Operation::ALL);

    /// Creates a set of `operations`.
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

    /// Whether the set contains `operation`.
    #[must_use]
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & (1 << operation as u32) != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the union with `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the difference to `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns the intersection with `other`.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the number of operations.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Returns the operations in the order of [`Operation::ALL`].
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
