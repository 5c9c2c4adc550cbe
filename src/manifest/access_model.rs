//! Access models built from the files and snapshots: planned access ([`Workspace::planned_access`]) and observed access
//! ([`Workspace::observed_access`]). Offline and pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{DesiredDepartment, DesiredPersona, Workspace, admin::PROVISIONER};
use crate::{
    access::{
        AccessModel, DepartmentPrincipals, Evaluator, GrantOrigin, PersonaAccount, access_model::PLANNED_ID_PREFIX,
    },
    model::{
        AclBinding, AclGrant, Department, Listing, NamePattern, ObservedAccount, ObservedBinding, OrganizationId,
        OwnershipTag, Principal, ResourceKind, Role, RoleBinding, RoleGrant, SchemaRegistryId, ServiceAccountId,
        Snapshot, StageAddress, ownership::account_name,
    },
};

/// Placeholder for an organization that `ebs.toml` does not contain. It does not affect decisions.
const PLACEHOLDER_ORGANIZATION: &str = "unknown";
/// Placeholder for a Schema Registry that `ebs.toml` does not contain.
const PLACEHOLDER_REGISTRY: &str = "lsrc-unknown";

impl Workspace {
    /// Returns the address of `stage` according to `ebs.toml`. Ids that are discovered later are placeholders; a Schema
    /// Registry is assumed to exist.
    pub fn planned_address(&self, stage: &super::Stage) -> Option<StageAddress> {
        let written = self.platform.organization.clone();
        let organization: OrganizationId = written.or_else(|| PLACEHOLDER_ORGANIZATION.parse().ok())?;
        let made_up = || PLACEHOLDER_REGISTRY.parse::<SchemaRegistryId>().ok();
        Some(StageAddress {
            schema_registry: stage.schema_registry.clone().or_else(made_up),
            ..stage.address(&organization)
        })
    }

    /// Returns the access in `stage` at `address` if every department were onboarded and nothing else existed: the
    /// grants of the templates and those of the provisioner.
    pub fn planned_access(&self, stage: &str, address: &StageAddress) -> AccessModel {
        let provisioner = self.platform.provisioner.clone().or_else(|| planned_id(PROVISIONER));
        let mut model = Self::empty_access_model(stage, address, provisioner.as_ref());
        let mut refused = model.evaluator.clone();
        let mut any_fallback = false;
        for department in self.departments_in(stage) {
            let Some(desired) = self.desired_department(department, stage, address) else {
                continue;
            };
            let id_of = |persona: &str| planned_id(&account_name(stage, &department.code, persona));
            let mut principals = BTreeSet::new();
            for persona in &desired.personas {
                let Some(account) = id_of(&persona.persona) else {
                    continue;
                };
                let principal = Principal::ServiceAccount(account.clone());
                model
                    .display_names
                    .insert(principal.clone(), persona.account_name.clone());
                principals.insert(principal.clone());
                model
                    .personas
                    .push(persona_account(&desired, persona, Some(principal.clone())));
                for granted in resolve_grants(&desired, persona, &account, &id_of, None) {
                    any_fallback |= granted.fallback.is_some();
                    let stand_in = granted.fallback.as_ref().unwrap_or(&granted.binding);
                    refused.insert(stand_in.clone());
                    model.evaluator.insert(granted.binding.clone());
                    granted.record(&mut model.origins);
                }
                for (acl, origin) in resolve_acl_grants(&desired, persona, &principal, None) {
                    refused.insert_acl(acl.clone(), address);
                    model.evaluator.insert_acl(acl.clone(), address);
                    model.acl_origins.insert(acl, origin);
                }
                if let Some(provisioner) = &provisioner {
                    let on = address.service_account_crn(&account);
                    let owns = RoleBinding::new(provisioner.clone(), Role::ResourceOwner, on);
                    refused.insert(owns.clone());
                    model.evaluator.insert(owns.clone());
                    model.origins.insert(owns, GrantOrigin::Provisioner { why: OWNS });
                }
            }
            model.departments.push(principals_of(department, principals));
        }
        model.fallback_evaluator = any_fallback.then_some(refused);
        model
    }

