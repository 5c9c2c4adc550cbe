//! Teardown: removal of all access of a department, in an order that leaves nothing behind. Pure.
//!
//! Keys are deleted first, so that no key works during the rest of the teardown. Then come role bindings of the
//! department's accounts, role bindings of others on these accounts, ACLs and other objects of the accounts, and
//! finally the accounts: the provisioner must own them until then (docs/reference/rbac.md#deletion-order). Connectors
//! are deleted before all of this with a plan of their own.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    change::{Action, ChangeSubject, ObjectOperation, PlannedChange, PlannedOperation},
    diff::{Plan, PlanInput, PlanRefusal, is_adopted},
    kinds::{ForeignObject, ForeignObjects, list_foreign_objects, object_subject, refuse_unknown_objects},
};
use crate::{
    model::{
        Department, Listing, ObservedAccount, ObservedBinding, Principal, ResourceKind, Role, RoleBinding,
        RoleBindingId, Snapshot,
    },
    resources::KINDS,
};

/// Role binding on the department's prefix that belongs to another principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForeignBinding {
    /// Role binding id.
    pub id: RoleBindingId,
    /// Principal, for display.
    pub holder: String,
    /// The role binding.
    #[serde(flatten)]
    pub binding: RoleBinding,
}

/// Plan to remove a department's access.
#[derive(Debug, Default, Serialize)]
pub struct Teardown {
    /// Changes and refusals.
    #[serde(flatten)]
    pub plan: Plan,
    /// Role bindings of other principals below the prefix; deleted only on request.
    pub foreign: Vec<ForeignBinding>,
    /// Objects of other principals below the prefix; deleted only on request.
    #[serde(flatten)]
    pub foreign_objects: ForeignObjects,
    /// Accounts to delete.
    pub accounts: Vec<ObservedAccount>,
}

/// Persona of a change that belongs to no persona of the department.
const NO_PERSONA: &str = "-";

/// Plans to delete every object of `department`.
#[must_use]
pub fn plan_teardown(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    removes_foreign: bool,
) -> Teardown {
    let mut teardown = Teardown::default();
    let meant = |account: &&ObservedAccount| {
        account
            .tag()
            .is_some_and(|tag| tag.department == department.code && tag.stage == input.stage)
    };
    let accounts: Vec<&ObservedAccount> = snapshot.accounts.iter().filter(meant).collect();
    for account in &accounts {
        teardown
            .plan
            .refusals
            .extend(refuse_unowned_account(input, snapshot, department, account));
    }
    if let Some(reason) = snapshot.unknown_reason(&Listing::ApiKeys) {
        teardown.plan.refusals.push(PlanRefusal {
            department: department.code.clone(),
            rule: "keys-unknown",
            message: format!("the API keys of the department could not be listed: {reason}"),
            hints: vec!["Use the provisioner's key: a ResourceOwner of the accounts can list their keys.".into()],
        });
    }
    teardown
        .plan
        .refusals
        .extend(refuse_unknown_remains(input, snapshot, department, &accounts));
    let department_principals: BTreeSet<Principal> = accounts
        .iter()
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect();
    teardown.foreign = list_foreign_bindings(input, snapshot, department, &department_principals);
    teardown.foreign_objects = list_foreign_objects(input, snapshot, &department.prefix, &department_principals);
    if !teardown.plan.refusals.is_empty() {
        return teardown;
    }
    for account in &accounts {
        let why = "access of the department ends";
        push_account_teardown(input, snapshot, department, account, why, &mut teardown.plan);
    }
    if removes_foreign {
        for foreign in &teardown.foreign {
            let operation = PlannedOperation::DeleteBinding {
                id: foreign.id.clone(),
                binding: foreign.binding.clone(),
            };
            let what = [
                foreign.holder.clone(),
                foreign.binding.role.to_string(),
                foreign.binding.pattern.to_short_string(),
            ];
            let why = "on the department's prefix, granted to another principal";
            teardown
                .plan
                .push(new_deletion(department, NO_PERSONA, what, why, Vec::new(), operation));
        }
        for ForeignObject { holder, object } in &teardown.foreign_objects.0 {
            let what = object_subject(holder.clone(), object);
            let why = "on the department's prefix, granted to another principal";
            let operation = PlannedOperation::Object(ObjectOperation::Delete { object: object.clone() });
            teardown
                .plan
                .push(new_deletion(department, NO_PERSONA, what, why, Vec::new(), operation));
        }
    }
    teardown.accounts = accounts.into_iter().cloned().collect();
    teardown
}

