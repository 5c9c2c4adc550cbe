//! Taking a department's access away, in an order that leaves nothing behind. Pure.
//!
//! Keys first, so that nobody holds a working one while the rest is taken down; then the bindings its accounts hold,
//! the bindings that others hold on its accounts, the ACLs that name its accounts, and the accounts last: the
//! provisioner's ownership of them must last until then (docs/reference/rbac.md#deletion-order). Connectors go before
//! all of this, in a plan of their own.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    acls,
    change::{Action, PlannedChange, PlannedOperation},
    diff::{Plan, PlanInput, PlanRefusal, is_adopted},
};
use crate::model::{
    AclBinding, Department, ObservedAccount, ObservedBinding, Principal, ResourceKind, Role, RoleBinding,
    RoleBindingId, Snapshot,
};

/// A binding on the department's prefix that is not the department's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForeignBinding {
    /// Its id.
    pub id: RoleBindingId,
    /// Who holds it.
    pub holder: String,
    /// What it is.
    #[serde(flatten)]
    pub binding: RoleBinding,
}

/// An ACL on the department's prefix that is about somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForeignAcl {
    /// Whom it is about.
    pub holder: String,
    /// What it is.
    #[serde(flatten)]
    pub acl: AclBinding,
}

/// What is to be taken away.
#[derive(Debug, Default, Serialize)]
pub struct Teardown {
    /// The changes, and what is in the way.
    #[serde(flatten)]
    pub plan: Plan,
    /// Bindings of others below the prefix; among the changes only when they were asked for.
    pub foreign: Vec<ForeignBinding>,
    /// ACLs about others below the prefix; among the changes only when they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foreign_acls: Vec<ForeignAcl>,
    /// The accounts that go.
    pub accounts: Vec<ObservedAccount>,
}

/// Stands for a persona where something is nobody's of the department.
const NO_PERSONA: &str = "-";

/// Compares what is there of `department` with nothing.
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
    if let Some(reason) = snapshot.unknown.get("API keys") {
        teardown.plan.refusals.push(PlanRefusal {
            department: department.code.clone(),
            rule: "keys-unknown",
            message: format!("which API keys the department has could not be looked at: {reason}"),
            hints: vec!["Use the provisioner's key: as ResourceOwner of the accounts it sees their keys.".into()],
        });
    }
    teardown
        .plan
        .refusals
        .extend(refuse_unreadable_acls(input, snapshot, department, &accounts));
    let department_principals: BTreeSet<Principal> = accounts
        .iter()
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect();
    teardown.foreign = list_foreign_bindings(input, snapshot, department, &department_principals);
    teardown.foreign_acls = list_foreign_acls(input, snapshot, department, &department_principals);
    if !teardown.plan.refusals.is_empty() {
        return teardown;
    }
    for account in &accounts {
        push_account_teardown(input, snapshot, department, account, &mut teardown.plan);
    }
    if removes_foreign {
        for foreign in &teardown.foreign {
            let operation = PlannedOperation::DeleteBinding {
                id: foreign.id.clone(),
                binding: foreign.binding.clone(),
            };
            let what = format!(
                "{}  {}  {}",
                foreign.holder,
                foreign.binding.role,
                foreign.binding.pattern.to_short_string()
            );
            let why = "on the department's prefix, held by somebody else";
            teardown
                .plan
                .push(new_deletion(department, NO_PERSONA, what, why, Vec::new(), operation));
        }
        for ForeignAcl { holder, acl } in &teardown.foreign_acls {
            let what = format!("{holder}  {}", acls::describe_acl(acl));
            let why = "on the department's prefix, about somebody else";
            let operation = PlannedOperation::DeleteAcl { acl: acl.clone() };
            teardown
                .plan
                .push(new_deletion(department, NO_PERSONA, what, why, Vec::new(), operation));
        }
    }
    teardown.accounts = accounts.into_iter().cloned().collect();
    teardown
}

/// ACLs that its template asks for may be left, and when the account is gone nobody can tell whose they were.
fn refuse_unreadable_acls(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    accounts: &[&ObservedAccount],
) -> Option<PlanRefusal> {
    let mut departments = input.departments.iter();
    let desired = departments.find(|desired| desired.department.code == department.code)?;
    let mut refusal = acls::refuse_unreadable_acls(input, snapshot, desired).filter(|_| !accounts.is_empty())?;
    refusal.hints.push(
        "If it cannot wait, `confluent ebs keys revoke KEY --now --no-replace` takes the department's keys away without it."
            .into(),
    );
    Some(refusal)
}

