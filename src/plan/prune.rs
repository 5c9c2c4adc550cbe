//! Prune: the part of the comparison that only deletes surplus managed objects. It creates nothing and leaves unmanaged
//! objects alone, so a refused account does not block the others.

use std::collections::BTreeMap;

use super::{
    change::{ObjectOperation, PlannedChange, PlannedOperation},
    departed::departed_accounts,
    department::diff_persona,
    diff::{Plan, PlanInput, department_principals},
    ownership_check,
};
use crate::model::Snapshot;

/// Rules about the keys of an account; they do not prevent the deletion of its surplus role bindings.
const KEY_RULES: [&str; 2] = ["key-unrecorded", "keys-unknown"];

/// Plans to delete role bindings of managed accounts that no template grants, and orphaned keys. Skipped objects are
/// listed in the notices.
#[must_use]
pub fn plan_prune(input: &PlanInput<'_>, snapshot: &Snapshot) -> Plan {
    let input = PlanInput { prune: true, ..*input };
    let mut plan = Plan::default();
    let mut notices = Vec::new();
    for desired in input.departments {
        let own = department_principals(&input, desired, snapshot);
        let code = &desired.department.code;
        notices.extend(departed_accounts(&input, snapshot, desired).into_iter().map(|account| {
            format!(
                "`confluent ebs onboard {code} --prune` removes `{}`, whose persona the template no longer contains",
                account.name
            )
        }));
        for persona in &desired.personas {
            let Some(account) = snapshot.account_by_name(&persona.account_name) else {
                continue;
            };
            let refusals = ownership_check::check_ownership(&input, snapshot, desired, persona, account, &own);
            match refusals.iter().find(|refusal| !KEY_RULES.contains(&refusal.rule)) {
                Some(refusal) => notices.push(format!("`{}` is skipped: {}", account.name, refusal.message)),
                None => diff_persona(&input, snapshot, desired, persona, &BTreeMap::new(), &mut plan),
            }
        }
    }
    let removes = |change: &PlannedChange| {
        matches!(
            change.operation,
            PlannedOperation::DeleteBinding { .. }
                | PlannedOperation::Object(ObjectOperation::Delete { .. })
                | PlannedOperation::DeleteKey { .. }
        )
    };
    let all = std::mem::take(&mut plan.changes).into_iter().filter(removes);
    // A replacement would have to be created first, and prune creates nothing.
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
