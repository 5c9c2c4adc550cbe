//! What Confluent makes all departments share: a closed list, and what may be done within it.

use super::{Operation, OperationSet};
use crate::model::{NamePattern, ResourceKind};

/// Names that Confluent makes everybody share, because they carry a connector's id and not its name: the consumer
/// groups of sink connectors, and the topics for failed, successful and previewed records
/// (docs/reference/rbac.md#access-of-a-connectors-account; docs/reference/rbac.md#threats, T7). Each is the beginning
/// of names; a right *within* it is an exposure, a wider one is a failure.
pub const SHARED_NAMES: [(ResourceKind, &str); 5] = [
    (ResourceKind::Group, "connect-lcc"),
    (ResourceKind::Topic, "dlq-lcc"),
    (ResourceKind::Topic, "success-lcc"),
    (ResourceKind::Topic, "error-lcc"),
    (ResourceKind::Topic, "data-preview"),
];

/// What departments may do to one another's things within [`EXPOSURES`]: join as a consumer, make a queue and write to
/// it. Reading, deleting or altering the topics of others would reach their records
/// (docs/reference/rbac.md#roles-of-a-connectors-account; docs/reference/rbac.md#threats, T7).
#[must_use]
pub const fn tolerated_operations(kind: ResourceKind) -> OperationSet {
    match kind {
        ResourceKind::Group => OperationSet::new(&[Operation::Describe, Operation::Read]),
        _ => OperationSet::new(&[Operation::Describe, Operation::Create, Operation::Write]),
    }
}

/// The entry of the closed list that `name` lies within.
#[must_use]
pub fn shared_name_for(kind: ResourceKind, name: &NamePattern) -> Option<usize> {
    SHARED_NAMES
        .iter()
        .position(|(shared, begins)| *shared == kind && name.stem().starts_with(begins))
}