    /// Returns the observed access in `stage`, with the persona of each account and the template of each grant.
    pub fn observed_access(&self, stage: &str, snapshot: &Snapshot) -> AccessModel {
        let address = &snapshot.address;
        let mut model = Self::empty_access_model(stage, address, None);
        model.evaluator = Evaluator::new(snapshot.bindings.iter().map(|seen| seen.binding.clone()))
            .with_acls(snapshot.acls.iter().cloned(), address);
        model.unknown.clone_from(&snapshot.unknown);
        model.observer = Some(snapshot.observed_by.clone());
        let names = snapshot
            .accounts
            .iter()
            .map(|account| (Principal::from(account.id.clone()), account.name.clone()));
        model.display_names = names.collect();
        let accounts: HashMap<&str, &ObservedAccount> = snapshot
            .accounts
            .iter()
            .map(|account| (account.name.as_str(), account))
            .collect();
        let owners = AccountOwners::new(snapshot, self);
        for department in self.active_departments() {
            let Some(desired) = self.desired_department(department, stage, address) else {
                continue;
            };
            let found = |persona: &str| {
                let name = account_name(stage, &department.code, persona);
                accounts.get(name.as_str()).copied()
            };
            let id_of = |persona: &str| found(persona).map(|account| account.id.clone());
            for persona in &desired.personas {
                let account = found(&persona.persona);
                let principal = account.map(|account| Principal::from(account.id.clone()));
                model.personas.push(persona_account(&desired, persona, principal));
                let Some(account) = account else { continue };
                let ownership = owners.ownership_of(account, &model);
                for mut granted in resolve_grants(&desired, persona, &account.id, &id_of, Some(account)) {
                    ownership.apply_to_origin(&mut granted.origin);
                    granted.record(&mut model.origins);
                }
                let principal = Principal::from(account.id.clone());
                for (acl, mut origin) in resolve_acl_grants(&desired, persona, &principal, Some(account)) {
                    ownership.apply_to_origin(&mut origin);
                    model.acl_origins.insert(acl, origin);
                }
            }
        }
        if let Some(provisioner) = &owners.provisioner {
            let mut note = |binding, why| drop(model.origins.insert(binding, GrantOrigin::Provisioner { why }));
            for account in snapshot.accounts.iter().filter(|account| account.tag().is_some()) {
                let on = address.service_account_crn(&account.id);
                note(RoleBinding::new(provisioner.clone(), Role::ResourceOwner, on), OWNS);
            }
            let stages = self.platform.stages.values();
            let addresses = stages.map(|stage| stage.address(&address.organization));
            for address in addresses.chain([address.clone()]) {
                for (binding, why) in provisioner_bindings(provisioner, &address) {
                    note(binding, why);
                }
            }
        }
        model.departments = self.department_principals(snapshot);
        model
    }

    /// Returns all departments with the accounts whose name and ownership tag name the department, in any stage.
    pub fn department_principals(&self, snapshot: &Snapshot) -> Vec<DepartmentPrincipals> {
        let mut accounts: BTreeMap<&str, BTreeSet<Principal>> = BTreeMap::new();
        let tags: Vec<(OwnershipTag, Principal)> = snapshot
            .accounts
            .iter()
            .filter_map(|account| Some((account.tag()?, Principal::from(account.id.clone()))))
            .collect();
        for (tag, principal) in &tags {
            accounts
                .entry(tag.department.as_str())
                .or_default()
                .insert(principal.clone());
        }
        self.active_departments()
            .map(|department| {
                principals_of(
                    department,
                    accounts.remove(department.code.as_str()).unwrap_or_default(),
                )
            })
            .collect()
    }

    /// Returns an access model that contains only the provisioner.
    fn empty_access_model(stage: &str, address: &StageAddress, provisioner: Option<&ServiceAccountId>) -> AccessModel {
        let mut model = AccessModel {
            stage: stage.to_owned(),
            address: address.clone(),
            evaluator: Evaluator::default(),
            fallback_evaluator: None,
            departments: Vec::new(),
            personas: Vec::new(),
            display_names: BTreeMap::new(),
            origins: HashMap::new(),
            acl_origins: HashMap::new(),
            unknown: BTreeMap::new(),
            observer: None,
        };
        if let Some(provisioner) = provisioner {
            model
                .display_names
                .insert(provisioner.clone().into(), PROVISIONER.to_owned());
            for (binding, why) in provisioner_bindings(provisioner, address) {
                model.evaluator.insert(binding.clone());
                model.origins.insert(binding, GrantOrigin::Provisioner { why });
            }
        }
        model
    }
}

const OWNS: &str = "owns the accounts that it creates";

