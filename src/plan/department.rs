//! The part of the comparison that looks at one department.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    acls,
    change::{AccountRef, Action, Operation, PlannedPattern},
    control,
    diff::{
        DepartmentPlan, DepartmentStatus, Plan, Refusal, Surplus, Wanted, account_ref, adopted_key, change,
        own_principals,
    },
};
use crate::{
    api::keys::CLOUD,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{
        ApiKeyId, CrnPattern, Grant, GrantTarget, KeyKind, Prefix, Principal, ResourceKind, Role, SeenAccount, SeenKey,
        Snapshot,
    },
    resources::api_key::KeyClaim,
};

/// Compares one department and appends to the plan what is to be done for it.
pub(super) fn compare(wanted: &Wanted<'_>, seen: &Snapshot, desired: &DesiredDepartment, plan: &mut Plan) {
    let own = own_principals(desired, seen);
    let mut refusals = Vec::new();
    let mut existing = 0;
    for persona in &desired.personas {
        if let Some(account) = seen.account_named(&persona.account_name) {
            existing += 1;
            refusals.extend(control::refusals(wanted, seen, desired, persona, account, &own));
        }
    }
    refusals.extend(prefix_refusals(wanted, seen, desired, &own));
    refusals.extend(acls::refusal(wanted, seen, desired));
    plan.unmanaged.extend(unmanaged(wanted, seen, desired, &own));
    plan.unmanaged.extend(acls::unmanaged(wanted, seen, desired, &own));

    let before = plan.changes.len();
    if refusals.is_empty() {
        let mut accounts = BTreeMap::new();
        // Accounts of all personas first: an Assigner grant of one refers to another.
        for persona in &desired.personas {
            if seen.account_named(&persona.account_name).is_none() {
                accounts.insert(persona.persona.clone(), create_account(desired, persona, plan));
            }
        }
        for persona in &desired.personas {
            compare_persona(wanted, seen, desired, persona, &accounts, plan);
        }
    }
    let status = match (refusals.is_empty(), plan.changes.len() > before, existing) {
        (false, _, _) => DepartmentStatus::Refused,
        (true, true, 0) => DepartmentStatus::New,
        (true, true, _) => DepartmentStatus::Changed,
        (true, false, _) => DepartmentStatus::Complete,
    };
    plan.refusals.extend(refusals);
    plan.departments.push(DepartmentPlan {
        code: desired.department.code.clone(),
        name: desired.department.name.clone(),
        prefix: desired.department.prefix.to_string(),
        template: desired.template.name.clone(),
        status,
    });
}

fn create_account(desired: &DesiredDepartment, persona: &DesiredPersona, plan: &mut Plan) -> usize {
    plan.push(change(
        desired,
        &persona.persona,
        Action::Create,
        persona.account_name.clone(),
        "identity of this persona, owned by the provisioner",
        Vec::new(),
        Operation::CreateAccount {
            tag: persona.tag.clone(),
        },
    ))
}

/// Compares one persona whose account may be trusted; `made` are the accounts that this plan makes.
pub(super) fn compare_persona(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    made: &BTreeMap<String, usize>,
    plan: &mut Plan,
) {
    if !persona.left_out.is_empty() {
        let notice = "the environment has no Schema Registry: grants on subjects are left out";
        plan.notices.push(notice.into());
    }
    let account = seen.account_named(&persona.account_name);
    let me = account_ref(seen, &persona.account_name);
    let born: Vec<usize> = made.get(&persona.persona).copied().into_iter().collect();
    let mut bindings = compare_bindings(wanted, seen, desired, persona, account, made, plan);
    bindings.extend(acls::compare(wanted, seen, desired, persona, account, &born, plan));

    // What a proof of this persona depends on: its own bindings and ACLs, and its birth.
    let mut proof_needs: Vec<usize> = born.iter().chain(&bindings).copied().collect();
    proof_needs.sort_unstable();
    let issued = compare_keys(wanted, seen, desired, persona, &me, &born, &proof_needs, plan);

    let Some(account) = account else { return };
    if account.description == persona.tag.to_string() {
        return;
    }
    // The tag is changed last: while it still says the old thing, an interrupted run is taken up again.
    let mut last = bindings;
    let outdated = account
        .tag()
        .is_some_and(|tag| tag.profile_hash != persona.tag.profile_hash);
    if outdated && !persona.keys.is_empty() && !issued {
        last.push(plan.push(change(
            desired,
            &persona.persona,
            Action::Update,
            format!("{}-{}", desired.department.code, persona.persona),
            "what the profile says has changed; the key stays as it is",
            Vec::new(),
            Operation::Reissue { account: me },
        )));
    }
    plan.push(change(
        desired,
        &persona.persona,
        Action::Update,
        persona.account_name.clone(),
        "template or profile changed",
        last,
        Operation::UpdateAccount {
            id: account.id.clone(),
            from: account.description.clone(),
            to: persona.tag.to_string(),
        },
    ));
}

