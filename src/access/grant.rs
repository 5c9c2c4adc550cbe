//! Access grants: role bindings and ACLs behind one type.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{OperationSet, acl::ResolvedAcl, roles::operations_of_role};
use crate::model::{AclBinding, AclResource, CrnPattern, Principal, ResourceKind, Role, RoleBinding};

/// A role binding or an ACL that allows operations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessGrant {
    /// A role binding.
    Role(Arc<RoleBinding>),
    /// An ACL.
    Acl(Arc<ResolvedAcl>),
}

/// Serializes the role binding or the ACL itself; their fields differ.
impl Serialize for AccessGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Role(binding) => binding.serialize(serializer),
            Self::Acl(acl) => acl.acl.serialize(serializer),
        }
    }
}

impl AccessGrant {
    /// Formats the grant for a table.
    #[must_use]
    pub fn to_short_string(&self) -> String {
        match self {
            Self::Role(binding) => format!("{} on {}", binding.role, binding.pattern.to_short_string()),
            Self::Acl(acl) => acl.acl.to_short_string(),
        }
    }

    /// Returns the role, or the permission and operation of an ACL, such as `ACL ALLOW WRITE`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Role(binding) => binding.role.to_string(),
            Self::Acl(acl) => format!("ACL {} {}", acl.acl.permission, acl.acl.operation),
        }
    }

    /// Returns the pattern it applies to.
    #[must_use]
    pub fn pattern(&self) -> &CrnPattern {
        match self {
            Self::Role(binding) => &binding.pattern,
            Self::Acl(acl) => &acl.pattern,
        }
    }

    /// Returns the principal; an ACL may name the wildcard principal.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        match self {
            Self::Role(binding) => &binding.principal,
            Self::Acl(acl) => &acl.acl.principal,
        }
    }

    /// Returns the role binding; `None` for an ACL.
    #[must_use]
    pub fn role_binding(&self) -> Option<&RoleBinding> {
        match self {
            Self::Role(binding) => Some(binding),
            Self::Acl(_) => None,
        }
    }

    /// Returns the ACL; `None` for a role binding.
    #[must_use]
    pub fn acl(&self) -> Option<&AclBinding> {
        match self {
            Self::Role(_) => None,
            Self::Acl(acl) => Some(&acl.acl),
        }
    }

    /// Returns the operations it may allow on resources of `kind`: `None` for none, an empty set if they are unknown.
    pub(super) fn worst_case_operations(&self, kind: ResourceKind) -> Option<OperationSet> {
        match self {
            Self::Role(binding) => worst_case_of_role(&binding.role, kind),
            Self::Acl(acl) => worst_case_of_acl(acl, kind),
        }
    }
}

/// Returns the operations that `role` may allow on resources of `kind`: `None` for none, an empty set if they are
/// unknown.
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
