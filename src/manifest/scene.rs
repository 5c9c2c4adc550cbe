//! The files as the ground of questions about access: what they would give ([`Workspace::planned`]), and what they know
//! about what was seen ([`Workspace::recognize`]). Offline, and pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{DesiredDepartment, DesiredPersona, Workspace, admin::PROVISIONER};
use crate::{
    access::{Evaluator, Member, Origin, Party, Scene, scene::PLANNED},
    model::{
        AclBinding, AclGrant, Address, Department, Grant, NamePattern, OrganizationId, OwnershipTag, Principal,
        ResourceKind, Role, RoleBinding, SchemaRegistryId, SeenAccount, SeenBinding, ServiceAccountId, Snapshot,
        hidden, ownership::account_name,
    },
};

/// Stands for what is discovered and is not written in `ebs.toml`. No answer depends on it.
const UNWRITTEN: &str = "unknown";
/// The same for a Schema Registry.
const UNWRITTEN_REGISTRY: &str = "lsrc-unknown";

impl Workspace {
    /// The address of `stage` as far as `ebs.toml` says it. What it leaves to be discovered is made up; a Schema Registry
    /// is taken for there.
    pub fn planned_address(&self, stage: &super::Stage) -> Option<Address> {
        let written = self.platform.organization.clone();
        let organization: OrganizationId = written.or_else(|| UNWRITTEN.parse().ok())?;
        let made_up = || UNWRITTEN_REGISTRY.parse::<SchemaRegistryId>().ok();
        Some(Address {
            schema_registry: stage.schema_registry.clone().or_else(made_up),
            ..stage.address(&organization)
        })
    }

    /// What the files would give in `stage`, which lives at `address`, if every department were onboarded and nothing
    /// else were there: the grants of the templates, and what the provisioner holds.
    pub fn planned(&self, stage: &str, address: &Address) -> Scene {
        let provisioner = self.platform.provisioner.clone().or_else(|| planned_id(PROVISIONER));
        let mut scene = Self::empty(stage, address, provisioner.as_ref());
        let mut refused = scene.evaluator.clone();
        let mut any_fallback = false;
        for department in self.active_departments() {
            let Some(desired) = self.desired(department, stage, address) else {
                continue;
            };
            let id_of = |persona: &str| planned_id(&account_name(stage, &department.code, persona));
            let mut principals = BTreeSet::new();
            for persona in &desired.personas {
                let Some(account) = id_of(&persona.persona) else {
                    continue;
                };
                let principal = Principal::ServiceAccount(account.clone());
                scene.names.insert(principal.clone(), persona.account_name.clone());
                principals.insert(principal.clone());
                scene.members.push(member(&desired, persona, Some(principal.clone())));
                for granted in granted(&desired, persona, &account, &id_of, None) {
                    any_fallback |= granted.fallback.is_some();
                    let stand_in = granted.fallback.as_ref().unwrap_or(&granted.binding);
                    refused.insert(stand_in.clone());
                    scene.evaluator.insert(granted.binding.clone());
                    granted.note(&mut scene.origins);
                }
                for (acl, origin) in granted_acls(&desired, persona, &principal, None) {
                    refused.insert_acl(acl.clone(), address);
                    scene.evaluator.insert_acl(acl.clone(), address);
                    scene.acl_origins.insert(acl, origin);
                }
                if let Some(provisioner) = &provisioner {
                    let on = address.service_account_crn(&account);
                    let owns = RoleBinding::new(provisioner.clone(), Role::ResourceOwner, on);
                    refused.insert(owns.clone());
                    scene.evaluator.insert(owns.clone());
                    scene.origins.insert(owns, Origin::Provisioner { why: OWNS });
                }
            }
            scene.parties.push(party(department, principals));
        }
        scene.fallback = any_fallback.then_some(refused);
        scene
    }

