//! What an onboarding needs before its first write. Pure: it judges what was observed.

use super::{CheckResult, cluster};
use crate::{
    model::{SchemaRegistryId, listing},
    plan::{BudgetRow, BudgetVerdict, ObservedOrganization, Plan, PlannedChange, PlannedOperation},
};

/// Judges what was observed, and what the plan needs of the provider's quotas.
#[must_use]
pub fn check_preflight(
    observed: &ObservedOrganization,
    wanted_registry: Option<&SchemaRegistryId>,
    budget: &[BudgetRow],
) -> Vec<CheckResult> {
    let mut checks = vec![
        check_credentials(observed),
        cluster::check_kind(&observed.cluster),
        cluster::check_phase(&observed.cluster),
    ];
    checks.push(cluster::check_registry(
        observed.snapshot.address.schema_registry.as_ref(),
        wanted_registry,
    ));
    checks.extend(budget.iter().map(check_quota));
    checks.extend(
        observed
            .snapshot
            .unknown
            .iter()
            .map(|(what, why)| CheckResult::unknown("not looked at", format!("{what}: {why}"))),
    );
    checks
}

fn check_credentials(observed: &ObservedOrganization) -> CheckResult {
    CheckResult::ok(
        "credentials",
        format!(
            "acting as {}",
            observed.snapshot.display_name(&observed.snapshot.observed_by)
        ),
    )
}

/// Whether the cluster has room for the ACLs of `plan`; nothing is said where nobody has looked at ACLs.
#[must_use]
pub fn check_acl_quota(observed: &ObservedOrganization, plan: &Plan) -> Option<CheckResult> {
    if observed.snapshot.unknown.contains_key(listing::ACLS) {
        return None;
    }
    let made = |change: &&PlannedChange| matches!(change.operation, PlannedOperation::CreateAcl { .. });
    let (used, wanted) = (observed.snapshot.acls.len(), plan.changes.iter().filter(made).count());
    let kind = observed.cluster.spec.config.kind.as_str();
    // Source: docs/reference/quotas.md#cluster-limits; the service reports no usage.
    let limit = match kind {
        "Basic" | "Standard" => 1_000,
        "Enterprise" => 4_000,
        "Dedicated" | "Freight" => 10_000,
        _ => {
            return Some(CheckResult::unknown(
                "ACLs",
                format!("{used} there, {wanted} wanted, of an unknown limit"),
            ));
        }
    };
    let detail = format!("{used} there, {wanted} wanted, of {limit} on a cluster of type {kind}");
    Some(match wanted > 0 && used + wanted > limit {
        false => CheckResult::ok("ACLs", detail),
        true => CheckResult::problem(
            "ACLs",
            detail,
            "Onboard fewer departments, use a template without ACLs, or a cluster of a larger type.",
        ),
    })
}

fn check_quota(row: &BudgetRow) -> CheckResult {
    let limit = row
        .limit
        .map_or_else(|| "an unknown limit".to_owned(), |limit| limit.to_string());
    let at_least = if row.reported { "" } else { "at least " };
    let detail = format!(
        "{}: {at_least}{} used, {} wanted, of {limit}",
        row.name, row.used, row.added
    );
    match row.verdict {
        BudgetVerdict::Fits => CheckResult::ok("provider quota", detail),
        BudgetVerdict::Unknown => CheckResult::unknown("provider quota", detail),
        BudgetVerdict::Exceeds => CheckResult::problem(
            "provider quota",
            format!("{detail}; 90 % is the most that may be used"),
            format!(
                "Ask Confluent's support to raise `{}`, or onboard fewer departments.",
                row.quota_code
            ),
        ),
    }
}
