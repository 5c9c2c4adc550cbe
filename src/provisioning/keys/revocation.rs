//! Plan of a revocation: the keys by persona, and the access that each persona keeps or loses.

use std::collections::BTreeMap;

use super::revoke::Urgency;
use crate::{
    error::Error,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{AclBinding, ApiKeyId, DepartmentCode, Listing, ObservedAccount, ObservedKey, Principal, Snapshot},
    plan::{Plan, rotation::plan_revocation},
    provisioning::Reconciliation,
    resources::api_key::ApiKeyStatus,
    session::Options,
    text,
};

/// Keys of one persona to revoke.
pub(super) struct PersonaRevocation<'a> {
    desired: &'a DesiredDepartment,
    persona: &'a DesiredPersona,
    keys: Vec<&'a ObservedKey>,
    /// Remaining delivered keys, newest first.
    remaining: Vec<&'a ObservedKey>,
}

/// Groups the keys by persona. A recorded key that no longer exists was deleted by an earlier run and is skipped.
///
/// # Errors
/// A key is unknown, or its owner is not the account of a department.
pub(super) fn group_by_persona<'a>(
    ids: &[ApiKeyId],
    options: &Options,
    reconciliation: &'a Reconciliation<'_>,
) -> Result<Vec<PersonaRevocation<'a>>, Error> {
    let snapshot = &reconciliation.observed.snapshot;
    let recorded = reconciliation.recorded_keys();
    let mut personas: BTreeMap<(DepartmentCode, String), PersonaRevocation<'a>> = BTreeMap::new();
    let mut missing = Vec::new();
    for id in ids {
        let key = snapshot.keys.iter().find(|key| key.id == *id);
        let account = match key {
            Some(key) => key.owner.service_account().and_then(|id| snapshot.account(id)),
            None => recorded
                .get(id)
                .and_then(|known| snapshot.account_by_name(&known.account)),
        };
        let (desired, persona) = match (account.and_then(|account| find_persona(reconciliation, account)), key) {
            (Some(found), _) => found,
            (None, Some(key)) => return Err(unmanaged_key_error(reconciliation, snapshot, key)),
            (None, None) => {
                missing.push(id.as_str());
                continue;
            }
        };
        let revocation = personas
            .entry((desired.department.code.clone(), persona.persona.clone()))
            .or_insert_with(|| PersonaRevocation {
                desired,
                persona,
                keys: Vec::new(),
                remaining: Vec::new(),
            });
        if !revocation.keys.iter().any(|known| known.id == *id) {
            revocation.keys.extend(key);
        }
    }
    if !missing.is_empty() {
        let list = options.suggest("keys list");
        let noun = if missing.len() == 1 { "API key" } else { "API keys" };
        return Err(Error::failed(format!("{noun} {} not found", text::join_code(&missing)))
            .with_hint(format!("List the keys of departments with `{list}`.")));
    }
    for revocation in personas.values_mut() {
        let Some(account) = snapshot.account_by_name(&revocation.persona.account_name) else {
            continue;
        };
        let owner = Principal::ServiceAccount(account.id.clone());
        let mut remaining: Vec<&ObservedKey> = snapshot
            .keys
            .iter()
            .filter(|key| key.owner == owner)
            .filter(|key| !revocation.keys.iter().any(|revoked| revoked.id == key.id))
            .filter(|key| reconciliation.known_keys.classify(key) == ApiKeyStatus::Delivered)
            .collect();
        remaining.sort_by_key(|key| std::cmp::Reverse(key.created_at));
        revocation.remaining = remaining;
    }
    Ok(personas.into_values().collect())
}