/// Refuses a teardown while desired objects of a kind are unknown: they might remain, and their owner would be unknown
/// once the account is deleted.
fn refuse_unknown_remains(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    accounts: &[&ObservedAccount],
) -> Vec<PlanRefusal> {
    let mut departments = input.departments.iter();
    let desired = departments.find(|desired| desired.department.code == department.code);
    let desired = desired.filter(|_| !accounts.is_empty()).into_iter();
    let mut refusals: Vec<_> = desired
        .flat_map(|desired| refuse_unknown_objects(input, snapshot, desired))
        .collect();
    for refusal in &mut refusals {
        refusal.hints.push(
            "If it is urgent, revoke the department's keys only: `confluent ebs keys revoke KEY --now --no-replace`."
                .into(),
        );
    }
    refusals
}

/// Appends the removal of an account with everything that it holds; `why` is the reason for the deletion of its keys.
pub(super) fn push_account_teardown(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    account: &ObservedAccount,
    why: &str,
    plan: &mut Plan,
) {
    let principal = Principal::ServiceAccount(account.id.clone());
    let persona = account.tag().map_or_else(|| NO_PERSONA.to_owned(), |tag| tag.persona);
    let name = format!("{}-{persona}", department.code);
    let mut keys: Vec<_> = snapshot.keys_of(&principal).collect();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    let keys: Vec<usize> = keys
        .into_iter()
        .map(|key| {
            let operation = PlannedOperation::DeleteKey {
                id: key.id.clone(),
                owner: account.id.clone(),
                keeps: None,
            };
            let what = format!("{} of {name}", key.id);
            plan.push(new_deletion(department, &persona, what, why, Vec::new(), operation))
        })
        .collect();
    let provisioner = Principal::ServiceAccount(input.provisioner.clone());
    let held = snapshot.bindings_of(&principal);
    let on_it = snapshot
        .bindings_on_account(&account.id)
        // The owner's role must last until the account is deleted and is deleted with it. A binding on a wider scope
        // covers other objects.
        .filter(|on| on.binding.principal != provisioner && on.binding.principal != principal)
        .filter(|on| on.binding.pattern.literal().is_some());
    let bindings: Vec<&ObservedBinding> = held.chain(on_it).collect();
    let mut before = keys.clone();
    let mut seen_ids = BTreeSet::new();
    for binding in bindings {
        // A role binding of one of the department's accounts on another appears for both accounts.
        let known = plan.changes.iter().position(
            |change| matches!(&change.operation, PlannedOperation::DeleteBinding { id, .. } if *id == binding.id),
        );
        if let Some(known) = known {
            before.push(known);
            continue;
        }
        if !seen_ids.insert(binding.id.clone()) {
            continue;
        }
        let operation = PlannedOperation::DeleteBinding {
            id: binding.id.clone(),
            binding: binding.binding.clone(),
        };
        let what = [
            snapshot.display_name(&binding.binding.principal),
            binding.binding.role.to_string(),
            binding.binding.pattern.to_short_string(),
        ];
        let why = match binding.binding.principal == principal {
            true => "granted to an account of the department",
            false => "granted on an account of the department",
        };
        before.push(plan.push(new_deletion(department, &persona, what, why, keys.clone(), operation)));
    }
    // The service may keep objects of a deleted account, such as ACLs under a numeric principal (docs/assumptions.md, G).
    for object in KINDS.iter().flat_map(|kind| kind.held_by(snapshot, &principal)) {
        let what = object_subject(name.clone(), &object);
        let why = "granted to an account of the department";
        let operation = PlannedOperation::Object(ObjectOperation::Delete { object });
        before.push(plan.push(new_deletion(department, &persona, what, why, keys.clone(), operation)));
    }
    before.sort_unstable();
    before.dedup();
    let operation = PlannedOperation::DeleteAccount {
        id: account.id.clone(),
        description: account.description.clone(),
    };
    let what = format!("{} ({})", account.name, account.id);
    let why = "last object of this persona";
    plan.push(new_deletion(department, &persona, what, why, before, operation));
}

