//! Rotation of API keys: which keys to create and which to delete. Pure.
//!
//! A rotation takes two runs. The first creates a key beside the old one, verifies it and hands it over. A later run,
//! after the overlap, deletes the old key. The persona has a working key at all times
//! (docs/reference/rbac.md#key-rotation). All keys of a persona share its profile and are rotated together.

use jiff::SignedDuration;

use super::{
    change::{AccountRef, Action, PlannedChange, PlannedOperation},
    diff::{Plan, PlanInput, PlanRefusal, department_principals, is_adopted_key, new_change},
    keys::can_use,
    ownership_check,
};
use crate::{
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, KeyKind, ObservedAccount, ObservedKey, Principal, Snapshot},
    resources::api_key::ApiKeyStatus,
};

/// Parameters of a rotation.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// How long the old key keeps working after the new one was created.
    pub overlap: SignedDuration,
    /// Minimum age; younger keys are not rotated.
    pub older_than: SignedDuration,
}

/// Delivered keys of one kind of a persona, newest first.
struct RotatableKeys<'a> {
    kind: KeyKind,
    keys: Vec<&'a ObservedKey>,
    pending: Option<ApiKeyId>,
}

impl RotatableKeys<'_> {
    fn newest(&self) -> Option<&ObservedKey> {
        self.keys.first().copied()
    }
}

/// Plans the rotation of the keys of the personas that `is_selected` accepts.
#[must_use]
pub fn plan_rotation(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    rotation: &Rotation,
    is_selected: impl Fn(&DesiredPersona) -> bool,
) -> Plan {
    let mut plan = Plan::default();
    for desired in input.departments {
        for persona in desired.personas.iter().filter(|persona| !persona.keys.is_empty()) {
            if is_selected(persona) {
                push_persona_rotation(input, snapshot, rotation, desired, persona, &mut plan);
            }
        }
    }
    plan
}

/// Plans to delete `keys` of a persona at once, because others may know them, and to create new ones if `replaces` is
/// true.
#[must_use]
pub fn plan_revocation(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    keys: &[&ObservedKey],
    replaces: bool,
) -> Plan {
    let mut plan = Plan::default();
    let Some(account) = snapshot.account_by_name(&persona.account_name) else {
        plan.refusals.push(refuse_missing_key(desired, persona));
        return plan;
    };
    let mut removed: Vec<usize> = keys
        .iter()
        .map(|key| {
            let why = "its secret may be known to others";
            plan.push(delete_key_change(desired, persona, account, key, None, why, Vec::new()))
        })
        .collect();
    if replaces {
        let owner_ref = AccountRef::Known(account.id.clone());
        let kinds: Vec<(KeyKind, Option<ApiKeyId>)> = persona
            .keys
            .iter()
            .map(|kind| {
                // Keys of an interrupted run are used instead of new ones.
                let held = classify_keys(
                    input,
                    snapshot,
                    desired,
                    persona,
                    account,
                    *kind,
                    &mut plan,
                    &mut removed,
                );
                let lost = |id: &ApiKeyId| keys.iter().any(|key| key.id == *id);
                (*kind, held.pending.filter(|id| !lost(id)))
            })
            .collect();
        push_new_keys(desired, persona, &owner_ref, &kinds, &removed, &mut plan);
    }
    // Any other principal that controls the account could create the next key.
    plan.refusals
        .extend(check_account(input, snapshot, desired, persona, account));
    plan
}

fn push_persona_rotation(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    rotation: &Rotation,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    plan: &mut Plan,
) {
    let Some(account) = snapshot.account_by_name(&persona.account_name) else {
        plan.refusals.push(refuse_missing_key(desired, persona));
        return;
    };
    let refusals = check_account(input, snapshot, desired, persona, account);
    if !refusals.is_empty() {
        plan.refusals.extend(refusals);
        return;
    }
    let mut deletions = Vec::new();
    let held: Vec<RotatableKeys<'_>> = persona
        .keys
        .iter()
        .map(|kind| classify_keys(input, snapshot, desired, persona, account, *kind, plan, &mut deletions))
        .collect();
    let owner_ref = AccountRef::Known(account.id.clone());
    let name = format!("{}-{}", desired.department.code, persona.persona);
    let kinds = || {
        held.iter()
            .map(|held| (held.kind, held.pending.clone()))
            .collect::<Vec<_>>()
    };

    if held.iter().any(|held| held.pending.is_some()) {
        // An interrupted rotation: its pending keys are verified and delivered.
        push_new_keys(desired, persona, &owner_ref, &kinds(), &deletions, plan);
    } else if held.iter().any(|held| held.keys.is_empty()) {
        plan.refusals.push(refuse_missing_key(desired, persona));
    } else if held.iter().any(|held| held.keys.len() > 1) {
        let age = |held: &RotatableKeys<'_>| held.newest().and_then(|key| key_age(input, key));
        let youngest = held.iter().map(age).min().flatten();
        match youngest {
            Some(age) if age >= rotation.overlap => {
                for held in &held {
                    push_old_key_deletions(desired, persona, account, held, plan);
                }
            }
            Some(age) => {
                let old: Vec<&str> = held
                    .iter()
                    .flat_map(|held| &held.keys[1..])
                    .map(|key| key.id.as_str())
                    .collect();
                let left = (rotation.overlap - age)
                    .round(jiff::Unit::Minute)
                    .unwrap_or(rotation.overlap - age);
                plan.notices.push(format!(
                    "{name}: the old API key {} still works; re-run the command in {left:#} to delete it",
                    old.join(", ")
                ));
            }
            None => plan.notices.push(format!(
                "{name}: the age of its newest API key is unknown, so the old key is kept; delete it with `--overlap \
                 0s`"
            )),
        }
    } else {
        let young = |held: &RotatableKeys<'_>| {
            let age = held.newest().and_then(|key| key_age(input, key));
            age.is_some_and(|age| age < rotation.older_than)
        };
        if !rotation.older_than.is_zero() && held.iter().all(young) {
            plan.notices
                .push(format!("{name}: its API keys are younger than the limit"));
            return;
        }
        let handed = push_new_keys(desired, persona, &owner_ref, &kinds(), &deletions, plan);
        if rotation.overlap.is_zero() {
            for old in held.iter().flat_map(|held| &held.keys) {
                let why = "replaced, without an overlap";
                plan.push(delete_key_change(
                    desired,
                    persona,
                    account,
                    old,
                    None,
                    why,
                    vec![handed],
                ));
            }
        }
    }
}

