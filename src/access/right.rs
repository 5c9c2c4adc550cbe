//! What gives a right, role binding or ACL alike, for whoever looks at all of them.

use std::sync::Arc;

use serde::Serialize;

use super::{OperationSet, acl::PlacedAcl, roles::gives};
use crate::model::{
    AclBinding, AclOperation, AclPermission, AclResource, CrnPattern, Principal, ResourceKind, Role, RoleBinding,
};

/// A role binding or an ACL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Right {
    /// A role on a pattern.
    Role(RoleBinding),
    /// An operation that an ACL allows.
    Acl(AclBinding),
}

impl Right {
    /// What and where, short enough for a table.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Role(binding) => format!("{} on {}", binding.role, binding.pattern.short()),
            Self::Acl(acl) => acl.short(),
        }
    }
}

/// The same with its place, as the evaluator holds it.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Role(Arc<RoleBinding>),
    Acl(Arc<PlacedAcl>),
}

impl Held {
    pub(super) fn pattern(&self) -> &CrnPattern {
        match self {
            Self::Role(binding) => &binding.pattern,
            Self::Acl(acl) => &acl.place,
        }
    }

    pub(super) fn principal(&self) -> &Principal {
        match self {
            Self::Role(binding) => &binding.principal,
            Self::Acl(acl) => &acl.acl.principal,
        }
    }

    pub(super) fn role(&self) -> Option<&RoleBinding> {
        match self {
            Self::Role(binding) => Some(binding),
            Self::Acl(_) => None,
        }
    }

    pub(super) fn right(&self) -> Right {
        match self {
            Self::Role(binding) => Right::Role(RoleBinding::clone(binding)),
            Self::Acl(acl) => Right::Acl(acl.acl.clone()),
        }
    }

    /// What it gives on `kind`; `None` when it gives nothing, an empty set when nobody can know.
    pub(super) fn worst(&self, kind: ResourceKind) -> Option<OperationSet> {
        match self {
            Self::Role(binding) => worst_of_role(&binding.role, kind),
            Self::Acl(acl) => worst_of_acl(acl, kind),
        }
    }
}

/// What `role` gives on `kind`, at the worst.
pub(super) fn worst_of_role(role: &Role, kind: ResourceKind) -> Option<OperationSet> {
    match role {
        Role::Other(_) => Some(OperationSet::EMPTY),
        known => Some(gives(known, kind)).filter(|set| !set.is_empty()),
    }
}

fn worst_of_acl(acl: &PlacedAcl, kind: ResourceKind) -> Option<OperationSet> {
    let AclBinding {
        operation,
        permission,
        resource,
        ..
    } = &acl.acl;
    let about = resource.kind() == Some(kind) || *resource == AclResource::Cluster;
    match (operation, permission) {
        (_, AclPermission::Deny) => None,
        (AclOperation::Other(_), _) | (_, AclPermission::Other(_)) => about.then_some(OperationSet::EMPTY),
        _ => Some(acl.gives(kind)).filter(|set| !set.is_empty()),
    }
}