/// The pattern of a grant, as far as it is known before apply; `None` when this stage has no place for it.
fn planned(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    target: &GrantTarget,
) -> Option<PlannedPattern> {
    if let GrantTarget::Account(persona) = target {
        let name = &desired
            .personas
            .iter()
            .find(|other| &other.persona == persona)?
            .account_name;
        return Some(match account_ref(seen, name) {
            AccountRef::Known(id) => PlannedPattern::Known(wanted.address.service_account_crn(&id).into()),
            planned @ AccountRef::Planned(_) => PlannedPattern::Account(planned),
        });
    }
    target
        .resolve(wanted.address, &desired.department.prefix, |_| None)
        .map(PlannedPattern::Known)
}

fn compare_bindings(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: Option<&SeenAccount>,
    made: &BTreeMap<String, usize>,
    plan: &mut Plan,
) -> Vec<usize> {
    let code = &desired.department.code;
    let principal = account.map(|account| Principal::ServiceAccount(account.id.clone()));
    let held: Vec<_> = principal
        .iter()
        .flat_map(|principal| seen.bindings_of(principal))
        .collect();
    let has = |role: &Role, pattern: &CrnPattern| {
        held.iter()
            .any(|seen| &seen.binding.role == role && &seen.binding.pattern == pattern)
    };
    let mut changes = Vec::new();
    let mut kept: BTreeSet<(Role, CrnPattern)> = BTreeSet::new();
    let mut renewed: BTreeMap<CrnPattern, usize> = BTreeMap::new();
    for Grant {
        role,
        on,
        fallback,
        why,
    } in &persona.grants
    {
        let Some(pattern) = planned(wanted, seen, desired, on) else {
            continue;
        };
        if let PlannedPattern::Known(known) = &pattern {
            kept.insert((role.clone(), known.clone()));
            if has(role, known) {
                continue;
            }
            if let Some(fallback) = fallback.as_ref().filter(|fallback| has(fallback, known)) {
                kept.insert((fallback.clone(), known.clone()));
                plan.notices.push(format!(
                    "{code}: {fallback} stands in for {role} on {}, which the service refused there",
                    known.short()
                ));
                continue;
            }
        }
        let mut needs: Vec<usize> = made.get(&persona.persona).copied().into_iter().collect();
        if let GrantTarget::Account(other) = on {
            needs.extend(made.get(other));
        }
        let operation = Operation::CreateBinding {
            principal: account_ref(seen, &persona.account_name),
            role: role.clone(),
            fallback: fallback.clone(),
            pattern: pattern.clone(),
        };
        let what = format!("{}-{}  {role}  {}", code, persona.persona, pattern.short());
        let id = plan.push(change(
            desired,
            &persona.persona,
            Action::Create,
            what,
            why.clone(),
            needs,
            operation,
        ));
        if let PlannedPattern::Known(known) = pattern {
            renewed.insert(known, id);
        }
        changes.push(id);
    }

    for surplus in held {
        let binding = &surplus.binding;
        if kept.contains(&(binding.role.clone(), binding.pattern.clone())) {
            continue;
        }
        let what = format!(
            "{}-{}  {}  {}",
            code,
            persona.persona,
            binding.role,
            binding.pattern.short()
        );
        if !wanted.prune {
            plan.surplus.push(Surplus {
                department: code.clone(),
                account: persona.account_name.clone(),
                what,
            });
            continue;
        }
        // Never a moment without access: what takes its place is made first.
        let successor = renewed.get(&binding.pattern).copied();
        let action = if successor.is_some() {
            Action::Replace
        } else {
            Action::Delete
        };
        let operation = Operation::DeleteBinding {
            id: surplus.id.clone(),
            binding: binding.clone(),
        };
        let needs = successor.into_iter().collect();
        let why = "the template does not ask for it";
        changes.push(plan.push(change(desired, &persona.persona, action, what, why, needs, operation)));
    }
    changes
}

