//! Checks before the first write of an onboarding. Pure: they evaluate an observation.

use super::{CheckResult, cluster};
use crate::{
    model::SchemaRegistryId,
    plan::{BudgetRow, BudgetVerdict, ObjectOperation, ObservedOrganization, Plan, PlannedChange, PlannedOperation},
    resources::{AnyKind, KINDS, KindInfo, ObjectLimit},
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

/// Checks whether the cluster has room for the objects of `plan`, for each observed kind with a limit.
#[must_use]
pub fn check_object_limits(observed: &ObservedOrganization, plan: &Plan) -> Vec<CheckResult> {
    let check = |kind: &&dyn AnyKind| check_object_limit(*kind, observed, plan);
    KINDS.iter().filter_map(check).collect()
}

fn check_object_limit(kind: &dyn AnyKind, observed: &ObservedOrganization, plan: &Plan) -> Option<CheckResult> {
    let info = kind.info();
    if observed.snapshot.unknown_reason(&info.listing).is_some() {
        return None;
    }
    let made = |change: &&PlannedChange| match &change.operation {
        PlannedOperation::Object(ObjectOperation::Create { object, .. }) => object.kind.id == info.id,
        _ => false,
    };
    let (used, wanted) = (kind.count(&observed.snapshot), plan.changes.iter().filter(made).count());
    object_limit_result(info, &observed.cluster.spec.config.kind, used, wanted)
}

/// Returns whether a cluster of a type has room for `wanted` more objects; `None` without a limit.
fn object_limit_result(info: &KindInfo, cluster_type: &str, used: usize, wanted: usize) -> Option<CheckResult> {
    let limit = match (info.limit)(cluster_type) {
        ObjectLimit::AtMost(limit) => limit,
        ObjectLimit::Unlimited => return None,
        ObjectLimit::Unknown => {
            return Some(CheckResult::unknown(
                info.plural,
                format!("{used} used, {wanted} planned, unknown limit"),
            ));
        }
    };
    let detail = format!("{used} used, {wanted} planned, limit {limit} on a cluster of type {cluster_type}");
    if wanted == 0 || used + wanted <= limit {
        return Some(CheckResult::ok(info.plural, detail));
    }
    if limit == 0 {
        let detail = format!("{} are not available on a cluster of type {cluster_type}", info.plural);
        let fix = "Remove them from the files of the departments, or use a cluster of another type.";
        return Some(CheckResult::problem(info.plural, detail, fix));
    }
    let fix = format!(
        "Onboard fewer departments, use a template without {}, or use a larger cluster type.",
        info.plural
    );
    Some(CheckResult::problem(info.plural, detail, fix))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::CheckState, model::ClientQuota, resources::ProvisionedKind as _};

    // Source: docs/reference/quotas.md#client-quotas
    #[test]
    fn client_quotas_are_refused_on_clusters_that_have_none() {
        let check = |cluster_type, wanted| object_limit_result(ClientQuota::INFO, cluster_type, 0, wanted);
        for cluster_type in ["Basic", "Standard"] {
            let result = check(cluster_type, 1).unwrap();
            assert_eq!(result.state, CheckState::Problem);
            let expected = format!("client quotas are not available on a cluster of type {cluster_type}");
            assert_eq!(result.detail, expected);
            assert_eq!(check(cluster_type, 0).unwrap().state, CheckState::Ok);
        }
        for cluster_type in ["Enterprise", "Dedicated", "Freight"] {
            assert_eq!(check(cluster_type, 1), None, "{cluster_type}");
        }
    }
}
