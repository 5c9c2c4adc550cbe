//! Operations that ACLs allow and deny, and an index of ACLs by principal.
//!
//! Kafka's rules (docs `access-control/acls/operations`; Apache Kafka `StandardAuthorizerData` for implied operations):
//! an ACL names one operation on one kind of resource; an ALLOW of READ, WRITE, DELETE or ALTER implies DESCRIBE; a
//! DENY denies exactly the operation it names. The [`evaluator`](super::evaluator) combines ACLs and roles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Operation as Op, OperationSet as Set};
use crate::model::{
    AclBinding, AclOperation as AclOp, AclPermission, AclResource, Crn, CrnPattern, NamePattern, Principal,
    ResourceKind, StageAddress, acl::ANY_HOST,
};

/// An ACL with the CRN pattern it applies to; an ACL alone does not name its cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResolvedAcl {
    /// ACL.
    pub acl: AclBinding,
    /// Resources it applies to.
    pub pattern: CrnPattern,
}

impl ResolvedAcl {
    /// Resolves `acl` in the cluster at `address`; `None` for unknown resource types.
    #[must_use]
    pub fn new(acl: AclBinding, address: &StageAddress) -> Option<Self> {
        let place = acl.crn_pattern(address)?;
        Some(Self { acl, pattern: place })
    }

    /// Returns the operations that the ACL allows on resources of `kind` within its pattern.
    #[must_use]
    pub fn allowed_operations(&self, kind: ResourceKind) -> Set {
        match self.acl.permission {
            AclPermission::Allow => operations_allowed_by(&self.acl.resource, &self.acl.operation, kind),
            _ => Set::EMPTY,
        }
    }

    /// Returns the operations that the ACL denies on resources of `kind` within its pattern. A DENY for a single host
    /// is ignored, because clients on other hosts remain allowed.
    #[must_use]
    pub fn denied_operations(&self, kind: ResourceKind) -> Set {
        match self.acl.permission {
            AclPermission::Deny if self.acl.host == ANY_HOST => {
                named_operations(&self.acl.resource, &self.acl.operation, kind)
            }
            _ => Set::EMPTY,
        }
    }

    /// Whether the ACL may allow operations that are unknown here.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let operation = matches!(self.acl.operation, AclOp::Other(_));
        match self.acl.permission {
            AclPermission::Allow => operation,
            AclPermission::Deny => false,
            AclPermission::Other(_) => true,
        }
    }

    /// Returns the operations that the ACL allows on `resource`.
    #[must_use]
    pub fn allowed_on(&self, resource: &Crn) -> Set {
        match self.pattern.covers(resource) {
            true => self.allowed_operations(resource.kind()),
            false => Set::EMPTY,
        }
    }

    /// Returns the operations that the ACL denies on `resource`.
    #[must_use]
    pub fn denied_on(&self, resource: &Crn) -> Set {
        match self.pattern.covers(resource) {
            true => self.denied_operations(resource.kind()),
            false => Set::EMPTY,
        }
    }

    /// Sort key for the ACL to report if several apply: an ACL for the principal itself before one for all, then the
    /// narrower one.
    fn precedence(&self) -> (bool, usize, bool) {
        let name = self.pattern.name();
        let literal = matches!(name, NamePattern::Literal(_));
        (!self.acl.is_for_all_principals(), name.stem().len(), literal)
    }
}

/// Returns all operations that ACLs control on resources of `kind` (docs `access-control/acls/operations`, first
/// table).
fn all_acl_operations(kind: ResourceKind) -> Set {
    match kind {
        ResourceKind::Topic => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::Read,
            Op::Write,
            Op::Alter,
            Op::DescribeConfigs,
            Op::AlterConfigs,
        ]),
        ResourceKind::Group => Set::new(&[Op::Describe, Op::Delete, Op::Read]),
        ResourceKind::TransactionalId => Set::new(&[Op::Describe, Op::Write]),
        _ => Set::EMPTY,
    }
}

/// Returns the operations on resources of `kind` that an ACL for `operation` on `resource` names.
fn named_operations(resource: &AclResource, operation: &AclOp, kind: ResourceKind) -> Set {
    if *resource == AclResource::Cluster {
        return cluster_operations(operation, kind);
    }
    if resource.kind() != Some(kind) {
        return Set::EMPTY;
    }
    let operation = match operation {
        AclOp::All => return all_acl_operations(kind),
        AclOp::Create => Op::Create,
        AclOp::Read => Op::Read,
        AclOp::Write => Op::Write,
        AclOp::Delete => Op::Delete,
        AclOp::Alter => Op::Alter,
        AclOp::Describe => Op::Describe,
        AclOp::AlterConfigs => Op::AlterConfigs,
        AclOp::DescribeConfigs => Op::DescribeConfigs,
        AclOp::ClusterAction | AclOp::IdempotentWrite | AclOp::Other(_) => return Set::EMPTY,
    };
    Set::new(&[operation]).intersection(all_acl_operations(kind))
}

