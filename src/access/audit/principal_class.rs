//! Classes of principals, and the grants that templates declare for them.

use std::collections::{BTreeMap, HashMap};

use super::desired_state::{DesiredState, ExpectedDepartment, ExpectedPersona};
use crate::{
    access::{Operation, roles::operations_of_role},
    model::{
        AclBinding, AclGrant, CrnPattern, NamePattern, ObservedAccount, ObservedBinding, OwnershipTag, Principal,
        ResourceKind, Role, RoleGrant, Snapshot,
    },
};

/// Class of a principal.
#[derive(Clone, Copy, Debug)]
pub(super) enum PrincipalClass<'a> {
    /// The service account that onboards departments.
    Provisioner,
    /// Named in `ebs.toml` under `administrators` or `adopt`.
    Named,
    /// An account of a department in this stage.
    DepartmentAccount(DepartmentAccount<'a>),
    /// An account with the ownership tag of a retired department.
    Retired(&'a ExpectedDepartment),
    /// An account with the ownership tag of a department without a file.
    Orphan,
    /// An account with an ownership tag of another stage.
    OtherStage,
    /// A group mapping.
    Group,
    /// A service account that was deleted, so no principal can act as it.
    Deleted,
    /// Any other principal.
    Unmanaged,
}

/// An account of a department.
#[derive(Clone, Copy, Debug)]
pub(super) struct DepartmentAccount<'a> {
    pub(super) department: &'a ExpectedDepartment,
    /// Persona; `None` if the template no longer contains it.
    pub(super) persona: Option<&'a ExpectedPersona>,
    pub(super) account: &'a ObservedAccount,
}

impl<'a> DepartmentAccount<'a> {
    /// Whether connectors run under it, that is, whether its persona gets no keys.
    pub(super) fn is_runtime(&self) -> bool {
        self.persona.is_some_and(|persona| persona.keys.is_empty())
    }

    /// Returns the grant of its template that declares an ACL.
    pub(super) fn declared_acl_grant(&self, acl: &AclBinding) -> Option<&'a AclGrant> {
        let prefix = &self.department.department.prefix;
        let gives = |grant: &&AclGrant| grant.acls(&acl.principal, prefix).any(|given| given == *acl);
        self.persona?.acls.iter().find(gives)
    }

    /// Whether it belongs to the department `other`.
    pub(super) fn belongs_to(&self, other: &ExpectedDepartment) -> bool {
        self.department.department.code == other.department.code
    }
}

/// Returns the control over an account that a role gives: full control (`true`), assignment to connectors only
/// (`false`), or none (`None`).
pub(super) fn account_control(role: &Role) -> Option<bool> {
    if matches!(role, Role::Other(_)) {
        return Some(true);
    }
    let gives = operations_of_role(role, ResourceKind::ServiceAccount);
    let owns = gives.contains(Operation::ManageCloudKeys) || gives.contains(Operation::AlterAccess);
    (owns || gives.contains(Operation::Assign)).then_some(owns)
}

/// Returns the accounts of departments in snapshot order.
pub(super) fn department_accounts<'a>(
    desired: &'a DesiredState<'_>,
    snapshot: &'a Snapshot,
) -> Vec<DepartmentAccount<'a>> {
    let members = snapshot
        .accounts
        .iter()
        .filter_map(|account| department_account(desired, account));
    members.collect()
}

/// Returns the department account, if name and ownership tag of the account match a persona, or `ebs.toml` adopts the
/// account.
fn department_account<'a>(
    desired: &'a DesiredState<'_>,
    account: &'a ObservedAccount,
) -> Option<DepartmentAccount<'a>> {
    let found = |tag: &OwnershipTag| {
        let department = desired
            .departments
            .iter()
            .find(|expected| !expected.is_retired() && expected.department.code == tag.department)?;
        let persona = department
            .personas
            .iter()
            .find(|persona| persona.tag.persona == tag.persona);
        Some(DepartmentAccount {
            department,
            persona,
            account,
        })
    };
    if let Some(tag) = account.tag().filter(|tag| tag.stage == desired.stage) {
        return found(&tag);
    }
    if !desired.is_adopted(account.id.as_str()) {
        return None;
    }
    let mut personas = desired.departments.iter().flat_map(|expected| &expected.personas);
    let named = personas.find(|persona| persona.tag.account_name() == account.name)?;
    found(&named.tag)
}

