//! New keys for old: which are made, and which are no longer needed. Pure.
//!
//! A rotation takes two calls. The first makes a key beside the old one, proves it and hands it over; a later one, after
//! the overlap, removes the old key. A persona is never without a working key in between (dossier `rbac.md` §5.4). All
//! keys of a persona share its profile, so they are rotated together.

use jiff::SignedDuration;

use super::{
    change::{AccountRef, Action, Change, Operation},
    control,
    department::opens,
    diff::{Plan, Refusal, Wanted, adopted_key, change, own_principals},
};
use crate::{
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, KeyKind, Principal, SeenAccount, SeenKey, Snapshot},
    resources::api_key::KeyClaim,
};

/// What to rotate, and when.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// How long an old key works beside the new one.
    pub overlap: SignedDuration,
    /// Keys that are younger are left alone.
    pub older_than: SignedDuration,
}

/// The keys of one kind that a persona holds, the newest first.
struct Held<'a> {
    kind: KeyKind,
    keys: Vec<&'a SeenKey>,
    waiting: Option<ApiKeyId>,
}

impl Held<'_> {
    fn newest(&self) -> Option<&SeenKey> {
        self.keys.first().copied()
    }
}

/// Compares the keys of the personas that `chosen` picks with what `rotation` asks for.
#[must_use]
pub fn rotate(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    rotation: &Rotation,
    chosen: impl Fn(&DesiredPersona) -> bool,
) -> Plan {
    let mut plan = Plan::default();
    for desired in wanted.departments {
        for persona in desired.personas.iter().filter(|persona| !persona.keys.is_empty()) {
            if chosen(persona) {
                rotate_persona(wanted, seen, rotation, desired, persona, &mut plan);
            }
        }
    }
    plan
}

/// Removes `keys` of a persona at once, because others may hold them, and makes new ones unless `replaces` is false.
#[must_use]
pub fn replace_lost(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    keys: &[&SeenKey],
    replaces: bool,
) -> Plan {
    let mut plan = Plan::default();
    let Some(account) = seen.account_named(&persona.account_name) else {
        plan.refusals.push(missing(desired, persona));
        return plan;
    };
    let mut removed: Vec<usize> = keys
        .iter()
        .map(|key| {
            let why = "somebody else may hold it";
            plan.push(delete(desired, persona, account, key, None, why, Vec::new()))
        })
        .collect();
    if replaces {
        let me = AccountRef::Known(account.id.clone());
        let kinds: Vec<(KeyKind, Option<ApiKeyId>)> = persona
            .keys
            .iter()
            .map(|kind| {
                // What an interrupted run has made already is gone on with.
                let held = held(wanted, seen, desired, persona, account, *kind, &mut plan, &mut removed);
                let lost = |id: &ApiKeyId| keys.iter().any(|key| key.id == *id);
                (*kind, held.waiting.filter(|id| !lost(id)))
            })
            .collect();
        issue(desired, persona, &me, &kinds, &removed, &mut plan);
    }
    // Whoever else controls the account could make himself the next key.
    plan.refusals
        .extend(in_the_way(wanted, seen, desired, persona, account));
    plan
}

fn rotate_persona(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    rotation: &Rotation,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    plan: &mut Plan,
) {
    let Some(account) = seen.account_named(&persona.account_name) else {
        plan.refusals.push(missing(desired, persona));
        return;
    };
    let refusals = in_the_way(wanted, seen, desired, persona, account);
    if !refusals.is_empty() {
        plan.refusals.extend(refusals);
        return;
    }
    let mut cleared = Vec::new();
    let held: Vec<Held<'_>> = persona
        .keys
        .iter()
        .map(|kind| held(wanted, seen, desired, persona, account, *kind, plan, &mut cleared))
        .collect();
    let me = AccountRef::Known(account.id.clone());
    let name = format!("{}-{}", desired.department.code, persona.persona);
    let kinds = || {
        held.iter()
            .map(|held| (held.kind, held.waiting.clone()))
            .collect::<Vec<_>>()
    };

    if held.iter().any(|held| held.waiting.is_some()) {
        // An interrupted rotation: what it made is proved and handed over.
        issue(desired, persona, &me, &kinds(), &cleared, plan);
    } else if held.iter().any(|held| held.keys.is_empty()) {
        plan.refusals.push(missing(desired, persona));
    } else if held.iter().any(|held| held.keys.len() > 1) {
        let age = |held: &Held<'_>| held.newest().and_then(|key| age(wanted, key));
        let youngest = held.iter().map(age).min().flatten();
        match youngest {
            Some(age) if age >= rotation.overlap => {
                for held in &held {
                    retire(desired, persona, account, held, plan);
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
                    "{name}: the old API key {} still works; run the command again in {left:#} to remove it",
                    old.join(", ")
                ));
            }
            None => plan.notices.push(format!(
                "{name}: when its newest API key was made is not known, so the old one stays; `--overlap 0s` removes it"
            )),
        }
    } else {
        let young = |held: &Held<'_>| {
            let age = held.newest().and_then(|key| age(wanted, key));
            age.is_some_and(|age| age < rotation.older_than)
        };
        if !rotation.older_than.is_zero() && held.iter().all(young) {
            plan.notices.push(format!("{name}: its API keys are young enough"));
            return;
        }
        let handed = issue(desired, persona, &me, &kinds(), &cleared, plan);
        if rotation.overlap.is_zero() {
            for old in held.iter().flat_map(|held| &held.keys) {
                let why = "replaced, without an overlap";
                plan.push(delete(desired, persona, account, old, None, why, vec![handed]));
            }
        }
    }
}