    /// What was seen in `stage`, with all that the files know about it: which account is which persona, and which binding
    /// comes from which template.
    pub fn recognize(&self, stage: &str, seen: &Snapshot) -> Scene {
        let address = &seen.address;
        let mut scene = Self::empty(stage, address, None);
        scene.evaluator = Evaluator::new(seen.bindings.iter().map(|seen| seen.binding.clone()))
            .with_acls(seen.acls.iter().cloned(), address);
        scene.unseen.clone_from(&seen.unknown);
        scene.looker = Some(seen.seen_by.clone());
        let names = seen
            .accounts
            .iter()
            .map(|account| (Principal::from(account.id.clone()), account.name.clone()));
        scene.names = names.collect();
        let accounts: HashMap<&str, &SeenAccount> = seen
            .accounts
            .iter()
            .map(|account| (account.name.as_str(), account))
            .collect();
        let owners = Owners::of(seen, self);
        for department in self.active_departments() {
            let Some(desired) = self.desired(department, stage, address) else {
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
                scene.members.push(member(&desired, persona, principal));
                let Some(account) = account else { continue };
                let vouching = owners.vouching(account, &scene);
                for mut granted in granted(&desired, persona, &account.id, &id_of, Some(account)) {
                    vouching.judge(&mut granted.origin);
                    granted.note(&mut scene.origins);
                }
                let principal = Principal::from(account.id.clone());
                for (acl, mut origin) in granted_acls(&desired, persona, &principal, Some(account)) {
                    vouching.judge(&mut origin);
                    scene.acl_origins.insert(acl, origin);
                }
            }
        }
        if let Some(provisioner) = &owners.provisioner {
            let mut note = |binding, why| drop(scene.origins.insert(binding, Origin::Provisioner { why }));
            for account in seen.accounts.iter().filter(|account| account.tag().is_some()) {
                let on = address.service_account_crn(&account.id);
                note(RoleBinding::new(provisioner.clone(), Role::ResourceOwner, on), OWNS);
            }
            let stages = self.platform.stages.values();
            let addresses = stages.map(|stage| stage.address(&address.organization));
            for address in addresses.chain([address.clone()]) {
                for (binding, why) in provisioners(provisioner, &address) {
                    note(binding, why);
                }
            }
        }
        scene.parties = self.parties(seen);
        scene
    }

    /// The departments, each with every account whose name and description say that it is of it, in any stage: all of
    /// them act for it.
    pub fn parties(&self, seen: &Snapshot) -> Vec<Party> {
        let mut accounts: BTreeMap<&str, BTreeSet<Principal>> = BTreeMap::new();
        let tags: Vec<(OwnershipTag, Principal)> = seen
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
                party(
                    department,
                    accounts.remove(department.code.as_str()).unwrap_or_default(),
                )
            })
            .collect()
    }

    /// A scene with the provisioner in it, and nobody else.
    fn empty(stage: &str, address: &Address, provisioner: Option<&ServiceAccountId>) -> Scene {
        let mut scene = Scene {
            stage: stage.to_owned(),
            address: address.clone(),
            evaluator: Evaluator::default(),
            fallback: None,
            parties: Vec::new(),
            members: Vec::new(),
            names: BTreeMap::new(),
            origins: HashMap::new(),
            acl_origins: HashMap::new(),
            unseen: BTreeMap::new(),
            looker: None,
        };
        if let Some(provisioner) = provisioner {
            scene.names.insert(provisioner.clone().into(), PROVISIONER.to_owned());
            for (binding, why) in provisioners(provisioner, address) {
                scene.evaluator.insert(binding.clone());
                scene.origins.insert(binding, Origin::Provisioner { why });
            }
        }
        scene
    }
}

const OWNS: &str = "owns the accounts that it makes";