/// Classifies principals.
pub(super) struct PrincipalResolver<'a, 'b> {
    desired: &'a DesiredState<'a>,
    /// Whether the list of accounts is complete, so that an unlisted account does not exist.
    all_accounts_observed: bool,
    accounts: &'b HashMap<&'a str, &'a ObservedAccount>,
    department_accounts: HashMap<&'a str, DepartmentAccount<'a>>,
    declared: HashMap<&'a str, Vec<(&'a RoleGrant, CrnPattern)>>,
}

impl<'a, 'b> PrincipalResolver<'a, 'b> {
    pub(super) fn new(
        desired: &'a DesiredState<'a>,
        snapshot: &'a Snapshot,
        accounts: &'b HashMap<&'a str, &'a ObservedAccount>,
        members: &[DepartmentAccount<'a>],
        all_seen: bool,
    ) -> Self {
        let by_id = members.iter().map(|member| (member.account.id.as_str(), *member));
        Self {
            desired,
            all_accounts_observed: all_seen,
            accounts,
            department_accounts: by_id.collect(),
            declared: declared_grants(snapshot, members),
        }
    }

    pub(super) fn classify(&self, principal: &Principal) -> PrincipalClass<'a> {
        let id = principal.id();
        if self.desired.is_provisioner(id) {
            return PrincipalClass::Provisioner;
        }
        if let Some(member) = self.department_accounts.get(id) {
            return PrincipalClass::DepartmentAccount(*member);
        }
        if self.desired.administrators.contains(id) || self.desired.is_adopted(id) {
            return PrincipalClass::Named;
        }
        if id.starts_with("group-") {
            return PrincipalClass::Group;
        }
        let account = self.accounts.get(id);
        if account.is_none() && self.all_accounts_observed && principal.service_account().is_some() {
            return PrincipalClass::Deleted;
        }
        let Some(tag) = account.and_then(|account| account.tag()) else {
            return PrincipalClass::Unmanaged;
        };
        if tag.stage != self.desired.stage {
            return PrincipalClass::OtherStage;
        }
        let mut departments = self.desired.departments.iter();
        let known = departments.find(|expected| expected.department.code == tag.department);
        known.map_or(PrincipalClass::Orphan, PrincipalClass::Retired)
    }

    /// Returns the department account that a pattern names.
    pub(super) fn target_account(&self, pattern: &CrnPattern) -> Option<DepartmentAccount<'a>> {
        match (pattern.kind(), pattern.name()) {
            (ResourceKind::ServiceAccount, NamePattern::Literal(id)) => {
                self.department_accounts.get(id.as_str()).copied()
            }
            _ => None,
        }
    }

    /// Returns the grant of the holder's template that declares a binding.
    pub(super) fn declared_grant(&self, seen: &ObservedBinding) -> Option<&'a RoleGrant> {
        let declared = self.declared.get(seen.binding.principal.id())?;
        let fits = |(grant, pattern): &&(&RoleGrant, CrnPattern)| {
            let role = grant.role == seen.binding.role || grant.fallback.as_ref() == Some(&seen.binding.role);
            role && *pattern == seen.binding.pattern
        };
        declared.iter().find(fits).map(|(grant, _)| *grant)
    }
}

/// Returns the resolved grants of all department accounts, by account id.
fn declared_grants<'a>(
    snapshot: &Snapshot,
    members: &[DepartmentAccount<'a>],
) -> HashMap<&'a str, Vec<(&'a RoleGrant, CrnPattern)>> {
    let mut accounts: BTreeMap<(&str, &str), &ObservedAccount> = BTreeMap::new();
    for member in members {
        if let Some(persona) = member.persona {
            let key = (member.department.department.code.as_str(), persona.tag.persona.as_str());
            accounts.insert(key, member.account);
        }
    }
    let resolved = members.iter().filter_map(|member| {
        let code = member.department.department.code.as_str();
        let prefix = &member.department.department.prefix;
        let grants = member.persona?.grants.iter().filter_map(|grant| {
            let account = |persona: &str| accounts.get(&(code, persona)).map(|account| account.id.clone());
            Some((grant, grant.on.resolve(&snapshot.address, prefix, account)?))
        });
        Some((member.account.id.as_str(), grants.collect()))
    });
    resolved.collect()
}
