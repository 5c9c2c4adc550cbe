//! Principals with access to all departments: the provisioner, administrators and adopted accounts.

use std::collections::{BTreeMap, HashMap};

use super::{
    binding_location::BindingLocation, context::BindingInContext, desired_state::DesiredState,
    principal_class::PrincipalClass,
};
use crate::{
    access::{Operation, roles::operations_of_role},
    model::{Principal, ResourceKind, Role},
};

/// Why a principal is privileged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privilege {
    /// It onboards departments.
    Provisioner,
    /// `ebs.toml` lists it under `administrators`.
    Administrator,
    /// `ebs.toml` lists it under `adopt`, and it is no account of a department.
    Adopted,
    /// It holds a role above all departments, and `ebs.toml` does not list it.
    UnnamedAdministrator,
}

/// A principal with access to all departments.
#[derive(Clone, Debug)]
pub(super) struct PrivilegedPrincipal {
    pub(super) principal: Principal,
    pub(super) privilege: Privilege,
}

impl Privilege {
    /// Returns the description for messages.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Provisioner => "the provisioner",
            Self::Administrator => "an administrator",
            Self::Adopted => "an adopted account",
            Self::UnnamedAdministrator => "an administrator that `ebs.toml` does not name",
        }
    }
}

/// Whether a role opens the data of a cluster, or can grant it. A role that this program does not know does.
fn opens_data(role: &Role) -> bool {
    let allowed = operations_of_role(role, ResourceKind::Topic);
    let opens = [Operation::Read, Operation::Write, Operation::AlterAccess];
    matches!(role, Role::Other(_)) || opens.into_iter().any(|operation| allowed.contains(operation))
}

/// Returns the privileged principals by id.
pub(super) fn privileged_principals<'a>(
    desired: &'a DesiredState<'_>,
    classes: &HashMap<&'a str, PrincipalClass<'a>>,
    bindings: &[BindingInContext<'a>],
) -> BTreeMap<&'a str, PrivilegedPrincipal> {
    let mut privileged = BTreeMap::new();
    let mut add = |id: &'a str, privilege| {
        let principal = Principal::from_id(id);
        privileged
            .entry(id)
            .or_insert(PrivilegedPrincipal { principal, privilege });
    };
    if let Some(id) = &desired.provisioner {
        add(id.as_str(), Privilege::Provisioner);
    }
    for id in &desired.administrators {
        add(id, Privilege::Administrator);
    }
    for id in &desired.adopted {
        let is_department = matches!(classes.get(id.as_str()), Some(PrincipalClass::DepartmentAccount(_)));
        // The other entries are API keys.
        if !is_department && !matches!(Principal::from_id(id), Principal::Other(_)) {
            add(id, Privilege::Adopted);
        }
    }
    for held in bindings {
        let above = match held.location {
            BindingLocation::Scope(kind) => kind != ResourceKind::SchemaRegistry,
            _ => false,
        };
        if above && matches!(held.holder, PrincipalClass::Unmanaged) && opens_data(held.role()) {
            add(held.observed.binding.principal.id(), Privilege::UnnamedAdministrator);
        }
    }
    privileged
}
