//! Check that an account with our name and tag is a managed account.
//!
//! Anyone who may create service accounts can copy our tag and name (docs/reference/rbac.md#threats, T4), and would get
//! the roles of the next department if such an account were adopted. Therefore the tag only states which account was
//! intended. An account is managed if the provisioner is the only principal that controls it and all its keys are
//! recorded.

use std::collections::BTreeSet;

use super::diff::{PlanInput, PlanRefusal, is_adopted, is_adopted_key};
use crate::{
    manifest::{DesiredDepartment, DesiredPersona},
    model::{DepartmentCode, Listing, ObservedAccount, ObservedKey, Principal, Role, Snapshot},
    resources::api_key::ApiKeyStatus,
    text::capitalize,
};

/// Returns the reasons why `account` is not a managed account; empty if it is.
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
        return check_keys(input, snapshot, &desired.department.code, account);
    }
    let meant = account.tag().is_some_and(|tag| {
        tag.stage == persona.tag.stage && tag.department == persona.tag.department && tag.persona == persona.tag.persona
    });
    if !meant {
        return vec![refuse(
            "account-name-taken",
            format!("{name} already exists without this department's tag"),
            vec![
                format!(
                    "Find out who created it and rename it, or {}",
                    snapshot.removal_advice(account)
                ),
                format!(
                    "If it is yours, adopt it with `adopt = [\"{}\"]` in `ebs.toml`.",
                    account.id
                ),
            ],
        )];
    }
    if let Some(reason) = snapshot.unknown_reason(&Listing::AccountBindings(account.id.clone())) {
        return vec![refuse(
            "account-owner-unknown",
            format!("the role bindings on {name} could not be listed: {reason}"),
            vec!["Use a key whose owner is ResourceOwner of the account, then re-run the command.".into()],
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
    // Personas of the department may use the runtime account (Assigner). Any other principal with a role on the account
    // can at least run connectors as it, and an owner can create keys for it.
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
            format!("{name} has our ownership tag but other principals control it: {who}"),
            vec![
                "Do not hand over any key of this account: its controllers get every role that it gets.".into(),
                "Delete those role bindings.".into(),
                capitalize(&snapshot.removal_advice(account)),
            ],
        ));
    } else if !owned {
        let young = account.created_at.is_some_and(|made| input.known_keys.is_recent(made));
        let wait = "The account is new: if an interrupted run of yours created it, wait 1 min and re-run the command.";
        let mut hints = match input.known_keys.accounts.contains(&account.id) {
            true => vec![format!(
                "An earlier run created it, but the service did not make `{}` its owner: let an organization \
                 administrator grant ResourceOwner on `{}`.",
                input.provisioner,
                input.address.service_account_crn(&account.id)
            )],
            false => vec![
                "Another principal created it: find its creator in the audit log before you trust it.".into(),
                capitalize(&snapshot.removal_advice(account)),
            ],
        };
        hints.extend(young.then(|| wait.to_owned()));
        refusals.push(refuse(
            "account-not-owned",
            format!(
                "{name} has our ownership tag, but {} is not its ResourceOwner",
                snapshot.display_name(&provisioner)
            ),
            hints,
        ));
    }
    refusals.extend(check_keys(input, snapshot, &desired.department.code, account));
    refusals
}

/// Refuses an account whose API keys are unknown or unrecorded.
pub(super) fn check_keys(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    department: &DepartmentCode,
    account: &ObservedAccount,
) -> Vec<PlanRefusal> {
    if let Some(reason) = snapshot.unknown_reason(&Listing::ApiKeys) {
        // Unknown is not absent: recorded and unrecorded keys may exist.
        return vec![PlanRefusal {
            department: department.clone(),
            rule: "keys-unknown",
            message: format!(
                "the API keys of service account `{}` ({}) could not be listed: {reason}",
                account.name, account.id
            ),
            hints: vec!["Use the provisioner's key: a ResourceOwner of the account can list its keys.".into()],
        }];
    }
    let principal = Principal::ServiceAccount(account.id.clone());
    let is_unrecorded = |key: &&ObservedKey| {
        input.known_keys.classify(key) == ApiKeyStatus::Unrecorded && !is_adopted_key(input, &key.id)
    };
    snapshot
        .keys_of(&principal)
        .filter(is_unrecorded)
        .map(|key| PlanRefusal {
            department: department.clone(),
            rule: "key-unrecorded",
            message: format!(
                "API key `{}` on service account `{}` ({}) is unrecorded: neither the journal nor an evidence file \
                 contains it",
                key.id, account.name, account.id
            ),
            hints: vec![
                format!(
                    "Revoke it with `confluent api-key delete {}`, then re-run the command.",
                    key.id
                ),
                "If another machine created it, re-run the command with that machine's evidence folder \
                 (`--evidence-dir`)."
                    .into(),
                format!(
                    "If you know who uses it, adopt it with `adopt = [\"{}\"]` in `ebs.toml`.",
                    key.id
                ),
            ],
        })
        .collect()
}
