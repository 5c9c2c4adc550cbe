//! Where a binding grants, seen from the stage.

use std::collections::BTreeSet;

use crate::{
    access::isolation::{NAMED_KINDS, SHARED_NAMES},
    model::{CrnPattern, NamePattern, ResourceKind, Snapshot},
};

/// Where a binding grants, seen from this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BindingLocation<'a> {
    /// On names that can belong to a department.
    Names(ResourceKind, &'a NamePattern),
    /// On the organization, or on the stage's environment, cluster or Schema Registry itself.
    Scope(ResourceKind),
    /// On service accounts.
    Accounts(&'a NamePattern),
    /// In another environment or cluster, or on something that this audit has no rule about.
    Elsewhere,
}

/// The shared beginning of names that a pattern lies within: what Confluent makes everybody share.
pub(super) fn shared_prefix(kind: ResourceKind, name: &NamePattern) -> Option<&'static str> {
    let within = |(of, begins): &&(ResourceKind, &str)| *of == kind && name.stem().starts_with(*begins);
    SHARED_NAMES.iter().find(within).map(|(_, begins)| *begins)
}

/// Whether a pattern means every subject, which is the Schema Registry by another name.
pub(super) fn is_every_subject(kind: ResourceKind, name: &NamePattern) -> bool {
    kind == ResourceKind::Subject && *name == NamePattern::Prefixed(String::new())
}

/// The places of a stage, as patterns to compare with.
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
        // The Kafka half of the cluster is what topics hang off.
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
