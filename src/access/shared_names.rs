//! Names that all departments share in Confluent Cloud: a closed list, with the tolerated operations.

use serde::Serialize;

use super::{Operation, OperationSet};
use crate::model::{NamePattern, ResourceKind};

/// Name prefixes that all departments share, because Confluent Cloud builds these names from the connector id and not
/// from its name: the consumer groups of sink connectors, and the topics for failed, successful and previewed records
/// (docs/reference/rbac.md#access-of-a-connectors-account; docs/reference/rbac.md#threats, T7). A grant *within* one of
/// them is reported as shared, a wider one violates isolation.
pub const SHARED_NAMES: [(ResourceKind, &str); 5] = [
    (ResourceKind::Group, "connect-lcc"),
    (ResourceKind::Topic, "dlq-lcc"),
    (ResourceKind::Topic, "success-lcc"),
    (ResourceKind::Topic, "error-lcc"),
    (ResourceKind::Topic, "data-preview"),
];

/// A shared name prefix from [`SHARED_NAMES`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedName {
    /// Kind of the resource, such as a topic or a connector.
    pub kind: ResourceKind,
    /// Beginning that the shared names have in common.
    pub begins: &'static str,
    /// Number of departments that hold grants within it.
    pub departments: usize,
}

/// Returns the operations on [`SHARED_NAMES`] that departments may hold on foreign resources: joining as a consumer,
/// creating a queue and writing to it. Reading, deleting or altering foreign topics would give access to their records
/// (docs/reference/rbac.md#roles-of-a-connectors-account; docs/reference/rbac.md#threats, T7).
#[must_use]
pub const fn tolerated_operations(kind: ResourceKind) -> OperationSet {
    match kind {
        ResourceKind::Group => OperationSet::new(&[Operation::Describe, Operation::Read]),
        _ => OperationSet::new(&[Operation::Describe, Operation::Create, Operation::Write]),
    }
}

/// Returns the index of the shared name that `name` lies within.
#[must_use]
pub fn shared_name_for(kind: ResourceKind, name: &NamePattern) -> Option<usize> {
    SHARED_NAMES
        .iter()
        .position(|(shared, begins)| *shared == kind && name.stem().starts_with(begins))
}