/// Appends the changes that create keys of `kinds`, or use the pending ones, then verify and hand them over; returns
/// the index of the last change.
fn push_new_keys(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    owner_ref: &AccountRef,
    kinds: &[(KeyKind, Option<ApiKeyId>)],
    after: &[usize],
    plan: &mut Plan,
) -> usize {
    let what = format!("{}-{}", desired.department.code, persona.persona);
    let step = |action, why: &str, needs, operation| -> PlannedChange {
        new_change(desired, &persona.persona, action, what.clone(), why, needs, operation)
    };
    let mut proofs = Vec::new();
    let mut before = after.to_vec();
    for (kind, waiting) in kinds {
        let mut needs = before.clone();
        if waiting.is_none() {
            let operation = PlannedOperation::CreateKey {
                owner: owner_ref.clone(),
                kind: *kind,
            };
            // Keys are created one after the other, because they share a file.
            let made = plan.push(step(Action::Create, "replaces the old key", needs, operation));
            before = vec![made];
            needs = vec![made];
        }
        let prove = PlannedOperation::Prove {
            account: owner_ref.clone(),
            kind: *kind,
            key: waiting.clone(),
        };
        proofs.push(plan.push(step(
            Action::Create,
            "check what the key can and cannot do",
            needs,
            prove,
        )));
    }
    let hand = PlannedOperation::HandOver {
        account: owner_ref.clone(),
        allow_existing: true,
    };
    plan.push(step(Action::Create, "only verified keys are delivered", proofs, hand))
}

/// Plans to delete all keys of a kind except the newest.
fn push_old_key_deletions(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ObservedAccount,
    held: &RotatableKeys<'_>,
    plan: &mut Plan,
) {
    let Some(newest) = held.newest() else { return };
    for old in &held.keys[1..] {
        let keeps = Some(newest.id.clone());
        let why = "replaced, and the overlap is over";
        plan.push(delete_key_change(
            desired,
            persona,
            account,
            old,
            keeps,
            why,
            Vec::new(),
        ));
    }
}

fn delete_key_change(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ObservedAccount,
    key: &ObservedKey,
    keeps: Option<ApiKeyId>,
    why: &str,
    needs: Vec<usize>,
) -> PlannedChange {
    let what = format!("{} of {}-{}", key.id, desired.department.code, persona.persona);
    let operation = PlannedOperation::DeleteKey {
        id: key.id.clone(),
        owner: account.id.clone(),
        keeps,
    };
    new_change(desired, &persona.persona, Action::Delete, what, why, needs, operation)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the arguments are borrowed from different owners"
)]
fn classify_keys<'a>(
    input: &PlanInput<'_>,
    snapshot: &'a Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ObservedAccount,
    kind: KeyKind,
    plan: &mut Plan,
    deletions: &mut Vec<usize>,
) -> RotatableKeys<'a> {
    let principal = Principal::ServiceAccount(account.id.clone());
    let mut found = RotatableKeys {
        kind,
        keys: Vec::new(),
        pending: None,
    };
    for key in snapshot
        .keys
        .iter()
        .filter(|key| key.owner == principal && can_use(key, kind, input))
    {
        match input.known_keys.classify(key) {
            ApiKeyStatus::Delivered => found.keys.push(key),
            ApiKeyStatus::Unrecorded if is_adopted_key(input, &key.id) => found.keys.push(key),
            ApiKeyStatus::Unrecorded => {}
            ApiKeyStatus::Pending => found.pending = Some(key.id.clone()),
            ApiKeyStatus::Orphaned => {
                let why = "orphaned: an interrupted run created it and its secret is lost";
                deletions.push(plan.push(delete_key_change(desired, persona, account, key, None, why, Vec::new())));
            }
        }
    }
    found
        .keys
        .sort_by_key(|key| (std::cmp::Reverse(key.created_at), key.id.clone()));
    found
}

fn check_account(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &ObservedAccount,
) -> Vec<PlanRefusal> {
    let own = department_principals(input, desired, snapshot);
    ownership_check::check_ownership(input, snapshot, desired, persona, account, &own)
}

fn refuse_missing_key(desired: &DesiredDepartment, persona: &DesiredPersona) -> PlanRefusal {
    PlanRefusal {
        department: desired.department.code.clone(),
        rule: "no-key",
        message: format!("persona `{}` has no API key to rotate", persona.persona),
        hints: vec![format!(
            "Create the missing key with `confluent ebs onboard {}`.",
            desired.department.code
        )],
    }
}

/// Returns the age of `key`.
fn key_age(input: &PlanInput<'_>, key: &ObservedKey) -> Option<SignedDuration> {
    key.created_at.map(|made| input.known_keys.now.duration_since(made))
}