fn push_account_teardown(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    account: &ObservedAccount,
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
            let why = "nobody may act for the department any more";
            plan.push(new_deletion(department, &persona, what, why, Vec::new(), operation))
        })
        .collect();
    let provisioner = Principal::ServiceAccount(input.provisioner.clone());
    let held = snapshot.bindings_of(&principal);
    let on_it = snapshot
        .bindings_on_account(&account.id)
        // Its owner's right must last until the account is gone, and goes with it; a wider one is about others, too.
        .filter(|on| on.binding.principal != provisioner && on.binding.principal != principal)
        .filter(|on| on.binding.pattern.literal().is_some());
    let bindings: Vec<&ObservedBinding> = held.chain(on_it).collect();
    let mut before = keys.clone();
    let mut seen_ids = BTreeSet::new();
    for binding in bindings {
        // What another of the department's accounts holds on this one is found on both sides.
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
        let what = format!(
            "{}  {}  {}",
            snapshot.display_name(&binding.binding.principal),
            binding.binding.role,
            binding.binding.pattern.to_short_string()
        );
        let why = match binding.binding.principal == principal {
            true => "held by an account of the department",
            false => "held on an account of the department",
        };
        before.push(plan.push(new_deletion(department, &persona, what, why, keys.clone(), operation)));
    }
    // The service may leave them when the account is gone, with a number for a name (docs/assumptions.md, G).
    for acl in snapshot.acls_of(&principal) {
        let what = format!("{name}  {}", acls::describe_acl(acl));
        let why = "names an account of the department";
        let operation = PlannedOperation::DeleteAcl { acl: acl.clone() };
        before.push(plan.push(new_deletion(department, &persona, what, why, keys.clone(), operation)));
    }
    before.sort_unstable();
    before.dedup();
    let operation = PlannedOperation::DeleteAccount {
        id: account.id.clone(),
        description: account.description.clone(),
    };
    let what = format!("{} ({})", account.name, account.id);
    let why = "the last of this persona";
    plan.push(new_deletion(department, &persona, what, why, before, operation));
}

fn new_deletion(
    department: &Department,
    persona: &str,
    what: String,
    why: &str,
    needs: Vec<usize>,
    operation: PlannedOperation,
) -> PlannedChange {
    PlannedChange {
        id: 0,
        department: department.code.clone(),
        persona: persona.to_owned(),
        action: Action::Delete,
        what,
        why: why.to_owned(),
        needs,
        operation,
    }
}

/// Why an account that carries our tag is not taken down: it is ours only if the provisioner alone owns it.
fn refuse_unowned_account(
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
    if let Some(reason) = snapshot.unknown.get(&format!("role bindings on {}", account.id)) {
        return refuse(
            "account-owner-unknown",
            format!("who controls {name} could not be looked at: {reason}"),
            vec!["Use a key whose owner is ResourceOwner of the account, then run the command again.".into()],
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
        "Accept it by name with `adopt = [\"{}\"]` in ebs.toml if it is yours.",
        account.id
    );
    match (ours.is_empty(), others.is_empty()) {
        (false, true) => None,
        (_, false) => refuse(
            "account-controlled-by-others",
            format!(
                "{name} carries our tag but is owned by somebody else: {}",
                others.into_iter().collect::<Vec<_>>().join(", ")
            ),
            vec!["Find out who made it before anything is removed.".into(), accept],
        ),
        (true, true) => refuse(
            "account-not-owned",
            format!(
                "{name} carries our tag, but {} is not seen as its ResourceOwner",
                snapshot.display_name(&provisioner)
            ),
            vec![
                "Somebody else made it: look at who created it in the audit log.".into(),
                accept,
            ],
        ),
    }
}

/// The kinds whose names begin with a department's prefix.
pub const PREFIXED_KINDS: [ResourceKind; 5] = [
    ResourceKind::Connector,
    ResourceKind::Topic,
    ResourceKind::Group,
    ResourceKind::TransactionalId,
    ResourceKind::Subject,
];

/// Bindings below the prefix that neither the department nor the provisioner holds. One that covers more than the prefix
/// is about others, too, and is not among them: [`reach`](super::reach) finds it.
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

/// ACLs below the prefix that neither the department nor the provisioner is named in. One that is about more than the
/// prefix is about others, too: [`reach`](super::reach) finds it.
fn list_foreign_acls(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &Department,
    department_principals: &BTreeSet<Principal>,
) -> Vec<ForeignAcl> {
    let prefix = department.prefix.pattern();
    let found = acls::acls_on_prefix(snapshot, &department.prefix).filter(|acl| {
        let ours = department_principals.contains(&acl.principal)
            || acl.principal.service_account() == Some(input.provisioner);
        !ours && prefix.covers(&acl.pattern)
    });
    found
        .map(|acl| ForeignAcl {
            holder: acls::acl_holder(snapshot, acl),
            acl: acl.clone(),
        })
        .collect()
}