/// Appends the changes that make, prove and hand over keys of `kinds`, or only prove those that wait; answers the place of
/// the hand-over.
fn issue(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    me: &AccountRef,
    kinds: &[(KeyKind, Option<ApiKeyId>)],
    after: &[usize],
    plan: &mut Plan,
) -> usize {
    let what = format!("{}-{}", desired.department.code, persona.persona);
    let step = |action, why: &str, needs, operation| -> Change {
        change(desired, &persona.persona, action, what.clone(), why, needs, operation)
    };
    let mut proofs = Vec::new();
    let mut before = after.to_vec();
    for (kind, waiting) in kinds {
        let mut needs = before.clone();
        if waiting.is_none() {
            let operation = Operation::CreateKey {
                owner: me.clone(),
                kind: *kind,
            };
            // One after the other: they share a file.
            let made = plan.push(step(Action::Create, "takes the place of the old key", needs, operation));
            before = vec![made];
            needs = vec![made];
        }
        let prove = Operation::Prove {
            account: me.clone(),
            kind: *kind,
            key: waiting.clone(),
        };
        proofs.push(plan.push(step(Action::Create, "what it can and cannot do", needs, prove)));
    }
    let hand = Operation::HandOver {
        account: me.clone(),
        beside: true,
    };
    plan.push(step(
        Action::Create,
        "only what was proved is handed over",
        proofs,
        hand,
    ))
}

/// Removes all keys of a kind but the newest.
fn retire(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &SeenAccount,
    held: &Held<'_>,
    plan: &mut Plan,
) {
    let Some(newest) = held.newest() else { return };
    for old in &held.keys[1..] {
        let keeps = Some(newest.id.clone());
        let why = "replaced, and the overlap is over";
        plan.push(delete(desired, persona, account, old, keeps, why, Vec::new()));
    }
}

fn delete(
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &SeenAccount,
    key: &SeenKey,
    keeps: Option<ApiKeyId>,
    why: &str,
    needs: Vec<usize>,
) -> Change {
    let what = format!("{} of {}-{}", key.id, desired.department.code, persona.persona);
    let operation = Operation::DeleteKey {
        id: key.id.clone(),
        owner: account.id.clone(),
        keeps,
    };
    change(desired, &persona.persona, Action::Delete, what, why, needs, operation)
}

#[expect(
    clippy::too_many_arguments,
    reason = "all of it is needed, and all of it is borrowed"
)]
fn held<'a>(
    wanted: &Wanted<'_>,
    seen: &'a Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &SeenAccount,
    kind: KeyKind,
    plan: &mut Plan,
    cleared: &mut Vec<usize>,
) -> Held<'a> {
    let principal = Principal::ServiceAccount(account.id.clone());
    let mut found = Held {
        kind,
        keys: Vec::new(),
        waiting: None,
    };
    for key in seen
        .keys
        .iter()
        .filter(|key| key.owner == principal && opens(key, kind, wanted))
    {
        match wanted.ledger.claim(key) {
            KeyClaim::Held => found.keys.push(key),
            KeyClaim::Unvouched if adopted_key(wanted, &key.id) => found.keys.push(key),
            KeyClaim::Unvouched => {}
            KeyClaim::Waiting => found.waiting = Some(key.id.clone()),
            KeyClaim::Orphan => {
                let why = "an interrupted run made it, and nobody holds its secret";
                cleared.push(plan.push(delete(desired, persona, account, key, None, why, Vec::new())));
            }
        }
    }
    found
        .keys
        .sort_by_key(|key| (std::cmp::Reverse(key.created_at), key.id.clone()));
    found
}

fn in_the_way(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: &SeenAccount,
) -> Vec<Refusal> {
    let own = own_principals(desired, seen);
    control::refusals(wanted, seen, desired, persona, account, &own)
}

fn missing(desired: &DesiredDepartment, persona: &DesiredPersona) -> Refusal {
    Refusal {
        department: desired.department.code.clone(),
        rule: "no-key",
        message: format!("persona {} has no API key that could be rotated", persona.persona),
        hints: vec![format!(
            "`confluent ebs onboard {}` makes what is missing.",
            desired.department.code
        )],
    }
}

/// How long ago `key` was made.
fn age(wanted: &Wanted<'_>, key: &SeenKey) -> Option<SignedDuration> {
    key.created_at.map(|made| wanted.ledger.now.duration_since(made))
}
