//! Accounts of personas that a department's template no longer contains: kept and reported, or removed with `--prune`.

use super::{
    diff::{Plan, PlanInput, PlanRefusal, SurplusGrant},
    ownership_check::check_keys,
    teardown::{push_account_teardown, refuse_unowned_account},
};
use crate::{
    manifest::DesiredDepartment,
    model::{Listing, ObservedAccount, Principal, Snapshot},
    text::{count_noun, join_code},
};

/// Returns the managed accounts of `desired` whose persona its template does not contain. Ownership decides: an account
/// that has our tag and another owner is not managed.
pub(super) fn departed_accounts<'a>(
    input: &PlanInput<'_>,
    snapshot: &'a Snapshot,
    desired: &DesiredDepartment,
) -> Vec<&'a ObservedAccount> {
    let department = &desired.department;
    let is_departed = |account: &&ObservedAccount| {
        account.tag().is_some_and(|tag| {
            tag.stage == input.stage && tag.department == department.code && desired.persona(&tag.persona).is_none()
        })
    };
    let departed = snapshot.accounts.iter().filter(is_departed);
    departed
        .filter(|account| refuse_unowned_account(input, snapshot, department, account).is_none())
        .collect()
}

/// Refuses the plan because of departed accounts: an unrecorded key keeps access that no file declares, and connectors
/// stop when their account is deleted.
pub(super) fn refuse_departed(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    departed: &[&ObservedAccount],
) -> Vec<PlanRefusal> {
    let refusals = departed.iter().flat_map(|account| match input.prune {
        true => refuse_removal(snapshot, desired, account).into_iter().collect(),
        false => check_keys(input, snapshot, &desired.department.code, account),
    });
    refusals.collect()
}

/// Refuses to delete an account while connectors run under it, or while that is unknown.
fn refuse_removal(snapshot: &Snapshot, desired: &DesiredDepartment, account: &ObservedAccount) -> Option<PlanRefusal> {
    let refuse = |rule, message, hints| {
        Some(PlanRefusal {
            department: desired.department.code.clone(),
            rule,
            message,
            hints,
        })
    };
    let name = format!(
        "service account `{}` ({}), whose persona template `{}` no longer contains,",
        account.name, account.id, desired.template.name
    );
    let keep = "Without `--prune`, the account is kept.".to_owned();
    let unreadable = snapshot
        .connectors
        .iter()
        .filter(|connector| connector.identity.is_none());
    let own: Vec<&str> = unreadable
        .map(|connector| connector.name.as_str())
        .filter(|name| desired.department.prefix.owns(name))
        .collect();
    let reason = match snapshot.unknown_reason(&Listing::Connectors) {
        Some(reason) => Some(format!("the connectors could not be listed: {reason}")),
        None => (!own.is_empty()).then(|| format!("the configuration of {} cannot be read", join_code(&own))),
    };
    if let Some(reason) = reason {
        return refuse(
            "account-use-unknown",
            format!("{name} is not removed, because connectors may run under it: {reason}"),
            vec![
                "Use a key that may read all connectors of the cluster.".to_owned(),
                keep,
            ],
        );
    }
    let running = snapshot.connectors_under(&account.id);
    if running.is_empty() {
        return None;
    }
    let names: Vec<&str> = running.iter().map(|connector| connector.name.as_str()).collect();
    refuse(
        "account-in-use",
        format!(
            "{name} is not removed, because {} under it: {}",
            match names.len() {
                1 => "a connector runs".to_owned(),
                number => format!("{} run", count_noun(number, "connector")),
            },
            join_code(&names)
        ),
        vec![
            "Let the department move these connectors to another service account or delete them, or add the persona \
             to the template again."
                .to_owned(),
            keep,
        ],
    )
}

/// Appends the removal of departed accounts, or reports them as surplus without `--prune`.
pub(super) fn diff_departed(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    departed: &[&ObservedAccount],
    plan: &mut Plan,
) {
    for account in departed {
        if input.prune {
            let why = "the template no longer contains this persona";
            push_account_teardown(input, snapshot, &desired.department, account, why, plan);
            continue;
        }
        let principal = Principal::ServiceAccount(account.id.clone());
        plan.surplus.push(SurplusGrant {
            department: desired.department.code.clone(),
            account: account.name.clone(),
            what: format!(
                "{} ({})  persona no longer in the template `{}`: {}, {}",
                account.name,
                account.id,
                desired.template.name,
                count_noun(snapshot.keys_of(&principal).count(), "API key"),
                count_noun(snapshot.bindings_of(&principal).count(), "role binding"),
            ),
        });
    }
}
