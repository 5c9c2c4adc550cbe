//! What Confluent makes all departments share: a closed list, and what may be done within it.

use super::{Operation, OperationSet};
use crate::model::{NamePattern, ResourceKind};

/// Names that Confluent makes everybody share, because they carry a connector's id and not its name: the consumer groups
/// of sink connectors, and the topics for failed, successful and previewed records (dossier `rbac.md` §2.1, T7). Each is
/// the beginning of names; a right *within* it is an exposure, a wider one is a failure.
pub const EXPOSURES: [(ResourceKind, &str); 5] = [
    (ResourceKind::Group, "connect-lcc"),
    (ResourceKind::Topic, "dlq-lcc"),
    (ResourceKind::Topic, "success-lcc"),
    (ResourceKind::Topic, "error-lcc"),
    (ResourceKind::Topic, "data-preview"),
];

/// What departments may do to one another's things within [`EXPOSURES`]: join as a consumer, make a queue and write to it.
/// Reading, deleting or altering the topics of others would reach their records (dossier `rbac.md` §2.2, T7).
#[must_use]
pub const fn tolerated(kind: ResourceKind) -> OperationSet {
    match kind {
        ResourceKind::Group => OperationSet::of(&[Operation::Describe, Operation::Read]),
        _ => OperationSet::of(&[Operation::Describe, Operation::Create, Operation::Write]),
    }
}

/// The entry of the closed list that `name` lies within.
#[must_use]
pub fn exposure(kind: ResourceKind, name: &NamePattern) -> Option<usize> {
    EXPOSURES
        .iter()
        .position(|(shared, begins)| *shared == kind && name.stem().starts_with(begins))
}