/// What the provisioner holds besides its accounts (dossier `rbac.md` §8.6).
fn provisioners(provisioner: &ServiceAccountId, address: &Address) -> Vec<(RoleBinding, &'static str)> {
    let all = NamePattern::Prefixed(String::new());
    let cluster = RoleBinding::new(provisioner.clone(), Role::CloudClusterAdmin, address.cluster_crn());
    let subjects = address
        .pattern(ResourceKind::Subject, all)
        .map(|subjects| RoleBinding::new(provisioner.clone(), Role::ResourceOwner, subjects));
    let mut bindings = vec![(cluster, "makes accounts, and gives roles on the cluster")];
    bindings.extend(subjects.map(|binding| (binding, "gives roles on subjects")));
    bindings
}

/// An id for an account that is still to be made.
fn planned_id(name: &str) -> Option<ServiceAccountId> {
    format!("{PLANNED}{name}").parse().ok()
}

fn member(desired: &DesiredDepartment, persona: &DesiredPersona, principal: Option<Principal>) -> Member {
    Member {
        department: desired.department.code.clone(),
        template: Some(desired.template.name.clone()),
        prefix: desired.department.prefix.clone(),
        persona: persona.persona.clone(),
        account: persona.account_name.clone(),
        principal,
    }
}

fn party(department: &Department, principals: BTreeSet<Principal>) -> Party {
    Party {
        code: department.code.clone(),
        prefix: department.prefix.clone(),
        principals,
    }
}

/// One grant of a template, filled in.
struct Granted {
    /// With the role that it asks for.
    binding: RoleBinding,
    /// With the role that is asked for when the service refuses the first.
    fallback: Option<RoleBinding>,
    /// Where `binding` comes from.
    origin: Origin,
}

impl Granted {
    fn note(self, origins: &mut HashMap<RoleBinding, Origin>) {
        if let Some(fallback) = self.fallback {
            let mut origin = self.origin.clone();
            if let Origin::Template { instead_of, .. } = &mut origin {
                *instead_of = Some(self.binding.role.clone());
            }
            // Another grant may ask for just this.
            origins.entry(fallback).or_insert(origin);
        }
        origins.insert(self.binding, self.origin);
    }
}

/// What the template grants `persona`, which acts as `account`.
fn granted(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ServiceAccountId,
    id_of: &impl Fn(&str) -> Option<ServiceAccountId>,
    seen: Option<&SeenAccount>,
) -> Vec<Granted> {
    let fill = |grant: &Grant| {
        let pattern = grant.on.resolve(&desired.address, &desired.department.prefix, id_of)?;
        let bound = |role: &Role| RoleBinding::new(account.clone(), role.clone(), pattern.clone());
        Some(Granted {
            binding: bound(&grant.role),
            fallback: grant.fallback.as_ref().map(bound),
            origin: of_template(desired, seen, &grant.why),
        })
    };
    persona.grants.iter().filter_map(fill).collect()
}

/// The ACLs that the template gives `persona`, which acts as `account`.
fn granted_acls(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &Principal,
    seen: Option<&SeenAccount>,
) -> Vec<(AclBinding, Origin)> {
    let fill = |grant: &AclGrant| {
        let origin = of_template(desired, seen, &grant.why);
        let acls = grant.acls(account, &desired.department.prefix);
        acls.map(|acl| (acl, origin.clone())).collect::<Vec<_>>()
    };
    persona.acls.iter().flat_map(fill).collect()
}

/// That a template gives something, in the version that `seen` was last brought up to date with.
fn of_template(desired: &DesiredDepartment, seen: Option<&SeenAccount>, why: &str) -> Origin {
    let now = &desired.template.hash;
    let tag = seen.and_then(SeenAccount::tag);
    let hash = tag.map_or_else(|| now.clone(), |tag| tag.template_hash);
    Origin::Template {
        template: desired.template.name.clone(),
        now: (hash != *now).then(|| now.clone()),
        hash,
        instead_of: None,
        why: why.to_owned(),
        owned_by: Vec::new(),
    }
}

