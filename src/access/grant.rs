//! What permits something, role binding and ACL alike, for whoever looks at both.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{OperationSet, acl::ResolvedAcl, roles::operations_of_role};
use crate::model::{AclBinding, AclResource, CrnPattern, Principal, ResourceKind, Role, RoleBinding};

/// A role binding or an ACL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessGrant {
    /// A role on a pattern.
    Role(Arc<RoleBinding>),
    /// An operation that an ACL is about.
    Acl(Arc<ResolvedAcl>),
}

/// The binding or the ACL itself; which of them it is tells its fields.
impl Serialize for AccessGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Role(binding) => binding.serialize(serializer),
            Self::Acl(acl) => acl.acl.serialize(serializer),
        }
    }
}

impl AccessGrant {
    /// What and where, short enough for a table.
    #[must_use]
    pub fn to_short_string(&self) -> String {
        match self {
            Self::Role(binding) => format!("{} on {}", binding.role, binding.pattern.to_short_string()),
            Self::Acl(acl) => acl.acl.to_short_string(),
        }
    }

    /// Where it is bound.
    #[must_use]
    pub fn pattern(&self) -> &CrnPattern {
        match self {
            Self::Role(binding) => &binding.pattern,
            Self::Acl(acl) => &acl.pattern,
        }
    }

    /// Who holds it; an ACL may be about everybody.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        match self {
            Self::Role(binding) => &binding.principal,
            Self::Acl(acl) => &acl.acl.principal,
        }
    }

    /// The role binding, if it is one.
    #[must_use]
    pub fn role_binding(&self) -> Option<&RoleBinding> {
        match self {
            Self::Role(binding) => Some(binding),
            Self::Acl(_) => None,
        }
    }

    /// The ACL, if it is one.
    #[must_use]
    pub fn acl(&self) -> Option<&AclBinding> {
        match self {
            Self::Role(_) => None,
            Self::Acl(acl) => Some(&acl.acl),
        }
    }

    /// What it gives on `kind`; `None` when it gives nothing, an empty set when nobody can know.
    pub(super) fn worst_case_operations(&self, kind: ResourceKind) -> Option<OperationSet> {
        match self {
            Self::Role(binding) => worst_case_of_role(&binding.role, kind),
            Self::Acl(acl) => worst_case_of_acl(acl, kind),
        }
    }
}

/// What `role` gives on `kind`, at the worst.
pub(super) fn worst_case_of_role(role: &Role, kind: ResourceKind) -> Option<OperationSet> {
    match role {
        Role::Other(_) => Some(OperationSet::EMPTY),
        known => Some(operations_of_role(known, kind)).filter(|set| !set.is_empty()),
    }
}

fn worst_case_of_acl(acl: &ResolvedAcl, kind: ResourceKind) -> Option<OperationSet> {
    let resource = &acl.acl.resource;
    let about = resource.kind() == Some(kind) || *resource == AclResource::Cluster;
    match acl.is_unknown() {
        true => about.then_some(OperationSet::EMPTY),
        false => Some(acl.allowed_operations(kind)).filter(|set| !set.is_empty()),
    }
}
