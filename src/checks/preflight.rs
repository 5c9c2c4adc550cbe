//! What an onboarding needs before its first write. Pure: it judges what was observed.

use super::{Check, cluster};
use crate::{
    model::{SchemaRegistryId, hidden},
    plan::{BudgetRow, BudgetVerdict, Change, Observed, Operation, Plan},
};

/// Judges what was observed, and what the plan needs of the provider's quotas.
#[must_use]
pub fn preflight(observed: &Observed, wanted_registry: Option<&SchemaRegistryId>, budget: &[BudgetRow]) -> Vec<Check> {
    let mut checks = vec![
        credentials(observed),
        cluster::kind(&observed.cluster),
        cluster::phase(&observed.cluster),
    ];
    checks.push(cluster::registry(
        observed.snapshot.address.schema_registry.as_ref(),
        wanted_registry,
    ));
    checks.extend(budget.iter().map(quota));
    checks.extend(
        observed
            .snapshot
            .unknown
            .iter()
            .map(|(what, why)| Check::unknown("not looked at", format!("{what}: {why}"))),
    );
    checks
}

fn credentials(observed: &Observed) -> Check {
    Check::ok(
        "credentials",
        format!("acting as {}", observed.snapshot.name_of(&observed.snapshot.seen_by)),
    )
}

/// Whether the cluster has room for the ACLs of `plan`; nothing is said where nobody has looked at ACLs.
#[must_use]
pub fn acl_room(observed: &Observed, plan: &Plan) -> Option<Check> {
    if observed.snapshot.unknown.contains_key(hidden::ACLS) {
        return None;
    }
    let made = |change: &&Change| matches!(change.operation, Operation::CreateAcl { .. });
    let (used, wanted) = (observed.snapshot.acls.len(), plan.changes.iter().filter(made).count());
    let kind = observed.cluster.spec.config.kind.as_str();
    // Dossier `quotas.md` §1.1; the service reports no usage.
    let limit = match kind {
        "Basic" | "Standard" => 1_000,
        "Enterprise" => 4_000,
        "Dedicated" | "Freight" => 10_000,
        _ => {
            return Some(Check::unknown(
                "ACLs",
                format!("{used} there, {wanted} wanted, of an unknown limit"),
            ));
        }
    };
    let detail = format!("{used} there, {wanted} wanted, of {limit} on a cluster of type {kind}");
    Some(match wanted > 0 && used + wanted > limit {
        false => Check::ok("ACLs", detail),
        true => Check::problem(
            "ACLs",
            detail,
            "Onboard fewer departments, use a template without ACLs, or a cluster of a larger type.",
        ),
    })
}

fn quota(row: &BudgetRow) -> Check {
    let limit = row
        .limit
        .map_or_else(|| "an unknown limit".to_owned(), |limit| limit.to_string());
    let at_least = if row.reported { "" } else { "at least " };
    let detail = format!(
        "{}: {at_least}{} used, {} wanted, of {limit}",
        row.name, row.used, row.wanted
    );
    match row.verdict {
        BudgetVerdict::Fits => Check::ok("provider quota", detail),
        BudgetVerdict::Unknown => Check::unknown("provider quota", detail),
        BudgetVerdict::Exceeds => Check::problem(
            "provider quota",
            format!("{detail}; 90 % is the most that may be used"),
            format!(
                "Ask Confluent's support to raise `{}`, or onboard fewer departments.",
                row.quota_code
            ),
        ),
    }
}