pub(super) fn opens(key: &SeenKey, kind: KeyKind, wanted: &Wanted<'_>) -> bool {
    match kind {
        KeyKind::Cloud => key.resource == CLOUD,
        KeyKind::Kafka => key.resource == wanted.address.cluster.as_str(),
        KeyKind::SchemaRegistry => wanted
            .address
            .schema_registry
            .as_ref()
            .is_some_and(|registry| key.resource == registry.as_str()),
    }
}

/// What the keys of one kind on an account are to us.
#[derive(Default)]
struct Held {
    /// Somebody holds a key.
    held: bool,
    /// A key whose secret waits on the disk for its proof.
    waiting: Option<ApiKeyId>,
    /// The changes that remove keys nobody holds.
    cleared: Vec<usize>,
}

fn held_keys(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    kind: KeyKind,
    me: &AccountRef,
    plan: &mut Plan,
) -> Held {
    let mut found = Held::default();
    let AccountRef::Known(id) = me else { return found };
    let principal = Principal::ServiceAccount(id.clone());
    for key in seen.keys_of(&principal).filter(|key| opens(key, kind, wanted)) {
        match wanted.ledger.claim(key) {
            KeyClaim::Held => found.held = true,
            KeyClaim::Unvouched => found.held |= adopted_key(wanted, &key.id),
            KeyClaim::Waiting => found.waiting = Some(key.id.clone()),
            KeyClaim::Orphan => {
                let operation = Operation::DeleteKey {
                    id: key.id.clone(),
                    owner: id.clone(),
                    keeps: None,
                };
                let why = "an interrupted run made it, and nobody holds its secret";
                let what = format!("{} of {}-{}", key.id, desired.department.code, persona.persona);
                let delete = change(
                    desired,
                    &persona.persona,
                    Action::Delete,
                    what,
                    why,
                    Vec::new(),
                    operation,
                );
                found.cleared.push(plan.push(delete));
            }
        }
    }
    found
}

/// Appends what is to be done for the keys of a persona; answers whether a profile with keys will be handed over.
#[expect(
    clippy::too_many_arguments,
    reason = "all of it is needed, and all of it is borrowed"
)]
fn compare_keys(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    me: &AccountRef,
    born: &[usize],
    proof_needs: &[usize],
    plan: &mut Plan,
) -> bool {
    let what = format!("{}-{}", desired.department.code, persona.persona);
    let mut proofs = Vec::new();
    let mut before: Option<usize> = None;
    for &kind in &persona.keys {
        let Held { held, waiting, cleared } = held_keys(wanted, seen, desired, persona, kind, me, plan);
        if held {
            continue;
        }
        let mut needs = proof_needs.to_vec();
        if waiting.is_none() {
            let operation = Operation::CreateKey {
                owner: me.clone(),
                kind,
            };
            let why = match kind {
                KeyKind::Cloud => "Cloud key: the control plane, with the rights of this account",
                KeyKind::Kafka => "key of the Kafka cluster",
                KeyKind::SchemaRegistry => "key of the Schema Registry",
            };
            // One after the other: they share a file.
            let first = born.iter().copied().chain(cleared).chain(before).collect();
            let create = change(
                desired,
                &persona.persona,
                Action::Create,
                what.clone(),
                why,
                first,
                operation,
            );
            let create = plan.push(create);
            before = Some(create);
            needs.push(create);
        }
        let prove = Operation::Prove {
            account: me.clone(),
            kind,
            key: waiting,
        };
        let why = "what it can and cannot do";
        let prove = change(
            desired,
            &persona.persona,
            Action::Create,
            what.clone(),
            why,
            needs,
            prove,
        );
        proofs.push(plan.push(prove));
    }
    if proofs.is_empty() {
        return false;
    }
    let hand = Operation::HandOver {
        account: me.clone(),
        // A profile of an account that was there before holds a key that is gone; one of a new account is somebody's.
        beside: matches!(me, AccountRef::Known(_)),
    };
    let why = "only what was proved is handed over";
    plan.push(change(
        desired,
        &persona.persona,
        Action::Create,
        what,
        why,
        proofs,
        hand,
    ));
    true
}

