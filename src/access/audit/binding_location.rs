//! Location of a binding relative to the stage.

use std::collections::BTreeSet;

use crate::{
    access::isolation::{NAMED_KINDS, SHARED_NAMES},
    model::{CrnPattern, NamePattern, ResourceKind, Snapshot},
};

/// Location of a binding relative to the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BindingLocation<'a> {
    /// Names that can belong to a department.
    Names(ResourceKind, &'a NamePattern),
    /// The organization itself, or the stage's environment, cluster or Schema Registry itself.
    Scope(ResourceKind),
    /// Service accounts.
    Accounts(&'a NamePattern),
    /// Another environment or cluster, or a resource kind without a rule.
    Elsewhere,
}

/// Returns the shared name prefix that a pattern lies within.
pub(super) fn shared_prefix(kind: ResourceKind, name: &NamePattern) -> Option<&'static str> {
    let within = |(of, begins): &&(ResourceKind, &str)| *of == kind && name.stem().starts_with(*begins);
    SHARED_NAMES.iter().find(within).map(|(_, begins)| *begins)
}

/// Whether a pattern matches every subject, which is equivalent to the whole Schema Registry.
pub(super) fn is_every_subject(kind: ResourceKind, name: &NamePattern) -> bool {
    kind == ResourceKind::Subject && *name == NamePattern::Prefixed(String::new())
}

/// Patterns of the stage for classifying bindings.
pub(super) struct StageScopes {
    names: Vec<CrnPattern>,
    scopes: BTreeSet<CrnPattern>,
    accounts: Option<CrnPattern>,
}

impl StageScopes {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let address = &snapshot.address;
        let every = |kind| address.pattern(kind, NamePattern::Prefixed(String::new()));
        let names: Vec<CrnPattern> = NAMED_KINDS.into_iter().filter_map(every).collect();
        let scopes = [
            address.organization_crn(),
            address.environment_crn(),
            address.cluster_crn(),
        ];
        // Topics are children of the Kafka part of the cluster.
        let halves = names.iter().filter_map(CrnPattern::parent);
        Self {
            scopes: scopes.into_iter().chain(halves).map(CrnPattern::from).collect(),
            names,
            accounts: every(ResourceKind::ServiceAccount),
        }
    }

    pub(super) fn classify<'a>(&self, pattern: &'a CrnPattern) -> BindingLocation<'a> {
        let kind = pattern.kind();
        let under = |all: &CrnPattern| all.kind() == kind && all.covers_pattern(pattern);
        if self.names.iter().any(under) {
            BindingLocation::Names(kind, pattern.name())
        } else if self.accounts.as_ref().is_some_and(under) {
            BindingLocation::Accounts(pattern.name())
        } else if self.scopes.contains(pattern) {
            BindingLocation::Scope(kind)
        } else {
            BindingLocation::Elsewhere
        }
    }
}
