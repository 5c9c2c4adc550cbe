//! Comparison of the API keys of one persona.

use super::{
    change::{AccountRef, Action, PlannedOperation},
    diff::{Plan, PlanInput, is_adopted_key, new_change},
};
use crate::{
    api::keys::CLOUD,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, KeyKind, ObservedKey, Principal, Snapshot},
    resources::api_key::ApiKeyStatus,
};

pub(super) fn can_use(key: &ObservedKey, kind: KeyKind, input: &PlanInput<'_>) -> bool {
    match kind {
        KeyKind::Cloud => key.resource == CLOUD,
        KeyKind::Kafka => key.resource == input.address.cluster.as_str(),
        KeyKind::SchemaRegistry => input
            .address
            .schema_registry
            .as_ref()
            .is_some_and(|registry| key.resource == registry.as_str()),
    }
}

/// Existing keys of one kind on an account.
#[derive(Default)]
struct ExistingKeys {
    /// Whether a delivered key exists.
    delivered: bool,
    /// Key whose profile is pending.
    pending: Option<ApiKeyId>,
    /// Changes that delete orphaned keys.
    deletions: Vec<usize>,
}

fn classify_existing_keys(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    kind: KeyKind,
    owner_ref: &AccountRef,
    plan: &mut Plan,
) -> ExistingKeys {
    let mut found = ExistingKeys::default();
    let AccountRef::Known(id) = owner_ref else { return found };
    let principal = Principal::ServiceAccount(id.clone());
    for key in snapshot.keys_of(&principal).filter(|key| can_use(key, kind, input)) {
        match input.known_keys.classify(key) {
            ApiKeyStatus::Delivered => found.delivered = true,
            ApiKeyStatus::Unrecorded => found.delivered |= is_adopted_key(input, &key.id),
            ApiKeyStatus::Pending => found.pending = Some(key.id.clone()),
            ApiKeyStatus::Orphaned => {
                let operation = PlannedOperation::DeleteKey {
                    id: key.id.clone(),
                    owner: id.clone(),
                    keeps: None,
                };
                let why = "orphaned: an interrupted run created it and its secret is lost";
                let what = format!("{} of {}-{}", key.id, desired.department.code, persona.persona);
                let delete = new_change(
                    desired,
                    &persona.persona,
                    Action::Delete,
                    what,
                    why,
                    Vec::new(),
                    operation,
                );
                found.deletions.push(plan.push(delete));
            }
        }
    }
    found
}

/// Appends the changes for the keys of a persona and returns whether a profile with keys will be finished.
#[expect(
    clippy::too_many_arguments,
    reason = "the arguments are borrowed from different owners"
)]
pub(super) fn diff_keys(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    owner_ref: &AccountRef,
    account_creation: &[usize],
    proof_needs: &[usize],
    plan: &mut Plan,
) -> bool {
    let what = format!("{}-{}", desired.department.code, persona.persona);
    let mut proofs = Vec::new();
    let mut before: Option<usize> = None;
    for &kind in &persona.keys {
        let ExistingKeys {
            delivered: held,
            pending: waiting,
            deletions: cleared,
        } = classify_existing_keys(input, snapshot, desired, persona, kind, owner_ref, plan);
        if held {
            continue;
        }
        let mut needs = proof_needs.to_vec();
        if waiting.is_none() {
            let operation = PlannedOperation::CreateKey {
                owner: owner_ref.clone(),
                kind,
            };
            let why = match kind {
                KeyKind::Cloud => "Cloud API key for the control plane, with the roles of this account",
                KeyKind::Kafka => "API key of the Kafka cluster",
                KeyKind::SchemaRegistry => "API key of the Schema Registry",
            };
            // Keys are created one after the other, because they share a file.
            let first = account_creation.iter().copied().chain(cleared).chain(before).collect();
            let create = new_change(
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
        let prove = PlannedOperation::Prove {
            account: owner_ref.clone(),
            kind,
            key: waiting,
        };
        let why = "check what the key can and cannot do";
        let prove = new_change(
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
    let hand = PlannedOperation::HandOver {
        account: owner_ref.clone(),
        // A profile of an existing account contains a deleted key and may be superseded. For a new account, an existing
        // profile belongs to another account.
        allow_existing: matches!(owner_ref, AccountRef::Known(_)),
    };
    let why = "only verified keys are delivered";
    plan.push(new_change(
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