/// Returns the role bindings of the provisioner, except those on accounts
/// (docs/reference/rbac.md#roles-of-the-provisioner).
fn provisioner_bindings(provisioner: &ServiceAccountId, address: &StageAddress) -> Vec<(RoleBinding, &'static str)> {
    let all = NamePattern::Prefixed(String::new());
    let cluster = RoleBinding::new(provisioner.clone(), Role::CloudClusterAdmin, address.cluster_crn());
    let subjects = address
        .pattern(ResourceKind::Subject, all)
        .map(|subjects| RoleBinding::new(provisioner.clone(), Role::ResourceOwner, subjects));
    let mut bindings = vec![(cluster, "creates accounts and binds roles on the cluster")];
    bindings.extend(subjects.map(|binding| (binding, "binds roles on subjects")));
    bindings
}

/// Returns the placeholder id of an account that does not exist yet.
fn planned_id(name: &str) -> Option<ServiceAccountId> {
    format!("{PLANNED_ID_PREFIX}{name}").parse().ok()
}

fn persona_account(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    principal: Option<Principal>,
) -> PersonaAccount {
    PersonaAccount {
        department: desired.department.code.clone(),
        template: Some(desired.template.name.clone()),
        prefix: desired.department.prefix.clone(),
        persona: persona.persona.clone(),
        account: persona.account_name.clone(),
        principal,
    }
}

fn principals_of(department: &Department, principals: BTreeSet<Principal>) -> DepartmentPrincipals {
    DepartmentPrincipals {
        code: department.code.clone(),
        prefix: department.prefix.clone(),
        principals,
    }
}

/// A resolved grant of a template.
struct ResolvedGrant {
    /// Binding of the requested role.
    binding: RoleBinding,
    /// Binding of the fallback role.
    fallback: Option<RoleBinding>,
    /// Origin of `binding`.
    origin: GrantOrigin,
}

impl ResolvedGrant {
    fn record(self, origins: &mut HashMap<RoleBinding, GrantOrigin>) {
        if let Some(fallback) = self.fallback {
            let mut origin = self.origin.clone();
            if let GrantOrigin::Template { instead_of, .. } = &mut origin {
                *instead_of = Some(self.binding.role.clone());
            }
            // Keep the origin if another grant requests this role itself.
            origins.entry(fallback).or_insert(origin);
        }
        origins.insert(self.binding, self.origin);
    }
}

/// Resolves the role grants of `persona` for its account.
fn resolve_grants(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ServiceAccountId,
    id_of: &impl Fn(&str) -> Option<ServiceAccountId>,
    seen: Option<&ObservedAccount>,
) -> Vec<ResolvedGrant> {
    let fill = |grant: &RoleGrant| {
        let pattern = grant.on.resolve(&desired.address, &desired.department.prefix, id_of)?;
        let bound = |role: &Role| RoleBinding::new(account.clone(), role.clone(), pattern.clone());
        Some(ResolvedGrant {
            binding: bound(&grant.role),
            fallback: grant.fallback.as_ref().map(bound),
            origin: template_origin(desired, seen, &grant.why),
        })
    };
    persona.grants.iter().filter_map(fill).collect()
}

/// Resolves the ACL grants of `persona` for its account.
fn resolve_acl_grants(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &Principal,
    seen: Option<&ObservedAccount>,
) -> Vec<(AclBinding, GrantOrigin)> {
    let fill = |grant: &AclGrant| {
        let origin = template_origin(desired, seen, &grant.why);
        let acls = grant.acls(account, &desired.department.prefix);
        acls.map(|acl| (acl, origin.clone())).collect::<Vec<_>>()
    };
    persona.acls.iter().flat_map(fill).collect()
}

/// Returns the template as origin, with the template version in the ownership tag of `seen`.
fn template_origin(desired: &DesiredDepartment, seen: Option<&ObservedAccount>, why: &str) -> GrantOrigin {
    let now = &desired.template.hash;
    let tag = seen.and_then(ObservedAccount::tag);
    let hash = tag.map_or_else(|| now.clone(), |tag| tag.template_hash);
    GrantOrigin::Template {
        template: desired.template.name.clone(),
        now: (hash != *now).then(|| now.clone()),
        hash,
        instead_of: None,
        why: why.to_owned(),
        owned_by: Vec::new(),
    }
}

