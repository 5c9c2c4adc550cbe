//! Taking a department's access away, in an order that leaves nothing behind. Pure.
//!
//! Keys first, so that nobody holds a working one while the rest is taken down; then the bindings its accounts hold, the
//! bindings that others hold on its accounts, the ACLs that name its accounts, and the accounts last: the provisioner's
//! ownership of them must last until then (dossier `rbac.md` §5.5). Connectors go before all of this, in a plan of their own.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    acls,
    change::{Action, Change, Operation},
    diff::{Plan, Refusal, Wanted, adopted},
};
use crate::model::{
    AclBinding, Department, Principal, ResourceKind, Role, RoleBinding, RoleBindingId, SeenAccount, SeenBinding,
    Snapshot,
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
    pub accounts: Vec<SeenAccount>,
}

/// Stands for a persona where something is nobody's of the department.
const NOBODY: &str = "-";

/// Compares what is there of `department` with nothing.
#[must_use]
pub fn teardown(wanted: &Wanted<'_>, seen: &Snapshot, department: &Department, removes_foreign: bool) -> Teardown {
    let mut down = Teardown::default();
    let meant = |account: &&SeenAccount| {
        account
            .tag()
            .is_some_and(|tag| tag.department == department.code && tag.stage == wanted.stage)
    };
    let accounts: Vec<&SeenAccount> = seen.accounts.iter().filter(meant).collect();
    for account in &accounts {
        down.plan.refusals.extend(refusal(wanted, seen, department, account));
    }
    if let Some(reason) = seen.unknown.get("API keys") {
        down.plan.refusals.push(Refusal {
            department: department.code.clone(),
            rule: "keys-unknown",
            message: format!("which API keys the department has could not be looked at: {reason}"),
            hints: vec!["Use the provisioner's key: as ResourceOwner of the accounts it sees their keys.".into()],
        });
    }
    down.plan
        .refusals
        .extend(acls_unseen(wanted, seen, department, &accounts));
    let own: BTreeSet<Principal> = accounts
        .iter()
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect();
    down.foreign = foreign(wanted, seen, department, &own);
    down.foreign_acls = foreign_acls(wanted, seen, department, &own);
    if !down.plan.refusals.is_empty() {
        return down;
    }
    for account in &accounts {
        take_down(wanted, seen, department, account, &mut down.plan);
    }
    if removes_foreign {
        for foreign in &down.foreign {
            let operation = Operation::DeleteBinding {
                id: foreign.id.clone(),
                binding: foreign.binding.clone(),
            };
            let what = format!(
                "{}  {}  {}",
                foreign.holder,
                foreign.binding.role,
                foreign.binding.pattern.short()
            );
            let why = "on the department's prefix, held by somebody else";
            down.plan
                .push(change(department, NOBODY, what, why, Vec::new(), operation));
        }
        for ForeignAcl { holder, acl } in &down.foreign_acls {
            let what = format!("{holder}  {}", acls::words(acl));
            let why = "on the department's prefix, about somebody else";
            let operation = Operation::DeleteAcl { acl: acl.clone() };
            down.plan
                .push(change(department, NOBODY, what, why, Vec::new(), operation));
        }
    }
    down.accounts = accounts.into_iter().cloned().collect();
    down
}

/// ACLs that its template asks for may be left, and when the account is gone nobody can tell whose they were.
fn acls_unseen(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    department: &Department,
    accounts: &[&SeenAccount],
) -> Option<Refusal> {
    let mut departments = wanted.departments.iter();
    let desired = departments.find(|desired| desired.department.code == department.code)?;
    let mut refusal = acls::refusal(wanted, seen, desired).filter(|_| !accounts.is_empty())?;
    refusal.hints.push(
        "If it cannot wait, `confluent ebs keys revoke KEY --now --no-replace` takes the department's keys away without it."
            .into(),
    );
    Some(refusal)
}

fn take_down(wanted: &Wanted<'_>, seen: &Snapshot, department: &Department, account: &SeenAccount, plan: &mut Plan) {
    let principal = Principal::ServiceAccount(account.id.clone());
    let persona = account.tag().map_or_else(|| NOBODY.to_owned(), |tag| tag.persona);
    let name = format!("{}-{persona}", department.code);
    let mut keys: Vec<_> = seen.keys_of(&principal).collect();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    let keys: Vec<usize> = keys
        .into_iter()
        .map(|key| {
            let operation = Operation::DeleteKey {
                id: key.id.clone(),
                owner: account.id.clone(),
                keeps: None,
            };
            let what = format!("{} of {name}", key.id);
            let why = "nobody may act for the department any more";
            plan.push(change(department, &persona, what, why, Vec::new(), operation))
        })
        .collect();
    let provisioner = Principal::ServiceAccount(wanted.provisioner.clone());
    let held = seen.bindings_of(&principal);
    let on_it = seen
        .bindings_on_account(&account.id)
        // Its owner's right must last until the account is gone, and goes with it; a wider one is about others, too.
        .filter(|on| on.binding.principal != provisioner && on.binding.principal != principal)
        .filter(|on| on.binding.pattern.literal().is_some());
    let bindings: Vec<&SeenBinding> = held.chain(on_it).collect();
    let mut before = keys.clone();
    let mut seen_ids = BTreeSet::new();
    for binding in bindings {
        // What another of the department's accounts holds on this one is found on both sides.
        let known = plan
            .changes
            .iter()
            .position(|change| matches!(&change.operation, Operation::DeleteBinding { id, .. } if *id == binding.id));
        if let Some(known) = known {
            before.push(known);
            continue;
        }
        if !seen_ids.insert(binding.id.clone()) {
            continue;
        }
        let operation = Operation::DeleteBinding {
            id: binding.id.clone(),
            binding: binding.binding.clone(),
        };
        let what = format!(
            "{}  {}  {}",
            seen.name_of(&binding.binding.principal),
            binding.binding.role,
            binding.binding.pattern.short()
        );
        let why = match binding.binding.principal == principal {
            true => "held by an account of the department",
            false => "held on an account of the department",
        };
        before.push(plan.push(change(department, &persona, what, why, keys.clone(), operation)));
    }
    // The service may leave them when the account is gone, with a number for a name (docs/assumptions.md, G).
    for acl in seen.acls_of(&principal) {
        let what = format!("{name}  {}", acls::words(acl));
        let why = "names an account of the department";
        let operation = Operation::DeleteAcl { acl: acl.clone() };
        before.push(plan.push(change(department, &persona, what, why, keys.clone(), operation)));
    }
    before.sort_unstable();
    before.dedup();
    let operation = Operation::DeleteAccount {
        id: account.id.clone(),
        description: account.description.clone(),
    };
    let what = format!("{} ({})", account.name, account.id);
    let why = "the last of this persona";
    plan.push(change(department, &persona, what, why, before, operation));
}