/// A prefix never changes, and no other department of ours may already live on it.
fn prefix_refusals(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    own: &BTreeSet<Principal>,
) -> Vec<Refusal> {
    let prefix = &desired.department.prefix;
    let follows_prefix = |role: &Role, kind: ResourceKind| {
        let grants = desired.personas.iter().flat_map(|persona| &persona.grants);
        grants
            .into_iter()
            .any(|grant| grant.on == GrantTarget::Prefix(kind) && &grant.role == role)
    };
    let mut refusals = BTreeMap::new();
    for SeenOn { binding, stem } in bindings_by_name(wanted, seen) {
        // The cheap questions come first: every binding is looked at for every department.
        let kind = binding.pattern.kind();
        if own.contains(&binding.principal)
            && stem != prefix.as_str()
            && Prefix::parse(stem).is_ok()
            && follows_prefix(&binding.role, kind)
        {
            let message = format!(
                "its prefix is `{stem}` in the organization and `{prefix}` in its file: a prefix never changes after \
                 onboarding"
            );
            let hints = vec![
                format!(
                    "Set `prefix = \"{stem}\"` in departments/{}.toml again.",
                    desired.department.code
                ),
                "To move to another prefix, add a new department and off-board this one.".to_owned(),
            ];
            refusals.entry("prefix-changed").or_insert((message, hints));
        }
        let overlaps = binding.pattern.name().overlaps(&prefix.pattern());
        let account = binding.principal.service_account().filter(|_| overlaps);
        let other = account.and_then(|id| seen.account(id)).and_then(SeenAccount::tag);
        if let Some(tag) = other.filter(|tag| tag.department != desired.department.code) {
            let message = format!(
                "its prefix `{prefix}` overlaps {} {} of department {}",
                binding.role,
                binding.pattern.short(),
                tag.department
            );
            let hints = vec!["Choose a prefix that no name of another department can begin with.".to_owned()];
            refusals.entry("prefix-in-use").or_insert((message, hints));
        }
    }
    let department = &desired.department.code;
    let refuse = |(rule, (message, hints))| Refusal {
        department: department.clone(),
        rule,
        message,
        hints,
    };
    refusals.into_iter().map(refuse).collect()
}

/// Everything on the department's prefix that is neither ours nor the department's.
fn unmanaged(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    own: &BTreeSet<Principal>,
) -> Vec<String> {
    let prefix = &desired.department.prefix;
    let code = &desired.department.code;
    let provisioner = Principal::ServiceAccount(wanted.provisioner.clone());
    let foreign = bindings_by_name(wanted, seen)
        .filter(|on| !own.contains(&on.binding.principal) && on.binding.principal != provisioner)
        .filter(|on| on.binding.pattern.name().overlaps(&prefix.pattern()))
        .map(|SeenOn { binding, .. }| {
            let who = seen.name_of(&binding.principal);
            format!("{code}: {who} holds {} on {}", binding.role, binding.pattern.short())
        });
    foreign.collect()
}

struct SeenOn<'a> {
    binding: &'a crate::model::RoleBinding,
    stem: &'a str,
}

/// The bindings of this stage that are granted by name or by the beginning of names.
fn bindings_by_name<'a>(wanted: &'a Wanted<'_>, seen: &'a Snapshot) -> impl Iterator<Item = SeenOn<'a>> {
    use ResourceKind::{Connector, Group, Subject, Topic, TransactionalId};
    let here = move |pattern: &CrnPattern| match pattern.kind() {
        Connector | Topic | Group | TransactionalId => {
            pattern.value_of(ResourceKind::Cluster) == Some(wanted.address.cluster.as_str())
        }
        Subject => pattern.value_of(ResourceKind::Environment) == Some(wanted.address.environment.as_str()),
        _ => false,
    };
    seen.bindings
        .iter()
        .map(|seen| &seen.binding)
        .filter(move |binding| here(&binding.pattern))
        .map(|binding| SeenOn {
            binding,
            stem: binding.pattern.name().stem(),
        })
}
