//! What an ACL gives and takes, and the ACLs of a cluster by principal.
//!
//! Kafka's own rules (docs `access-control/acls/operations`; Apache Kafka `StandardAuthorizerData` for what implies what):
//! an ACL is about one operation on one kind of resource, an ALLOW of READ, WRITE, DELETE or ALTER lets describe as well,
//! a DENY takes exactly what it names. How ACLs and roles decide together is [`evaluator`](super::evaluator)'s business.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Operation as Op, OperationSet as Set};
use crate::model::{
    AclBinding, AclOperation as AclOp, AclPermission, AclResource, Crn, CrnPattern, NamePattern, Principal,
    ResourceKind, StageAddress, acl::ANY_HOST,
};

/// An ACL and what it is about: an ACL itself does not know its cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResolvedAcl {
    /// The ACL.
    pub acl: AclBinding,
    /// What it is about.
    pub pattern: CrnPattern,
}

impl ResolvedAcl {
    /// `acl` in the cluster at `address`; `None` for what this program has no rule about.
    #[must_use]
    pub fn new(acl: AclBinding, address: &StageAddress) -> Option<Self> {
        let place = acl.crn_pattern(address)?;
        Some(Self { acl, pattern: place })
    }

    /// What it gives on a `kind` of resource that it is about.
    #[must_use]
    pub fn allowed_operations(&self, kind: ResourceKind) -> Set {
        match self.acl.permission {
            AclPermission::Allow => operations_allowed_by(&self.acl.resource, &self.acl.operation, kind),
            _ => Set::EMPTY,
        }
    }

    /// What it takes on a `kind` of resource that it is about. A DENY for single hosts takes nothing for sure.
    #[must_use]
    pub fn denied_operations(&self, kind: ResourceKind) -> Set {
        match self.acl.permission {
            AclPermission::Deny if self.acl.host == ANY_HOST => {
                named_operations(&self.acl.resource, &self.acl.operation, kind)
            }
            _ => Set::EMPTY,
        }
    }

    /// Whether it may give something that this program has no rule about.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let operation = matches!(self.acl.operation, AclOp::Other(_));
        match self.acl.permission {
            AclPermission::Allow => operation,
            AclPermission::Deny => false,
            AclPermission::Other(_) => true,
        }
    }

    /// What it gives on `resource`.
    #[must_use]
    pub fn allowed_on(&self, resource: &Crn) -> Set {
        match self.pattern.covers(resource) {
            true => self.allowed_operations(resource.kind()),
            false => Set::EMPTY,
        }
    }

    /// What it takes on `resource`.
    #[must_use]
    pub fn denied_on(&self, resource: &Crn) -> Set {
        match self.pattern.covers(resource) {
            true => self.denied_operations(resource.kind()),
            false => Set::EMPTY,
        }
    }

    /// The more specific of two is the one that is named: the one about the principal itself, then the narrower one.
    fn precedence(&self) -> (bool, usize, bool) {
        let name = self.pattern.name();
        let literal = matches!(name, NamePattern::Literal(_));
        (!self.acl.is_for_all_principals(), name.stem().len(), literal)
    }
}

/// Everything that ACLs can be about on a `kind` of resource (docs `access-control/acls/operations`, first table).
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

/// What `operation` on a `resource` means on a `kind` of resource that an ACL is about.
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

/// An ACL on the cluster reaches what hangs below it: CREATE is the right to make topics of any name, and whoever may
/// ALTER may make ACLs, for himself too.
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

/// What an ALLOW of `operation` on a `resource` gives on a `kind` of resource that it is about: what it names, and what
/// that implies.
#[must_use]
pub fn operations_allowed_by(resource: &AclResource, operation: &AclOp, kind: ResourceKind) -> Set {
    let meant = |operation| named_operations(resource, operation, kind);
    let implied = implied_operation(operation);
    meant(operation).union(implied.as_ref().map_or(Set::EMPTY, meant))
}

/// The operations that there are on a `kind` of resource, without `ALL`; none where Kafka knows no ACLs.
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

/// The operation that an ALLOW of `operation` gives as well.
fn implied_operation(operation: &AclOp) -> Option<AclOp> {
    match operation {
        AclOp::Read | AclOp::Write | AclOp::Delete | AclOp::Alter => Some(AclOp::Describe),
        AclOp::AlterConfigs => Some(AclOp::DescribeConfigs),
        _ => None,
    }
}

/// The ACLs of clusters, by principal.
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

    /// Those that are about everybody.
    pub(super) fn for_all_principals(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.all_principals.iter()
    }

    /// Every ACL: those about everybody, then in the order of principals.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.all_principals.iter().chain(self.principals.values().flatten())
    }

    /// Everybody who is named in one.
    pub(super) fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.keys()
    }

    /// The ACLs that name `principal`.
    pub(super) fn for_principal(&self, principal: &Principal) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.principals.get(principal).into_iter().flatten()
    }

    /// The ACLs that are about `principal`: those that name it, and those about everybody.
    fn applying_to(&self, principal: &Principal) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.for_principal(principal).chain(&self.all_principals)
    }

    /// The ACL about `principal` for which `fits` holds, the most specific one of several.
    pub(super) fn find(&self, principal: &Principal, fits: impl Fn(&ResolvedAcl) -> bool) -> Option<&Arc<ResolvedAcl>> {
        let fitting = self.applying_to(principal).filter(|acl| fits(acl));
        fitting.max_by_key(|acl| acl.precedence())
    }

    /// What the ACLs about `principal` give on `resource`, and what they take.
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
