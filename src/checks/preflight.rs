//! What an onboarding needs before its first write. Pure: it judges what was observed.

use super::{Check, cluster};
use crate::{
    model::SchemaRegistryId,
    plan::{BudgetRow, BudgetVerdict, Observed},
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
