//! Comparison of one department.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    change::{AccountRef, Action, ChangeSubject, PlannedOperation, PlannedPattern},
    departed::{departed_accounts, diff_departed, refuse_departed},
    diff::{
        DepartmentPlan, DepartmentStatus, Plan, PlanInput, PlanRefusal, SurplusGrant, account_ref,
        department_principals, new_change,
    },
    keys::diff_keys,
    kinds::{ComparedPersona, diff_objects, list_unmanaged_objects, refuse_unknown_objects},
    ownership_check,
};
use crate::{
    manifest::{DesiredDepartment, DesiredPersona},
    model::{CrnPattern, GrantTarget, ObservedAccount, Prefix, Principal, ResourceKind, Role, RoleGrant, Snapshot},
    resources::KINDS,
};

/// Compares one department and appends its changes to the plan.
pub(super) fn diff_department(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    plan: &mut Plan,
) {
    let department_principals = department_principals(input, desired, snapshot);
    let departed = departed_accounts(input, snapshot, desired);
    let mut refusals = Vec::new();
    let mut existing = 0;
    for persona in &desired.personas {
        if let Some(account) = snapshot.account_by_name(&persona.account_name) {
            existing += 1;
            refusals.extend(ownership_check::check_ownership(
                input,
                snapshot,
                desired,
                persona,
                account,
                &department_principals,
            ));
        }
    }
    refusals.extend(refuse_prefix_conflicts(
        input,
        snapshot,
        desired,
        &department_principals,
    ));
    refusals.extend(refuse_unknown_objects(input, snapshot, desired));
    refusals.extend(refuse_departed(input, snapshot, desired, &departed));
    plan.unmanaged.extend(list_unmanaged_bindings(
        input,
        snapshot,
        desired,
        &department_principals,
    ));
    plan.unmanaged
        .extend(list_unmanaged_objects(input, snapshot, desired, &department_principals));

    let before = plan.changes.len();
    if refusals.is_empty() {
        let mut accounts = BTreeMap::new();
        // Accounts first: a grant of Assigner refers to the account of another persona.
        for persona in &desired.personas {
            if snapshot.account_by_name(&persona.account_name).is_none() {
                accounts.insert(persona.persona.clone(), create_account(desired, persona, plan));
            }
        }
        for persona in &desired.personas {
            diff_persona(input, snapshot, desired, persona, &accounts, plan);
        }
        diff_departed(input, snapshot, desired, &departed, plan);
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
    plan.push(new_change(
        desired,
        &persona.persona,
        Action::Create,
        persona.account_name.clone(),
        "account of this persona, owned by the provisioner",
        Vec::new(),
        PlannedOperation::CreateAccount {
            tag: persona.tag.clone(),
        },
    ))
}

/// Compares one persona whose account is managed; `created_accounts` are the changes that create accounts in this plan.
pub(super) fn diff_persona(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    created_accounts: &BTreeMap<String, usize>,
    plan: &mut Plan,
) {
    if !persona.left_out.is_empty() {
        let notice = "the environment has no Schema Registry: grants on subjects are skipped";
        plan.notices.push(notice.into());
    }
    let account = snapshot.account_by_name(&persona.account_name);
    let owner_ref = account_ref(snapshot, &persona.account_name);
    let account_creation: Vec<usize> = created_accounts.get(&persona.persona).copied().into_iter().collect();
    let mut grants = diff_bindings(input, snapshot, desired, persona, account, created_accounts, plan);
    let compared = ComparedPersona {
        desired,
        persona,
        account,
        account_creation: &account_creation,
    };
    for kind in KINDS {
        grants.extend(diff_objects(kind, input, snapshot, &compared, plan));
    }

    // The probes of this persona need its account and everything that it is granted.
    let mut proof_needs: Vec<usize> = account_creation.iter().chain(&grants).copied().collect();
    proof_needs.sort_unstable();
    let issued = diff_keys(
        input,
        snapshot,
        desired,
        persona,
        &owner_ref,
        &account_creation,
        &proof_needs,
        plan,
    );

    let Some(account) = account else { return };
    if account.description == persona.tag.to_string() {
        return;
    }
    // The tag changes last: as long as it has the old value, an interrupted run is resumed.
    let mut last = grants;
    let outdated = account
        .tag()
        .is_some_and(|tag| tag.profile_hash != persona.tag.profile_hash);
    if outdated && !persona.keys.is_empty() && !issued {
        last.push(plan.push(new_change(
            desired,
            &persona.persona,
            Action::Update,
            format!("{}-{}", desired.department.code, persona.persona),
            "the content of the profile changed; the key is kept",
            Vec::new(),
            PlannedOperation::Reissue { account: owner_ref },
        )));
    }
    plan.push(new_change(
        desired,
        &persona.persona,
        Action::Update,
        persona.account_name.clone(),
        "template or profile changed",
        last,
        PlannedOperation::UpdateAccount {
            id: account.id.clone(),
            from: account.description.clone(),
            to: persona.tag.to_string(),
        },
    ));
}

/// Returns the pattern of a grant, with a placeholder for an account that apply creates; `None` if the stage has no
/// such resource.
fn planned_pattern(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    target: &GrantTarget,
) -> Option<PlannedPattern> {
    if let GrantTarget::Account(persona) = target {
        let name = &desired
            .personas
            .iter()
            .find(|other| &other.persona == persona)?
            .account_name;
        return Some(match account_ref(snapshot, name) {
            AccountRef::Known(id) => PlannedPattern::Known(input.address.service_account_crn(&id).into()),
            planned @ AccountRef::Planned(_) => PlannedPattern::Account(planned),
        });
    }
    target
        .resolve(input.address, &desired.department.prefix, |_| None)
        .map(PlannedPattern::Known)
}

fn diff_bindings(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: Option<&ObservedAccount>,
    created_accounts: &BTreeMap<String, usize>,
    plan: &mut Plan,
) -> Vec<usize> {
    let code = &desired.department.code;
    let principal = account.map(|account| Principal::ServiceAccount(account.id.clone()));
    let held: Vec<_> = principal
        .iter()
        .flat_map(|principal| snapshot.bindings_of(principal))
        .collect();
    let has = |role: &Role, pattern: &CrnPattern| {
        held.iter()
            .any(|seen| &seen.binding.role == role && &seen.binding.pattern == pattern)
    };
    let mut changes = Vec::new();
    let mut kept: BTreeSet<(Role, CrnPattern)> = BTreeSet::new();
    let mut renewed: BTreeMap<CrnPattern, usize> = BTreeMap::new();
    for RoleGrant {
        role,
        on,
        fallback,
        why,
    } in &persona.grants
    {
        let Some(pattern) = planned_pattern(input, snapshot, desired, on) else {
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
                    "{code}: {fallback} replaces {role} on {}, because the service rejected {role} there",
                    known.to_short_string()
                ));
                continue;
            }
        }
        let mut needs: Vec<usize> = created_accounts.get(&persona.persona).copied().into_iter().collect();
        if let GrantTarget::Account(other) = on {
            needs.extend(created_accounts.get(other));
        }
        let operation = PlannedOperation::CreateBinding {
            principal: account_ref(snapshot, &persona.account_name),
            role: role.clone(),
            fallback: fallback.clone(),
            pattern: pattern.clone(),
        };
        let what = [format!("{code}-{}", persona.persona), role.to_string(), pattern.short()];
        let id = plan.push(new_change(
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
        let what = ChangeSubject::from([
            format!("{code}-{}", persona.persona),
            binding.role.to_string(),
            binding.pattern.to_short_string(),
        ]);
        if !input.prune {
            plan.surplus.push(SurplusGrant {
                department: code.clone(),
                account: persona.account_name.clone(),
                what: what.to_string(),
            });
            continue;
        }
        // The replacement is created first, so that access never lapses.
        let successor = renewed.get(&binding.pattern).copied();
        let action = if successor.is_some() {
            Action::Replace
        } else {
            Action::Delete
        };
        let operation = PlannedOperation::DeleteBinding {
            id: surplus.id.clone(),
            binding: binding.clone(),
        };
        let needs = successor.into_iter().collect();
        let why = "not granted by the template";
        changes.push(plan.push(new_change(
            desired,
            &persona.persona,
            action,
            what,
            why,
            needs,
            operation,
        )));
    }
    changes
}

