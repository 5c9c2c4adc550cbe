//! Snapshot and desired state, indexed for the rules: class of an account, location of a binding, owner of a name.

use std::collections::{BTreeMap, HashMap};

use super::{
    binding_location::{BindingLocation, StageScopes},
    desired_state::{DesiredState, ExpectedDepartment},
    principal_class::{DepartmentAccount, PrincipalClass, PrincipalResolver, department_accounts},
    privileged::{PrivilegedPrincipal, privileged_principals},
    visibility::{MissingData, RequiredData, Visibility},
};
use crate::{
    access::index::prefixes_of,
    api::keys::CLOUD,
    model::{
        AclBinding, AclGrant, ConnectorIdentity, CrnPattern, DepartmentCode, KeyKind, NamePattern, ObservedAccount,
        ObservedBinding, ObservedConnector, ObservedKey, Principal, Role, RoleGrant, Snapshot,
    },
};

/// A role binding with its classification.
#[derive(Debug)]
pub(super) struct BindingInContext<'a> {
    pub(super) observed: &'a ObservedBinding,
    pub(super) holder: PrincipalClass<'a>,
    pub(super) location: BindingLocation<'a>,
    /// Grant of the holder's template that declares it.
    pub(super) declared: Option<&'a RoleGrant>,
    /// Department account that it is bound on.
    pub(super) target: Option<DepartmentAccount<'a>>,
}

/// An ACL with its classification.
#[derive(Debug)]
pub(super) struct AclInContext<'a> {
    pub(super) acl: &'a AclBinding,
    pub(super) holder: PrincipalClass<'a>,
    /// Grant of the holder's template that declares it.
    pub(super) declared: Option<&'a AclGrant>,
}

impl BindingInContext<'_> {
    pub(super) fn role(&self) -> &Role {
        &self.observed.binding.role
    }

    /// Whether a department account holds it on an account of the same department.
    pub(super) fn is_on_own_account(&self) -> bool {
        match (self.holder, self.target) {
            (PrincipalClass::DepartmentAccount(member), Some(target)) => member.belongs_to(target.department),
            _ => false,
        }
    }

    /// Whether a template declares it, or the provisioner or a named principal holds it.
    pub(super) fn is_expected(&self) -> bool {
        self.declared.is_some() || matches!(self.holder, PrincipalClass::Provisioner | PrincipalClass::Named)
    }
}

/// Input of the rules.
pub(super) struct AuditContext<'a> {
    /// Class of each account, each owner of a key and each holder of a role.
    principal_classes: HashMap<&'a str, PrincipalClass<'a>>,
    /// Whether all desired department accounts were observed.
    all_department_accounts_observed: bool,
    pub(super) observed: &'a Snapshot,
    pub(super) desired: &'a DesiredState<'a>,
    pub(super) visibility: Visibility<'a>,
    /// All role bindings in snapshot order.
    pub(super) bindings: Vec<BindingInContext<'a>>,
    /// All ACLs in snapshot order.
    pub(super) acls: Vec<AclInContext<'a>>,
    /// Department accounts of this stage in snapshot order.
    pub(super) department_accounts: Vec<DepartmentAccount<'a>>,
    accounts: HashMap<&'a str, &'a ObservedAccount>,
    on_accounts: HashMap<&'a str, Vec<usize>>,
    keys: HashMap<&'a str, Vec<&'a ObservedKey>>,
    prefixes: BTreeMap<String, &'a ExpectedDepartment>,
    privileged: BTreeMap<&'a str, PrivilegedPrincipal>,
}