/// Adds the revocation of the keys of a persona to `plan`.
///
/// # Errors
/// The persona would have no key left, and the keys are not revoked at once.
pub(super) fn push_revocation(
    reconciliation: &Reconciliation<'_>,
    revocation: &PersonaRevocation<'_>,
    urgency: Urgency,
    plan: &mut Plan,
) -> Result<(), Error> {
    let who = format!(
        "{} of department `{}`",
        revocation.persona.persona, revocation.desired.department.code
    );
    // Only a key for the same resource can replace a key.
    let irreplaceable: Vec<&str> = revocation
        .keys
        .iter()
        .filter(|key| !revocation.remaining.iter().any(|other| other.resource == key.resource))
        .map(|key| key.id.as_str())
        .collect();
    if !irreplaceable.is_empty() && urgency == Urgency::AfterReplacement {
        let (only, whose) = if irreplaceable.len() == 1 {
            ("is the only key", "its")
        } else {
            ("are the only keys", "their")
        };
        return Err(Error::refused(format!(
            "refused; nothing was changed: {} {only} that {who} has for {whose} resource",
            text::join_code(&irreplaceable),
        ))
        .with_hint(format!(
            "First create a new key with `confluent ebs keys rotate {} --persona {}`.",
            revocation.desired.department.code, revocation.persona.persona
        ))
        .with_hint("If the key has leaked, pass `--now` to delete it immediately and create a new one."));
    }
    let lacks_keys = revocation.remaining.len() < revocation.persona.keys.len();
    let replaces = urgency == Urgency::ImmediateWithReplacement && lacks_keys;
    plan.notices.push(match (lacks_keys, replaces) {
        (false, _) => format!("{who} keeps {}", key_ids_text(&revocation.remaining)),
        (true, true) => format!(
            "{who} has no key until it uses the new profile: {}",
            revocation.persona.description
        ),
        (true, false) => format!(
            "{who} has no key; create one with `confluent ebs onboard {}`",
            revocation.desired.department.code
        ),
    });
    let snapshot = &reconciliation.observed.snapshot;
    plan.notices
        .extend(lost_acls(snapshot, revocation).map(|acls| format!("{who} {acls}")));
    let mut part = plan_revocation(
        &reconciliation.plan_input(false),
        snapshot,
        revocation.desired,
        revocation.persona,
        &revocation.keys,
        replaces,
    );
    // An unrecorded key on the account does not prevent the deletion of a leaked one.
    part.refusals.retain(|_| replaces);
    let shift = plan.changes.len();
    for mut change in part.changes {
        change.id += shift;
        change.needs.iter_mut().for_each(|need| *need += shift);
        plan.changes.push(change);
    }
    plan.refusals.extend(part.refusals);
    Ok(())
}

/// Returns a notice about the ACLs that become unusable if the persona loses its last key for the Kafka cluster. A
/// Cloud key does not work there.
fn lost_acls(snapshot: &Snapshot, revocation: &PersonaRevocation<'_>) -> Option<String> {
    let cluster = snapshot.address.cluster.as_str();
    let has_cluster_key = |keys: &[&ObservedKey]| keys.iter().any(|key| key.resource == cluster);
    if !has_cluster_key(&revocation.keys) || has_cluster_key(&revocation.remaining) {
        return None;
    }
    if let Some(reason) = snapshot.unknown.get(&Listing::Acls) {
        let declares_acls = !revocation.persona.acls.is_empty();
        return declares_acls.then(|| {
            format!("may have ACLs, which cannot be used without a key for the cluster (not listed: {reason})")
        });
    }
    let account = snapshot.account_by_name(&revocation.persona.account_name)?;
    let principal = Principal::ServiceAccount(account.id.clone());
    let acls: Vec<String> = snapshot.acls_of(&principal).map(AclBinding::to_short_string).collect();
    (!acls.is_empty()).then(|| {
        format!(
            "cannot use its ACLs until it has another key for the cluster: {}",
            acls.join(", ")
        )
    })
}

fn key_ids_text(remaining: &[&ObservedKey]) -> String {
    let ids: Vec<&str> = remaining.iter().map(|key| key.id.as_str()).collect();
    text::join_code(&ids)
}

/// Finds the department and persona of a managed service account.
fn find_persona<'a>(
    reconciliation: &'a Reconciliation<'_>,
    account: &ObservedAccount,
) -> Option<(&'a DesiredDepartment, &'a DesiredPersona)> {
    let tag = account.tag()?;
    let desired = reconciliation
        .desired
        .iter()
        .find(|desired| desired.department.code == tag.department && desired.stage == tag.stage)?;
    Some((desired, desired.persona(&tag.persona)?))
}

fn unmanaged_key_error(reconciliation: &Reconciliation<'_>, snapshot: &Snapshot, key: &ObservedKey) -> Error {
    let account = key.owner.service_account().and_then(|id| snapshot.account(id));
    let stage = &reconciliation.session.stage_name;
    match account.and_then(ObservedAccount::tag) {
        Some(tag) if tag.stage != *stage => {
            return Error::refused(format!(
                "refused; nothing was changed: API key `{}` belongs to {} of department `{}` in stage `{}`, not in stage \
                 `{stage}`",
                key.id, tag.persona, tag.department, tag.stage
            ))
            .with_hint(format!(
                "Revoke it with `confluent ebs keys revoke {} --stage {}`.",
                key.id, tag.stage
            ));
        }
        // A persona that the template lost.
        Some(tag) if reconciliation.session.workspace.department(&tag.department).is_some() => {
            return Error::refused(format!(
                "refused; nothing was changed: API key `{}` belongs to persona `{}`, which the template of department \
                 `{}` does not contain",
                key.id, tag.persona, tag.department
            ))
            .with_hint(format!(
                "Remove the persona with its keys with `confluent ebs onboard {} --prune`.",
                tag.department
            ));
        }
        _ => {}
    }
    Error::refused(format!(
        "refused; nothing was changed: the owner of API key `{}`, `{}`, is not a department's account in stage `{}`",
        key.id,
        snapshot.display_name(&key.owner),
        reconciliation.session.stage_name
    ))
    .with_hint("Delete an unmanaged key with `confluent api-key delete`.")
    .with_hint("If the key belongs to another stage, pass `--stage`.")
}