/// Refuses a changed prefix and a prefix that another department uses.
fn refuse_prefix_conflicts(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    department_principals: &BTreeSet<Principal>,
) -> Vec<PlanRefusal> {
    let prefix = &desired.department.prefix;
    let follows_prefix = |role: &Role, kind: ResourceKind| {
        let grants = desired.personas.iter().flat_map(|persona| &persona.grants);
        grants
            .into_iter()
            .any(|grant| grant.on == GrantTarget::Prefix(kind) && &grant.role == role)
    };
    let mut refusals = BTreeMap::new();
    for NamedBinding { binding, stem } in bindings_by_name(input, snapshot) {
        // Cheap conditions first: every role binding is checked for every department.
        let kind = binding.pattern.kind();
        if department_principals.contains(&binding.principal)
            && stem != prefix.as_str()
            && Prefix::parse(stem).is_ok()
            && follows_prefix(&binding.role, kind)
        {
            let message = format!(
                "its prefix is `{stem}` in the organization but `{prefix}` in its file: a prefix cannot change after \
                 onboarding"
            );
            let hints = vec![
                format!(
                    "Restore `prefix = \"{stem}\"` in `departments/{}.toml`.",
                    desired.department.code
                ),
                "To move to another prefix, add a new department and off-board this one.".to_owned(),
            ];
            refusals.entry("prefix-changed").or_insert((message, hints));
        }
        let overlaps = binding.pattern.name().overlaps(&prefix.pattern());
        let account = binding.principal.service_account().filter(|_| overlaps);
        let other = account
            .and_then(|id| snapshot.account(id))
            .and_then(ObservedAccount::tag);
        if let Some(tag) = other.filter(|tag| tag.department != desired.department.code) {
            let message = format!(
                "its prefix `{prefix}` overlaps {} {} of department `{}`",
                binding.role,
                binding.pattern.to_short_string(),
                tag.department
            );
            let hints = vec!["Choose a prefix that does not overlap the prefix of another department.".to_owned()];
            refusals.entry("prefix-in-use").or_insert((message, hints));
        }
    }
    let department = &desired.department.code;
    let refuse = |(rule, (message, hints))| PlanRefusal {
        department: department.clone(),
        rule,
        message,
        hints,
    };
    refusals.into_iter().map(refuse).collect()
}