impl<'a> AuditContext<'a> {
    pub(super) fn new(desired: &'a DesiredState<'a>, snapshot: &'a Snapshot) -> Self {
        let accounts: HashMap<&str, &ObservedAccount> = snapshot.accounts.iter().map(|a| (a.id.as_str(), a)).collect();
        let members = department_accounts(desired, snapshot);
        let visibility = Visibility::new(snapshot);
        let all_seen = visibility.missing(RequiredData::Accounts).is_none();
        let resolver = PrincipalResolver::new(desired, snapshot, &accounts, &members, all_seen);
        let places = StageScopes::new(snapshot);
        let bindings: Vec<BindingInContext<'a>> = snapshot
            .bindings
            .iter()
            .map(|seen| BindingInContext {
                observed: seen,
                holder: resolver.classify(&seen.binding.principal),
                location: places.classify(&seen.binding.pattern),
                declared: resolver.declared_grant(seen),
                target: resolver.target_account(&seen.binding.pattern),
            })
            .collect();
        let acls = snapshot.acls.iter().map(|acl| {
            let who = resolver.classify(&acl.principal);
            AclInContext {
                declared: match who {
                    PrincipalClass::DepartmentAccount(member) => member.declared_acl_grant(acl),
                    _ => None,
                },
                acl,
                holder: who,
            }
        });
        let acls = acls.collect();
        let mut on_accounts: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, held) in bindings.iter().enumerate() {
            if let BindingLocation::Accounts(NamePattern::Literal(id)) = held.location {
                on_accounts.entry(id).or_default().push(index);
            }
        }
        let mut keys: HashMap<&str, Vec<&ObservedKey>> = HashMap::new();
        for key in &snapshot.keys {
            keys.entry(key.owner.id()).or_default().push(key);
        }
        let whose = snapshot.accounts.iter().map(|account| {
            let principal = Principal::from(account.id.clone());
            (account.id.as_str(), resolver.classify(&principal))
        });
        let owners = snapshot
            .keys
            .iter()
            .map(|key| (key.owner.id(), resolver.classify(&key.owner)));
        let holders = bindings
            .iter()
            .map(|held| (held.observed.binding.principal.id(), held.holder));
        let whose: HashMap<&str, PrincipalClass<'a>> = whose.chain(owners).chain(holders).collect();
        let privileged = privileged_principals(desired, &whose, &bindings);
        let prefixes = desired.departments.iter();
        let prefixes = prefixes.map(|expected| (expected.department.prefix.as_str().to_owned(), expected));
        let wanted: usize = desired.departments.iter().map(|expected| expected.personas.len()).sum();
        let found = members.iter().filter(|member| member.persona.is_some()).count();
        Self {
            principal_classes: whose,
            privileged,
            all_department_accounts_observed: found >= wanted,
            observed: snapshot,
            desired,
            visibility,
            bindings,
            acls,
            department_accounts: members,
            accounts,
            on_accounts,
            keys,
            prefixes: prefixes.collect(),
        }
    }

    /// Returns why `need` is incomplete; `None` if it is complete.
    pub(super) fn missing(&self, need: RequiredData) -> Option<MissingData> {
        // With all desired accounts observed, further accounts do not matter.
        if need == RequiredData::Members && self.all_department_accounts_observed {
            return None;
        }
        self.visibility.missing(need)
    }

    /// Returns the account of `principal`.
    pub(super) fn account(&self, principal: &Principal) -> Option<&'a ObservedAccount> {
        self.accounts.get(principal.service_account()?.as_str()).copied()
    }

    /// Returns the class of an account.
    pub(super) fn account_class(&self, account: &str) -> Option<PrincipalClass<'a>> {
        self.accounts.get(account)?;
        self.principal_classes.get(account).copied()
    }

    /// Returns the class of the account that a connector runs as, directly or through an API key.
    pub(super) fn runs_as(&self, connector: &ObservedConnector) -> Option<PrincipalClass<'a>> {
        self.principal_classes
            .get(self.identity_of(connector)?.as_str())
            .copied()
    }

    /// Returns the id of the principal that a connector runs as; `None` if it is not visible.
    pub(super) fn identity_of(&self, connector: &ObservedConnector) -> Option<String> {
        match connector.identity.as_ref()? {
            ConnectorIdentity::ServiceAccount(id) => Some(id.clone()),
            ConnectorIdentity::ApiKey(key) => Some(self.key_owner(key)?.id().to_owned()),
            ConnectorIdentity::Other(_) => None,
        }
    }

    /// Returns the department that a connector belongs to: by its name, else by the account that it runs as.
    pub(super) fn department_of(&self, connector: &ObservedConnector) -> Option<&'a ExpectedDepartment> {
        let runs_as = || match self.runs_as(connector) {
            Some(PrincipalClass::DepartmentAccount(member)) => Some(member.department),
            _ => None,
        };
        self.owner(&connector.name).or_else(runs_as)
    }

    /// Returns the principals with access to all departments, sorted by id.
    pub(super) fn privileged(&self) -> impl Iterator<Item = &PrivilegedPrincipal> {
        self.privileged.values()
    }

    /// Returns the principal `id`, if it has access to all departments.
    pub(super) fn find_privileged(&self, id: &str) -> Option<&PrivilegedPrincipal> {
        self.privileged.get(id)
    }

    /// Returns the keys of a principal.
    pub(super) fn keys_of_principal(&self, principal: &Principal) -> &[&'a ObservedKey] {
        self.keys.get(principal.id()).map_or(&[], Vec::as_slice)
    }

    /// Returns why the API keys of a principal are incomplete.
    pub(super) fn missing_keys(&self, principal: &Principal) -> Option<MissingData> {
        match principal.service_account() {
            Some(id) => self.visibility.missing_keys(id, &self.display_name(principal)),
            None => self.visibility.missing(RequiredData::PeopleKeys),
        }
    }

    /// Returns the owner of an API key.
    pub(super) fn key_owner(&self, id: &str) -> Option<&'a Principal> {
        let key = self.observed.keys.iter().find(|key| key.id.as_str() == id);
        key.map(|key| &key.owner)
    }

    /// Returns the connector whose id is part of a group or topic name (`connect-lcc-abc123`).
    pub(super) fn connector_of(&self, name: &NamePattern) -> Option<&'a ObservedConnector> {
        let NamePattern::Literal(name) = name else { return None };
        let id = &name[name.find("lcc-")?..];
        self.observed.connectors.iter().find(|connector| connector.id == id)
    }

    /// Whether a department has a file.
    pub(super) fn is_known(&self, code: &DepartmentCode) -> bool {
        let mut departments = self.desired.departments.iter();
        departments.any(|expected| expected.department.code == *code)
    }

    /// Returns the name and id of a principal for messages.
    pub(super) fn display_name(&self, principal: &Principal) -> String {
        self.account(principal)
            .map_or_else(|| format!("`{}`", principal.id()), account_name)
    }

    /// Returns the bindings that name the account, without those on account prefixes.
    pub(super) fn bindings_on_account(&self, account: &ObservedAccount) -> impl Iterator<Item = &BindingInContext<'a>> {
        let found = self.on_accounts.get(account.id.as_str()).into_iter().flatten();
        found.map(|index| &self.bindings[*index])
    }

    /// Resolves a grant of the member's template.
    pub(super) fn resolve(&self, grant: &RoleGrant, member: &DepartmentAccount<'_>) -> Option<CrnPattern> {
        let prefix = &member.department.department.prefix;
        let account = |persona: &str| {
            let mut own = self
                .department_accounts
                .iter()
                .filter(|other| other.belongs_to(member.department));
            let found = own.find(|other| other.persona.is_some_and(|other| other.tag.persona == persona))?;
            Some(found.account.id.clone())
        };
        grant.on.resolve(&self.observed.address, prefix, account)
    }

    /// Returns the kind of a key; `None` if it is for another stage.
    pub(super) fn key_kind(&self, key: &ObservedKey) -> Option<KeyKind> {
        let address = &self.observed.address;
        let registry = address.schema_registry.as_ref();
        match key.resource.as_str() {
            CLOUD => Some(KeyKind::Cloud),
            id if id == address.cluster.as_str() => Some(KeyKind::Kafka),
            id if registry.is_some_and(|registry| registry.as_str() == id) => Some(KeyKind::SchemaRegistry),
            _ => None,
        }
    }

    /// Returns the keys of an account.
    pub(super) fn keys_of(&self, account: &ObservedAccount) -> &[&'a ObservedKey] {
        self.keys.get(account.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Returns the department whose prefix `stem` begins with.
    pub(super) fn owner(&self, stem: &str) -> Option<&'a ExpectedDepartment> {
        prefixes_of(&self.prefixes, stem).next().map(|(_, expected)| *expected)
    }

    /// Returns the departments whose names `pattern` covers: the one it lies within, or all within the pattern.
    pub(super) fn departments_reached(&self, pattern: &NamePattern) -> Vec<&'a ExpectedDepartment> {
        if let Some(owner) = self.owner(pattern.stem()) {
            return vec![owner];
        }
        let NamePattern::Prefixed(begin) = pattern else {
            return Vec::new();
        };
        let inside = self.prefixes.range(begin.clone()..);
        let inside = inside.take_while(|(prefix, _)| prefix.starts_with(begin.as_str()));
        inside.map(|(_, expected)| *expected).collect()
    }

    /// Returns the bindings held by department accounts, with their holders.
    pub(super) fn department_bindings(&self) -> impl Iterator<Item = (&BindingInContext<'a>, DepartmentAccount<'a>)> {
        self.bindings.iter().filter_map(|held| match held.holder {
            PrincipalClass::DepartmentAccount(member) => Some((held, member)),
            _ => None,
        })
    }

    /// Formats a binding: `X holds ROLE on KIND NAME`.
    pub(super) fn describe_binding(&self, held: &BindingInContext<'_>) -> String {
        let binding = &held.observed.binding;
        let who = self.display_name(&binding.principal);
        format!("{who} holds {} on {}", binding.role, binding.pattern.to_short_string())
    }
}

/// Formats departments: the code of a single one, otherwise their number.
pub(super) fn describe_departments(departments: &[&ExpectedDepartment]) -> String {
    match departments {
        [one] => format!("`{}`", one.department.code),
        more => format!("{} departments", more.len()),
    }
}

/// Formats the name and id of an account.
pub(super) fn account_name(account: &ObservedAccount) -> String {
    format!("`{}` ({})", account.name, account.id)
}