/// Returns the operations that an ACL on the cluster names. It also applies to descendants: CREATE allows creating
/// topics of any name, ALTER allows creating ACLs for any principal.
fn cluster_operations(operation: &AclOp, kind: ResourceKind) -> Set {
    const SEES: Set = Set::new(&[Op::Describe, Op::DescribeConfigs, Op::DescribeAccess]);
    const ACCESS: Set = Set::new(&[Op::DescribeAccess, Op::AlterAccess]);
    use ResourceKind as K;
    match (operation, kind) {
        (AclOp::Describe, K::Kafka) => SEES,
        (AclOp::Alter, K::Kafka) => ACCESS,
        (AclOp::AlterConfigs, K::Kafka) => Set::new(&[Op::AlterConfigs]),
        (AclOp::DescribeConfigs, K::Kafka) => Set::new(&[Op::DescribeConfigs]),
        (AclOp::All, K::Kafka) => SEES.union(ACCESS).union(Set::new(&[Op::AlterConfigs])),
        (AclOp::Create, K::Topic) => Set::new(&[Op::Create]),
        (AclOp::Alter, K::Topic | K::Group | K::TransactionalId) | (AclOp::All, K::Group | K::TransactionalId) => {
            ACCESS
        }
        (AclOp::All, K::Topic) => ACCESS.union(Set::new(&[Op::Create])),
        _ => Set::EMPTY,
    }
}

/// Returns the operations that an ALLOW of `operation` on `resource` allows on resources of `kind`, including implied
/// ones.
#[must_use]
pub fn operations_allowed_by(resource: &AclResource, operation: &AclOp, kind: ResourceKind) -> Set {
    let meant = |operation| named_operations(resource, operation, kind);
    let implied = implied_operation(operation);
    meant(operation).union(implied.as_ref().map_or(Set::EMPTY, meant))
}

/// Returns the ACL operations that exist on resources of `kind`, without `ALL`; none where Kafka has no ACLs.
pub fn operations_on(kind: ResourceKind) -> impl Iterator<Item = &'static AclOp> {
    let resource = AclResource::for_kind(kind);
    let exists = move |operation: &&AclOp| {
        let set = resource
            .as_ref()
            .map(|resource| named_operations(resource, operation, kind));
        **operation != AclOp::All && set.is_some_and(|set| !set.is_empty())
    };
    AclOp::KNOWN.iter().filter(exists)
}

/// Returns the operation that an ALLOW of `operation` implies.
fn implied_operation(operation: &AclOp) -> Option<AclOp> {
    match operation {
        AclOp::Read | AclOp::Write | AclOp::Delete | AclOp::Alter => Some(AclOp::Describe),
        AclOp::AlterConfigs => Some(AclOp::DescribeConfigs),
        _ => None,
    }
}

/// Index of ACLs by principal.
#[derive(Clone, Debug, Default)]
pub(super) struct AclIndex {
    principals: BTreeMap<Principal, BTreeSet<Arc<ResolvedAcl>>>,
    all_principals: BTreeSet<Arc<ResolvedAcl>>,
}

impl AclIndex {
    pub(super) fn insert(&mut self, acl: ResolvedAcl) {
        let own = match acl.acl.is_for_all_principals() {
            true => &mut self.all_principals,
            false => self.principals.entry(acl.acl.principal.clone()).or_default(),
        };
        own.insert(Arc::new(acl));
    }

    /// Returns the ACLs of the wildcard principal.
    pub(super) fn for_all_principals(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.all_principals.iter()
    }

    /// Returns all ACLs: those of the wildcard principal first, then ordered by principal.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.all_principals.iter().chain(self.principals.values().flatten())
    }

    /// Returns all principals named in ACLs.
    pub(super) fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.keys()
    }

    /// Returns the ACLs that name `principal`.
    pub(super) fn for_principal(&self, principal: &Principal) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.principals.get(principal).into_iter().flatten()
    }

    /// Returns the ACLs that apply to `principal`, including those of the wildcard principal.
    fn applying_to(&self, principal: &Principal) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.for_principal(principal).chain(&self.all_principals)
    }

    /// Returns the most specific ACL that applies to `principal` and satisfies `fits`.
    pub(super) fn find(&self, principal: &Principal, fits: impl Fn(&ResolvedAcl) -> bool) -> Option<&Arc<ResolvedAcl>> {
        let fitting = self.applying_to(principal).filter(|acl| fits(acl));
        fitting.max_by_key(|acl| acl.precedence())
    }

    /// Returns the operations on `resource` that ACLs allow `principal`, and those they deny.
    pub(super) fn effective_operations(&self, principal: &Principal, resource: &Crn) -> (Set, Set) {
        self.applying_to(principal)
            .fold((Set::EMPTY, Set::EMPTY), |(given, taken), acl| {
                (
                    given.union(acl.allowed_on(resource)),
                    taken.union(acl.denied_on(resource)),
                )
            })
    }
}

#[cfg(test)]
#[path = "acl_tests.rs"]
mod tests;
