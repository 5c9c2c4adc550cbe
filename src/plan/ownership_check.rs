//! Whether an account that carries our name is really ours.
//!
//! Whoever may create service accounts can write our tag and our name (docs/reference/rbac.md#threats, T4), and an
//! account adopted by mistake would hand him the next department. So the tag says only which account was *meant*; it is
//! ours when the provisioner is the only principal that controls it and every key on it is one we made.

use std::collections::BTreeSet;

use super::diff::{PlanInput, PlanRefusal, is_adopted, is_adopted_key};
use crate::{
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ObservedAccount, ObservedKey, Principal, Role, Snapshot, listing},
    resources::api_key::ApiKeyStatus,
};

/// What stands against treating `account` as ours; empty when nothing does.
pub(super) fn check_ownership(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ObservedAccount,
    department_principals: &BTreeSet<Principal>,
) -> Vec<PlanRefusal> {
    let refuse = |rule, message: String, hints: Vec<String>| PlanRefusal {
        department: desired.department.code.clone(),
        rule,
        message,
        hints,
    };
    let name = format!("service account `{}` ({})", account.name, account.id);
    if is_adopted(input, account.id.as_str()) {
        return check_keys(input, snapshot, desired, persona, account);
    }
    let meant = account.tag().is_some_and(|tag| {
        tag.stage == persona.tag.stage && tag.department == persona.tag.department && tag.persona == persona.tag.persona
    });
    if !meant {
        return vec![refuse(
            "account-name-taken",
            format!("{name} already exists and does not carry this department's tag"),
            vec![
                "Find out who made it; rename or remove it, then run the command again.".into(),
                format!(
                    "Accept it by name with `adopt = [\"{}\"]` in ebs.toml if it is yours.",
                    account.id
                ),
            ],
        )];
    }
    if let Some(reason) = snapshot.unknown.get(&listing::bindings_on_account(&account.id)) {
        return vec![refuse(
            "account-owner-unknown",
            format!("who controls {name} could not be looked at: {reason}"),
            vec!["Use a key whose owner is ResourceOwner of the account, then run the command again.".into()],
        )];
    }
    let provisioner = Principal::ServiceAccount(input.provisioner.clone());
    let bindings: Vec<_> = snapshot
        .bindings_on_account(&account.id)
        .map(|seen| &seen.binding)
        .collect();
    let owned = bindings
        .iter()
        .any(|binding| binding.principal == provisioner && binding.role == Role::ResourceOwner);
    // Its own personas may use the runtime account (Assigner); everybody else who holds any role on it can use it as
    // the identity of a connector at least, and an owner can mint keys for it.
    let other_controllers: BTreeSet<String> = bindings
        .iter()
        .filter(|binding| binding.principal != provisioner)
        .filter(|binding| !(binding.role == Role::Assigner && department_principals.contains(&binding.principal)))
        .filter(|binding| !is_adopted(input, binding.principal.id()))
        .map(|binding| format!("{} holds {}", snapshot.display_name(&binding.principal), binding.role))
        .collect();
    let mut refusals = Vec::new();
    if !other_controllers.is_empty() {
        let who = other_controllers.into_iter().collect::<Vec<_>>().join(", ");
        refusals.push(refuse(
            "account-controlled-by-others",
            format!("{name} carries our tag but is controlled by somebody else: {who}"),
            vec![
                "Do not hand anything over: whoever controls the account controls what it will be allowed to do."
                    .into(),
                format!(
                    "Remove the account (`confluent iam service-account delete {}`) or those roles.",
                    account.id
                ),
            ],
        ));
    } else if !owned {
        let young = account.created_at.is_some_and(|made| input.known_keys.is_recent(made));
        let wait = "It was made moments ago: if an interrupted run of yours made it, wait a minute and run the command \
                    again.";
        let mut hints = match input.known_keys.accounts.contains(&account.id) {
            true => vec![format!(
                "An earlier run made it, and the service did not make {} its owner: an organization \
                 administrator can grant it ResourceOwner on {}.",
                input.provisioner,
                input.address.service_account_crn(&account.id)
            )],
            false => vec![
                "Somebody else made it: look at who created it in the audit log before you trust it.".into(),
                format!(
                    "Remove it (`confluent iam service-account delete {}`), then run the command again.",
                    account.id
                ),
            ],
        };
        hints.extend(young.then(|| wait.to_owned()));
        refusals.push(refuse(
            "account-not-owned",
            format!(
                "{name} carries our tag, but {} is not seen as its ResourceOwner",
                snapshot.display_name(&provisioner)
            ),
            hints,
        ));
    }
    refusals.extend(check_keys(input, snapshot, desired, persona, account));
    refusals
}

fn check_keys(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ObservedAccount,
) -> Vec<PlanRefusal> {
    if let Some(reason) = snapshot.unknown.get(listing::KEYS) {
        // Unknown is not absent: somebody's key may be on the account, and ours may be there already.
        return vec![PlanRefusal {
            department: desired.department.code.clone(),
            rule: "keys-unknown",
            message: format!(
                "which API keys are on service account `{}` ({}) could not be looked at: {reason}",
                persona.account_name, account.id
            ),
            hints: vec![
                "Use the provisioner's key: as ResourceOwner of the account it sees the account's keys.".into(),
            ],
        }];
    }
    let principal = Principal::ServiceAccount(account.id.clone());
    let unvouched = |key: &&ObservedKey| {
        input.known_keys.classify(key) == ApiKeyStatus::Unrecorded && !is_adopted_key(input, &key.id)
    };
    snapshot
        .keys_of(&principal)
        .filter(unvouched)
        .map(|key| PlanRefusal {
            department: desired.department.code.clone(),
            rule: "key-unrecorded",
            message: format!(
                "API key `{}` on service account `{}` ({}) was made by nobody we know of: neither the journal nor an \
                 evidence file vouches for it",
                key.id, persona.account_name, account.id
            ),
            hints: vec![
                format!(
                    "Revoke it with `confluent api-key delete {}`, then run the command again.",
                    key.id
                ),
                "If another machine made it, run the command with that machine's evidence folder (`--evidence-dir`)."
                    .into(),
                format!(
                    "Accept it by name with `adopt = [\"{}\"]` in ebs.toml if you know who holds it.",
                    key.id
                ),
            ],
        })
        .collect()
}
