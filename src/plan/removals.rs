//! The part of the comparison that only takes away: what is ours and should not be there. Nothing is made, and nobody
//! else's is touched, so trouble with one account holds up no other.

use std::collections::BTreeMap;

use super::{
    change::{Change, Operation},
    control,
    department::compare_persona,
    diff::{Plan, Wanted, own_principals},
};
use crate::model::Snapshot;

/// Rules about the keys of an account: they are no reason to leave it a role that it should not have.
const ABOUT_KEYS: [&str; 2] = ["key-unvouched", "keys-unknown"];

/// What is to be removed: role bindings of our accounts that no template asks for, and keys whose secret nobody has. What is
/// left to others is among the notices.
#[must_use]
pub fn removals(wanted: &Wanted<'_>, seen: &Snapshot) -> Plan {
    let wanted = Wanted { prune: true, ..*wanted };
    let mut plan = Plan::default();
    let mut notices = Vec::new();
    for desired in wanted.departments {
        let own = own_principals(desired, seen);
        for persona in &desired.personas {
            let Some(account) = seen.account_named(&persona.account_name) else {
                continue;
            };
            let refusals = control::refusals(&wanted, seen, desired, persona, account, &own);
            match refusals.iter().find(|refusal| !ABOUT_KEYS.contains(&refusal.rule)) {
                Some(refusal) => notices.push(format!("{} is left as it is: {}", account.name, refusal.message)),
                None => compare_persona(&wanted, seen, desired, persona, &BTreeMap::new(), &mut plan),
            }
        }
    }
    let removes = |change: &Change| {
        matches!(
            change.operation,
            Operation::DeleteBinding { .. } | Operation::DeleteAcl { .. } | Operation::DeleteKey { .. }
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