fn change(
    department: &Department,
    persona: &str,
    what: String,
    why: &str,
    needs: Vec<usize>,
    operation: Operation,
) -> Change {
    Change {
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

/// Why an account that carries our tag is not taken down: it is ours only if the provisioner alone owns it (design §4).
fn refusal(wanted: &Wanted<'_>, seen: &Snapshot, department: &Department, account: &SeenAccount) -> Option<Refusal> {
    if adopted(wanted, account.id.as_str()) {
        return None;
    }
    let name = format!("service account `{}` ({})", account.name, account.id);
    let refuse = |rule, message, hints| {
        Some(Refusal {
            department: department.code.clone(),
            rule,
            message,
            hints,
        })
    };
    if let Some(reason) = seen.unknown.get(&format!("role bindings on {}", account.id)) {
        return refuse(
            "account-owner-unknown",
            format!("who controls {name} could not be looked at: {reason}"),
            vec!["Use a key whose owner is ResourceOwner of the account, then run the command again.".into()],
        );
    }
    let provisioner = Principal::ServiceAccount(wanted.provisioner.clone());
    let owners = seen
        .bindings_on_account(&account.id)
        .filter(|on| on.binding.role == Role::ResourceOwner)
        .map(|on| &on.binding.principal);
    let (ours, others): (Vec<&Principal>, Vec<&Principal>) = owners.partition(|owner| **owner == provisioner);
    let others: BTreeSet<String> = others
        .into_iter()
        .filter(|other| !adopted(wanted, other.id()))
        .map(|other| seen.name_of(other))
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
                seen.name_of(&provisioner)
            ),
            vec![
                "Somebody else made it: look at who created it in the audit log.".into(),
                accept,
            ],
        ),
    }
}

/// The kinds whose names begin with a department's prefix.
pub const NAMED: [ResourceKind; 5] = [
    ResourceKind::Connector,
    ResourceKind::Topic,
    ResourceKind::Group,
    ResourceKind::TransactionalId,
    ResourceKind::Subject,
];

/// Bindings below the prefix that neither the department nor the provisioner holds. One that covers more than the prefix
/// is about others, too, and is not among them: [`reach`](super::reach) finds it.
fn foreign(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    department: &Department,
    own: &BTreeSet<Principal>,
) -> Vec<ForeignBinding> {
    let provisioner = Principal::ServiceAccount(wanted.provisioner.clone());
    let prefix = department.prefix.pattern();
    let below = |binding: &RoleBinding| {
        let kind = binding.pattern.kind();
        NAMED.contains(&kind)
            && wanted
                .address
                .pattern(kind, prefix.clone())
                .is_some_and(|all| all.covers_pattern(&binding.pattern))
    };
    let mut found: Vec<ForeignBinding> = seen
        .bindings
        .iter()
        .filter(|seen| !own.contains(&seen.binding.principal) && seen.binding.principal != provisioner)
        .filter(|seen| below(&seen.binding))
        .map(|on| ForeignBinding {
            id: on.id.clone(),
            holder: seen.name_of(&on.binding.principal),
            binding: on.binding.clone(),
        })
        .collect();
    found.sort_by(|a, b| a.binding.cmp(&b.binding));
    found
}

/// ACLs below the prefix that neither the department nor the provisioner is named in. One that is about more than the
/// prefix is about others, too: [`reach`](super::reach) finds it.
fn foreign_acls(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    department: &Department,
    own: &BTreeSet<Principal>,
) -> Vec<ForeignAcl> {
    let prefix = department.prefix.pattern();
    let found = acls::on_names_of(seen, &department.prefix).filter(|acl| {
        let ours = own.contains(&acl.principal) || acl.principal.service_account() == Some(wanted.provisioner);
        !ours && prefix.covers(&acl.pattern)
    });
    found
        .map(|acl| ForeignAcl {
            holder: acls::whom(seen, acl),
            acl: acl.clone(),
        })
        .collect()
}