fn new_deletion(
    department: &Department,
    persona: &str,
    what: impl Into<ChangeSubject>,
    why: &str,
    needs: Vec<usize>,
    operation: PlannedOperation,
) -> PlannedChange {
    PlannedChange {
        id: 0,
        department: department.code.clone(),
        persona: persona.to_owned(),
        action: Action::Delete,
        what: what.into(),
        why: why.to_owned(),
        needs,
        operation,
    }
}

/// Refuses to delete an account with our tag unless the provisioner is its only owner.
pub(super) fn refuse_unowned_account(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    account: &ObservedAccount,
) -> Option<PlanRefusal> {
    if is_adopted(input, account.id.as_str()) {
        return None;
    }
    let name = format!("service account `{}` ({})", account.name, account.id);
    let refuse = |rule, message, hints| {
        Some(PlanRefusal {
            department: department.code.clone(),
            rule,
            message,
            hints,
        })
    };
    if let Some(reason) = snapshot.unknown_reason(&Listing::AccountBindings(account.id.clone())) {
        return refuse(
            "account-owner-unknown",
            format!("the role bindings on {name} could not be listed: {reason}"),
            vec!["Use a key whose owner is ResourceOwner of the account, then re-run the command.".into()],
        );
    }
    let provisioner = Principal::ServiceAccount(input.provisioner.clone());
    let owners = snapshot
        .bindings_on_account(&account.id)
        .filter(|on| on.binding.role == Role::ResourceOwner)
        .map(|on| &on.binding.principal);
    let (ours, others): (Vec<&Principal>, Vec<&Principal>) = owners.partition(|owner| **owner == provisioner);
    let others: BTreeSet<String> = others
        .into_iter()
        .filter(|other| !is_adopted(input, other.id()))
        .map(|other| snapshot.display_name(other))
        .collect();
    let accept = format!(
        "If it is yours, adopt it with `adopt = [\"{}\"]` in `ebs.toml`.",
        account.id
    );
    match (ours.is_empty(), others.is_empty()) {
        (false, true) => None,
        (_, false) => refuse(
            "account-controlled-by-others",
            format!(
                "{name} has our ownership tag but other principals own it: {}",
                others.into_iter().collect::<Vec<_>>().join(", ")
            ),
            vec!["Find out who created it before you delete anything.".into(), accept],
        ),
        (true, true) => refuse(
            "account-not-owned",
            format!(
                "{name} has our ownership tag, but {} is not its ResourceOwner",
                snapshot.display_name(&provisioner)
            ),
            vec![
                "Another principal created it: find its creator in the audit log.".into(),
                accept,
            ],
        ),
    }
}

/// Resource kinds whose names begin with a department's prefix.
pub const PREFIXED_KINDS: [ResourceKind; 5] = [
    ResourceKind::Connector,
    ResourceKind::Topic,
    ResourceKind::Group,
    ResourceKind::TransactionalId,
    ResourceKind::Subject,
];

/// Lists role bindings below the prefix that belong neither to the department nor to the provisioner. A binding that
/// covers more than the prefix is excluded; [`find_residual_access`](super::find_residual_access) reports it.
fn list_foreign_bindings(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    department_principals: &BTreeSet<Principal>,
) -> Vec<ForeignBinding> {
    let provisioner = Principal::ServiceAccount(input.provisioner.clone());
    let prefix = department.prefix.pattern();
    let below = |binding: &RoleBinding| {
        let kind = binding.pattern.kind();
        PREFIXED_KINDS.contains(&kind)
            && input
                .address
                .pattern(kind, prefix.clone())
                .is_some_and(|all| all.covers_pattern(&binding.pattern))
    };
    let mut found: Vec<ForeignBinding> = snapshot
        .bindings
        .iter()
        .filter(|seen| {
            !department_principals.contains(&seen.binding.principal) && seen.binding.principal != provisioner
        })
        .filter(|seen| below(&seen.binding))
        .map(|on| ForeignBinding {
            id: on.id.clone(),
            holder: snapshot.display_name(&on.binding.principal),
            binding: on.binding.clone(),
        })
        .collect();
    found.sort_by(|a, b| a.binding.cmp(&b.binding));
    found
}
