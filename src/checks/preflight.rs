//! Checks before the first write of an onboarding. Pure: they evaluate an observation.

use super::{CheckResult, cluster};
use crate::{
    model::{Listing, SchemaRegistryId},
    plan::{BudgetRow, BudgetVerdict, ObservedOrganization, Plan, PlannedChange, PlannedOperation},
    session::Options,
};

/// Checks the observed organization and the quotas that the plan needs. Suggested commands have the flags of `options`.
#[must_use]
pub fn check_preflight(
    observed: &ObservedOrganization,
    wanted_registry: Option<&SchemaRegistryId>,
    budget: &[BudgetRow],
    options: &Options,
) -> Vec<CheckResult> {
    let mut checks = vec![
        check_credentials(observed),
        cluster::check_kind(&observed.cluster),
        cluster::check_phase(&observed.cluster),
    ];
    checks.push(cluster::check_registry(
        observed.snapshot.address.schema_registry.as_ref(),
        wanted_registry,
        options,
    ));
    checks.extend(budget.iter().map(check_quota));
    checks.extend(
        observed
            .snapshot
            .unknown
            .iter()
            .map(|(what, why)| CheckResult::unknown("unknown", format!("{what}: {why}"))),
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

/// Checks whether the cluster has room for the ACLs of `plan`; `None` if ACLs were not observed.
#[must_use]
pub fn check_acl_quota(observed: &ObservedOrganization, plan: &Plan) -> Option<CheckResult> {
    if observed.snapshot.unknown.contains_key(&Listing::Acls) {
        return None;
    }
    let made = |change: &&PlannedChange| matches!(change.operation, PlannedOperation::CreateAcl { .. });
    let (used, wanted) = (observed.snapshot.acls.len(), plan.changes.iter().filter(made).count());
    let kind = observed.cluster.spec.config.kind.as_str();
    // Source: docs/reference/quotas.md#cluster-limits; the service does not report usage.
    let limit = match kind {
        "Basic" | "Standard" => 1_000,
        "Enterprise" => 4_000,
        "Dedicated" | "Freight" => 10_000,
        _ => {
            return Some(CheckResult::unknown(
                "ACLs",
                format!("{used} used, {wanted} planned, unknown limit"),
            ));
        }
    };
    let detail = format!("{used} used, {wanted} planned, limit {limit} on a cluster of type {kind}");
    Some(match wanted > 0 && used + wanted > limit {
        false => CheckResult::ok("ACLs", detail),
        true => CheckResult::problem(
            "ACLs",
            detail,
            "Onboard fewer departments, use a template without ACLs, or use a larger cluster type.",
        ),
    })
}

fn check_quota(row: &BudgetRow) -> CheckResult {
    let limit = row
        .limit
        .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    let at_least = if row.reported { "" } else { "at least " };
    let detail = format!(
        "{}: {at_least}{} used, {} planned, limit {limit}",
        row.name, row.used, row.added
    );
    match row.verdict {
        BudgetVerdict::Fits => CheckResult::ok("provider quota", detail),
        BudgetVerdict::Unknown => CheckResult::unknown("provider quota", detail),
        BudgetVerdict::Exceeds => CheckResult::problem(
            "provider quota",
            format!("{detail}; at most 90 % of the limit may be used"),
            format!(
                "Ask Confluent support to raise `{}`, or onboard fewer departments.",
                row.quota_code
            ),
        ),
    }
}
