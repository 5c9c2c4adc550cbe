//! The part of the comparison that only takes away: what is ours and should not be there. Nothing is made, and nobody
//! else's is touched, so trouble with one account holds up no other.

use std::collections::BTreeMap;

use super::{
    change::{PlannedChange, PlannedOperation},
    department::diff_persona,
    diff::{Plan, PlanInput, department_principals},
    ownership_check,
};
use crate::model::Snapshot;

/// Rules about the keys of an account: they are no reason to leave it a role that it should not have.
const KEY_RULES: [&str; 2] = ["key-unrecorded", "keys-unknown"];

/// What is to be removed: role bindings of our accounts that no template asks for, and keys whose secret nobody has. What is
/// left to others is among the notices.
#[must_use]
pub fn plan_prune(input: &PlanInput<'_>, snapshot: &Snapshot) -> Plan {
    let input = PlanInput { prune: true, ..*input };
    let mut plan = Plan::default();
    let mut notices = Vec::new();
    for desired in input.departments {
        let own = department_principals(desired, snapshot);
        for persona in &desired.personas {
            let Some(account) = snapshot.account_by_name(&persona.account_name) else {
                continue;
            };
            let refusals = ownership_check::check_ownership(&input, snapshot, desired, persona, account, &own);
            match refusals.iter().find(|refusal| !KEY_RULES.contains(&refusal.rule)) {
                Some(refusal) => notices.push(format!("{} is left as it is: {}", account.name, refusal.message)),
                None => diff_persona(&input, snapshot, desired, persona, &BTreeMap::new(), &mut plan),
            }
        }
    }
    let removes = |change: &PlannedChange| {
        matches!(
            change.operation,
            PlannedOperation::DeleteBinding { .. }
                | PlannedOperation::DeleteAcl { .. }
                | PlannedOperation::DeleteKey { .. }
        )
    };
    let all = std::mem::take(&mut plan.changes).into_iter().filter(removes);
    // What takes its place must be made first, and this makes nothing.
    let (replaced, alone): (Vec<_>, Vec<_>) = all.partition(|change| !change.needs.is_empty());
    notices.extend(replaced.into_iter().map(|change| {
        let code = &change.department;
        format!("`confluent ebs onboard {code} --prune` replaces {}", change.what)
    }));
    for change in alone {
        plan.push(change);
    }
    notices.sort();
    plan.notices = notices;
    plan
}