/// Who owns which account: an account is the provisioner's work only if nobody else owns it (dossier `rbac.md` T4).
struct Owners<'a> {
    seen: &'a Snapshot,
    by_id: HashMap<&'a str, BTreeSet<&'a Principal>>,
    /// Whoever owns every account whose id begins so.
    by_begin: Vec<(&'a NamePattern, &'a Principal)>,
    /// Who onboards, as far as it is known.
    provisioner: Option<ServiceAccountId>,
    adopted: &'a [String],
}

/// What stands behind an account that says it is a department's.
enum Vouching {
    /// The provisioner alone owns it, or `ebs.toml` adopts it.
    Ours,
    /// It is not known whether these are the provisioner.
    OwnedBy(Vec<String>),
    /// Somebody else made or took it.
    Foreign(Vec<String>),
}

impl<'a> Owners<'a> {
    fn of(seen: &'a Snapshot, workspace: &'a Workspace) -> Self {
        let mut by_id: HashMap<&str, BTreeSet<&Principal>> = HashMap::new();
        let mut by_begin = Vec::new();
        for SeenBinding { binding, .. } in &seen.bindings {
            // A role that nobody knows may be an owner's.
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
            seen,
            by_id,
            by_begin,
            provisioner: workspace.platform.provisioner.clone(),
            adopted: &workspace.platform.adopt,
        };
        if owners.provisioner.is_none() {
            // Whoever looks is the provisioner if it owns accounts of departments.
            let me = &seen.seen_by;
            let mine = |account: &SeenAccount| account.tag().is_some() && owners.all(account).contains(me);
            let makes = seen.accounts.iter().any(mine);
            owners.provisioner = me.service_account().filter(|_| makes).cloned();
        }
        owners
    }

    fn all(&self, account: &SeenAccount) -> BTreeSet<&'a Principal> {
        let mut all = self.by_id.get(account.id.as_str()).cloned().unwrap_or_default();
        let covering = self
            .by_begin
            .iter()
            .filter(|(begin, _)| begin.matches(account.id.as_str()));
        all.extend(covering.map(|(_, principal)| *principal));
        all
    }

    fn vouching(&self, account: &SeenAccount, scene: &Scene) -> Vouching {
        let all = self.all(account);
        let provisioner = self.provisioner.clone().map(Principal::from);
        let names = || -> Vec<String> {
            let others = all.iter().filter(|owner| Some(**owner) != provisioner.as_ref());
            others.map(|owner| scene.name_of(owner)).collect()
        };
        if self.adopted.iter().any(|id| id == account.id.as_str()) {
            return Vouching::Ours;
        }
        let of_department = |owner: &&Principal| {
            let account = owner.service_account().and_then(|id| self.seen.account(id));
            account.is_some_and(|account| account.tag().is_some())
        };
        let on = self.seen.address.service_account_crn(&account.id).into();
        let hidden = self.seen.unknown.contains_key(&hidden::account(&account.id)) || !scene.may_look(&on);
        match &provisioner {
            _ if account.tag().is_none() => Vouching::Foreign(names()),
            Some(provisioner) if all.len() == 1 && all.contains(provisioner) => Vouching::Ours,
            None if !all.is_empty() && !all.iter().any(of_department) => Vouching::OwnedBy(names()),
            _ if hidden && all.is_empty() => Vouching::OwnedBy(vec!["somebody who is not to be seen".to_owned()]),
            _ => Vouching::Foreign(names()),
        }
    }
}

impl Vouching {
    fn judge(&self, origin: &mut Origin) {
        let Origin::Template { template, owned_by, .. } = origin else {
            return;
        };
        match self {
            Self::Ours => {}
            Self::OwnedBy(owners) => owned_by.clone_from(owners),
            Self::Foreign(owners) => {
                *origin = Origin::Claimed {
                    template: std::mem::take(template),
                    owned_by: owners.clone(),
                };
            }
        }
    }
}