/// Owners of accounts. An account is managed only if the provisioner is its only owner (docs/reference/rbac.md#threats,
/// T4).
struct AccountOwners<'a> {
    observed: &'a Snapshot,
    by_id: HashMap<&'a str, BTreeSet<&'a Principal>>,
    /// Principals that own all accounts with an id prefix.
    by_prefix: Vec<(&'a NamePattern, &'a Principal)>,
    /// Provisioner, if known.
    provisioner: Option<ServiceAccountId>,
    adopted: &'a [String],
}

/// Ownership of an account with an ownership tag.
enum AccountOwnership {
    /// Owned by the provisioner alone, or adopted in `ebs.toml`.
    Managed,
    /// Owned by these principals; one of them may be the provisioner.
    OwnedBy(Vec<String>),
    /// Owned by a foreign principal.
    Impersonating(Vec<String>),
}

impl<'a> AccountOwners<'a> {
    fn new(snapshot: &'a Snapshot, workspace: &'a Workspace) -> Self {
        let mut by_id: HashMap<&str, BTreeSet<&Principal>> = HashMap::new();
        let mut by_begin = Vec::new();
        for ObservedBinding { binding, .. } in &snapshot.bindings {
            // An unknown role may include ownership.
            let owns = matches!(binding.role, Role::ResourceOwner | Role::Other(_));
            if !owns || binding.pattern.kind() != ResourceKind::ServiceAccount {
                continue;
            }
            match binding.pattern.name() {
                NamePattern::Literal(id) => drop(by_id.entry(id).or_default().insert(&binding.principal)),
                begin @ NamePattern::Prefixed(_) => by_begin.push((begin, &binding.principal)),
            }
        }
        let mut owners = Self {
            observed: snapshot,
            by_id,
            by_prefix: by_begin,
            provisioner: workspace.platform.provisioner.clone(),
            adopted: &workspace.platform.adopt,
        };
        if owners.provisioner.is_none() {
            // An observer that owns accounts of departments is the provisioner.
            let me = &snapshot.observed_by;
            let mine = |account: &ObservedAccount| account.tag().is_some() && owners.owners_of(account).contains(me);
            let makes = snapshot.accounts.iter().any(mine);
            owners.provisioner = me.service_account().filter(|_| makes).cloned();
        }
        owners
    }

    fn owners_of(&self, account: &ObservedAccount) -> BTreeSet<&'a Principal> {
        let mut all = self.by_id.get(account.id.as_str()).cloned().unwrap_or_default();
        let covering = self
            .by_prefix
            .iter()
            .filter(|(begin, _)| begin.matches(account.id.as_str()));
        all.extend(covering.map(|(_, principal)| *principal));
        all
    }

    fn ownership_of(&self, account: &ObservedAccount, model: &AccessModel) -> AccountOwnership {
        let all = self.owners_of(account);
        let provisioner = self.provisioner.clone().map(Principal::from);
        let names = || -> Vec<String> {
            let others = all.iter().filter(|owner| Some(**owner) != provisioner.as_ref());
            others.map(|owner| model.display_name(owner)).collect()
        };
        if self.adopted.iter().any(|id| id == account.id.as_str()) {
            return AccountOwnership::Managed;
        }
        let of_department = |owner: &&Principal| {
            let account = owner.service_account().and_then(|id| self.observed.account(id));
            account.is_some_and(|account| account.tag().is_some())
        };
        let on = self.observed.address.service_account_crn(&account.id).into();
        let hidden = self
            .observed
            .unknown_reason(&Listing::AccountBindings(account.id.clone()))
            .is_some()
            || !model.is_access_visible(&on);
        match &provisioner {
            _ if account.tag().is_none() => AccountOwnership::Impersonating(names()),
            Some(provisioner) if all.len() == 1 && all.contains(provisioner) => AccountOwnership::Managed,
            None if !all.is_empty() && !all.iter().any(of_department) => AccountOwnership::OwnedBy(names()),
            _ if hidden && all.is_empty() => AccountOwnership::OwnedBy(vec!["an unknown principal".to_owned()]),
            _ => AccountOwnership::Impersonating(names()),
        }
    }
}

impl AccountOwnership {
    fn apply_to_origin(&self, origin: &mut GrantOrigin) {
        let GrantOrigin::Template { template, owned_by, .. } = origin else {
            return;
        };
        match self {
            Self::Managed => {}
            Self::OwnedBy(owners) => owned_by.clone_from(owners),
            Self::Impersonating(owners) => {
                *origin = GrantOrigin::Impersonating {
                    template: std::mem::take(template),
                    owned_by: owners.clone(),
                };
            }
        }
    }
}
