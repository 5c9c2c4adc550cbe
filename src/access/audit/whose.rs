//! Whose a principal is, and what its template gives it.

use std::collections::{BTreeMap, HashMap};

use super::blueprint::{Blueprint, Expected, ExpectedPersona};
use crate::{
    access::{Operation, roles::gives},
    model::{
        AclBinding, AclGrant, CrnPattern, Grant, NamePattern, OwnershipTag, Principal, ResourceKind, Role, SeenAccount,
        SeenBinding, Snapshot,
    },
};

/// Whose a principal is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// The service account that onboards.
    Provisioner,
    /// Named in `ebs.toml`: an administrator, or adopted.
    Named,
    /// An account of a department in this stage.
    Member(Member<'a>),
    /// An account that carries our tag for a department that is off-boarded.
    Retired(&'a Expected),
    /// An account that carries our tag for a department without a file.
    Orphan,
    /// An account that carries our tag for another stage.
    OtherStage,
    /// The people of a group mapping.
    Group,
    /// A service account that does not exist any more: nobody can act as it.
    Gone,
    /// Anybody else.
    Stranger,
}

/// An account of a department.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) department: &'a Expected,
    /// `None` when its template has no such persona any more.
    pub(super) persona: Option<&'a ExpectedPersona>,
    pub(super) account: &'a SeenAccount,
}

impl<'a> Member<'a> {
    /// Whether connectors run under it: an identity without a key.
    pub(super) fn is_runtime(&self) -> bool {
        self.persona.is_some_and(|persona| persona.keys.is_empty())
    }

    /// The grant of its template that asks for an ACL.
    pub(super) fn asks_for(&self, acl: &AclBinding) -> Option<&'a AclGrant> {
        let prefix = &self.department.department.prefix;
        let gives = |grant: &&AclGrant| grant.acls(&acl.principal, prefix).any(|given| given == *acl);
        self.persona?.acls.iter().find(gives)
    }

    /// Whether it belongs to the same department as `other`.
    pub(super) fn is_of(&self, other: &Expected) -> bool {
        self.department.department.code == other.department.code
    }
}

/// What a role on an account lets its holder do: everything (`true`), or use it as the identity of connectors.
pub(super) fn controls(role: &Role) -> Option<bool> {
    if matches!(role, Role::Other(_)) {
        return Some(true);
    }
    let gives = gives(role, ResourceKind::ServiceAccount);
    let owns = gives.contains(Operation::ManageCloudKeys) || gives.contains(Operation::AlterAccess);
    (owns || gives.contains(Operation::Assign)).then_some(owns)
}

/// The accounts of departments, in the order of the snapshot.
pub(super) fn members<'a>(blueprint: &'a Blueprint<'_>, seen: &'a Snapshot) -> Vec<Member<'a>> {
    let members = seen.accounts.iter().filter_map(|account| member(blueprint, account));
    members.collect()
}

/// Whether the account is one that a department should have: its name and its tag say so, or `ebs.toml` does.
fn member<'a>(blueprint: &'a Blueprint<'_>, account: &'a SeenAccount) -> Option<Member<'a>> {
    let found = |tag: &OwnershipTag| {
        let department = blueprint
            .departments
            .iter()
            .find(|expected| !expected.is_retired() && expected.department.code == tag.department)?;
        let persona = department
            .personas
            .iter()
            .find(|persona| persona.tag.persona == tag.persona);
        Some(Member {
            department,
            persona,
            account,
        })
    };
    if let Some(tag) = account.tag().filter(|tag| tag.stage == blueprint.stage) {
        return found(&tag);
    }
    if !blueprint.accepts(account.id.as_str()) {
        return None;
    }
    let mut personas = blueprint.departments.iter().flat_map(|expected| &expected.personas);
    let named = personas.find(|persona| persona.tag.account_name() == account.name)?;
    found(&named.tag)
}

/// Everybody there is.
pub(super) struct Crowd<'a, 'b> {
    blueprint: &'a Blueprint<'a>,
    /// Whether an account that was not seen does not exist.
    all_seen: bool,
    accounts: &'b HashMap<&'a str, &'a SeenAccount>,
    members: HashMap<&'a str, Member<'a>>,
    declared: HashMap<&'a str, Vec<(&'a Grant, CrnPattern)>>,
}

impl<'a, 'b> Crowd<'a, 'b> {
    pub(super) fn of(
        blueprint: &'a Blueprint<'a>,
        seen: &'a Snapshot,
        accounts: &'b HashMap<&'a str, &'a SeenAccount>,
        members: &[Member<'a>],
        all_seen: bool,
    ) -> Self {
        let by_id = members.iter().map(|member| (member.account.id.as_str(), *member));
        Self {
            blueprint,
            all_seen,
            accounts,
            members: by_id.collect(),
            declared: declared(seen, members),
        }
    }

    pub(super) fn who(&self, principal: &Principal) -> Who<'a> {
        let id = principal.id();
        if self.blueprint.provisioner.as_str() == id {
            return Who::Provisioner;
        }
        if let Some(member) = self.members.get(id) {
            return Who::Member(*member);
        }
        if self.blueprint.administrators.contains(id) || self.blueprint.accepts(id) {
            return Who::Named;
        }
        if id.starts_with("group-") {
            return Who::Group;
        }
        let account = self.accounts.get(id);
        if account.is_none() && self.all_seen && principal.service_account().is_some() {
            return Who::Gone;
        }
        let Some(tag) = account.and_then(|account| account.tag()) else {
            return Who::Stranger;
        };
        if tag.stage != self.blueprint.stage {
            return Who::OtherStage;
        }
        let mut departments = self.blueprint.departments.iter();
        let known = departments.find(|expected| expected.department.code == tag.department);
        known.map_or(Who::Orphan, Who::Retired)
    }

    /// The account of a department that a pattern names.
    pub(super) fn target(&self, pattern: &CrnPattern) -> Option<Member<'a>> {
        match (pattern.kind(), pattern.name()) {
            (ResourceKind::ServiceAccount, NamePattern::Literal(id)) => self.members.get(id.as_str()).copied(),
            _ => None,
        }
    }

    /// The grant of its holder's template that asks for a binding.
    pub(super) fn grant(&self, seen: &SeenBinding) -> Option<&'a Grant> {
        let declared = self.declared.get(seen.binding.principal.id())?;
        let fits = |(grant, pattern): &&(&Grant, CrnPattern)| {
            let role = grant.role == seen.binding.role || grant.fallback.as_ref() == Some(&seen.binding.role);
            role && *pattern == seen.binding.pattern
        };
        declared.iter().find(fits).map(|(grant, _)| *grant)
    }
}

/// The grants of every member, resolved.
fn declared<'a>(seen: &Snapshot, members: &[Member<'a>]) -> HashMap<&'a str, Vec<(&'a Grant, CrnPattern)>> {
    let mut accounts: BTreeMap<(&str, &str), &SeenAccount> = BTreeMap::new();
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
            Some((grant, grant.on.resolve(&seen.address, prefix, account)?))
        });
        Some((member.account.id.as_str(), grants.collect()))
    });
    resolved.collect()
}