/// Lists role bindings on the department's prefix that belong neither to the department nor to the provisioner.
fn list_unmanaged_bindings(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    department_principals: &BTreeSet<Principal>,
) -> Vec<String> {
    let prefix = &desired.department.prefix;
    let code = &desired.department.code;
    let provisioner = Principal::ServiceAccount(input.provisioner.clone());
    let foreign = bindings_by_name(input, snapshot)
        .filter(|on| !department_principals.contains(&on.binding.principal) && on.binding.principal != provisioner)
        .filter(|on| on.binding.pattern.name().overlaps(&prefix.pattern()))
        .map(|NamedBinding { binding, .. }| {
            let who = snapshot.display_name(&binding.principal);
            format!(
                "{code}: {who} holds {} on {}",
                binding.role,
                binding.pattern.to_short_string()
            )
        });
    foreign.collect()
}

struct NamedBinding<'a> {
    binding: &'a crate::model::RoleBinding,
    stem: &'a str,
}

/// Returns the role bindings of this stage on a name or a prefix.
fn bindings_by_name<'a>(input: &'a PlanInput<'_>, snapshot: &'a Snapshot) -> impl Iterator<Item = NamedBinding<'a>> {
    use ResourceKind::{Connector, Group, Subject, Topic, TransactionalId};
    let here = move |pattern: &CrnPattern| match pattern.kind() {
        Connector | Topic | Group | TransactionalId => {
            pattern.value_of(ResourceKind::Cluster) == Some(input.address.cluster.as_str())
        }
        Subject => pattern.value_of(ResourceKind::Environment) == Some(input.address.environment.as_str()),
        _ => false,
    };
    snapshot
        .bindings
        .iter()
        .map(|seen| &seen.binding)
        .filter(move |binding| here(&binding.pattern))
        .map(|binding| NamedBinding {
            binding,
            stem: binding.pattern.name().stem(),
        })
}
