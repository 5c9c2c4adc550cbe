//! Check of a plan against the quotas of Confluent Cloud (docs/reference/quotas.md#service-quota-codes).

use serde::Serialize;

use super::change::{PlannedChange, PlannedOperation, PlannedPattern};
use crate::{
    api::quota::{AppliedQuota, BINDINGS_PER_CLUSTER, BINDINGS_PER_ORG, CLOUD_KEYS_PER_ORG, SERVICE_ACCOUNTS_PER_ORG},
    model::{KeyKind, ResourceKind, Snapshot},
};

/// Percentage of a limit that a plan may use: Confluent itself warns at 90 %
/// (docs/reference/quotas.md#service-quota-api).
const USABLE_PERCENT: i64 = 90;

/// Result of comparing used and added objects with the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetVerdict {
    /// The plan fits.
    Fits,
    /// Even the known usage exceeds 90 % of the limit.
    Exceeds,
    /// The service reports no limit or no usage, and the counted objects do not exceed the limit.
    Unknown,
}

/// One quota before and after a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetRow {
    /// Quota code of the service.
    pub quota_code: &'static str,
    /// Name of the counted objects, for display.
    pub name: &'static str,
    /// Limit that applies here; `None` if the service does not report it.
    pub limit: Option<i64>,
    /// Current usage: as reported by the service, or at least the number of listed objects.
    pub used: i64,
    /// Whether the service reports `used`; otherwise it is a lower bound, counted from lists.
    pub reported: bool,
    /// Number of objects that the plan adds.
    pub added: i64,
    /// Result of the comparison.
    pub verdict: BudgetVerdict,
}

impl BudgetRow {
    /// Usage after the plan.
    #[must_use]
    pub fn used_after(&self) -> i64 {
        self.used + self.added
    }
}

fn counts_on_cluster(kind: ResourceKind) -> bool {
    use ResourceKind::{Cluster, Connector, Group, Topic, TransactionalId};
    matches!(kind, Cluster | Connector | Group | Topic | TransactionalId)
}

fn planned_kind(pattern: &PlannedPattern) -> ResourceKind {
    match pattern {
        PlannedPattern::Known(pattern) => pattern.kind(),
        PlannedPattern::Account(_) => ResourceKind::ServiceAccount,
    }
}

/// Compares the needs of `changes` with `quotas`. A replacement counts in full, because the new object is created
/// before the old one is deleted.
#[must_use]
pub fn check_budget(changes: &[PlannedChange], snapshot: &Snapshot, quotas: &[AppliedQuota]) -> Vec<BudgetRow> {
    let count =
        |wanted: fn(&PlannedOperation) -> i64| changes.iter().map(|change| wanted(&change.operation)).sum::<i64>();
    let accounts = count(|operation| i64::from(matches!(operation, PlannedOperation::CreateAccount { .. })));
    let cloud_keys = count(|operation| {
        i64::from(matches!(
            operation,
            PlannedOperation::CreateKey {
                kind: KeyKind::Cloud,
                ..
            }
        ))
    });
    let on_cluster = count(|operation| match operation {
        PlannedOperation::CreateBinding { pattern, .. } => i64::from(counts_on_cluster(planned_kind(pattern))),
        _ => 0,
    });
    // Each account gets a role binding for its owner.
    let bindings = accounts + count(|operation| i64::from(matches!(operation, PlannedOperation::CreateBinding { .. })));

    let seen_on_cluster = snapshot.bindings.iter().filter(|seen| {
        let pattern = &seen.binding.pattern;
        counts_on_cluster(pattern.kind())
            && pattern.value_of(ResourceKind::Cluster) == Some(snapshot.address.cluster.as_str())
    });
    let seen_cloud_keys = snapshot
        .keys
        .iter()
        .filter(|key| key.resource == crate::api::keys::CLOUD);
    let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = [
        (
            SERVICE_ACCOUNTS_PER_ORG,
            "service accounts of the organization",
            accounts,
            size(snapshot.accounts.len()),
        ),
        (
            CLOUD_KEYS_PER_ORG,
            "Cloud API keys of the organization",
            cloud_keys,
            size(seen_cloud_keys.count()),
        ),
        (
            BINDINGS_PER_CLUSTER,
            "role bindings of the cluster",
            on_cluster,
            size(seen_on_cluster.count()),
        ),
        (
            BINDINGS_PER_ORG,
            "role bindings of the organization",
            bindings,
            size(snapshot.bindings.len()),
        ),
    ];
    rows.into_iter()
        .map(|(code, name, wanted, seen)| budget_row(code, name, wanted, seen, quotas))
        .collect()
}

fn budget_row(code: &'static str, name: &'static str, wanted: i64, seen: i64, quotas: &[AppliedQuota]) -> BudgetRow {
    let quota = quotas.iter().find(|quota| quota.id == code);
    let limit = quota.map(|quota| quota.applied_limit);
    let usage = quota.and_then(|quota| quota.usage);
    // A list may be incomplete, so the larger number is the better lower bound.
    let used = usage.unwrap_or(0).max(seen);
    let verdict = match limit {
        Some(limit) if wanted > 0 && (used + wanted) * 100 > limit * USABLE_PERCENT => BudgetVerdict::Exceeds,
        Some(_) if usage.is_some() => BudgetVerdict::Fits,
        _ => BudgetVerdict::Unknown,
    };
    BudgetRow {
        quota_code: code,
        name,
        limit,
        used,
        reported: usage.is_some(),
        added: wanted,
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limit: i64, usage: Option<i64>) -> AppliedQuota {
        let usage = usage.map_or(String::new(), |usage| format!(r#","usage":{usage}"#));
        let json = format!(r#"{{"id":"{SERVICE_ACCOUNTS_PER_ORG}","applied_limit":{limit}{usage}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn verdict(wanted: i64, seen: i64, quotas: &[AppliedQuota]) -> BudgetVerdict {
        budget_row(SERVICE_ACCOUNTS_PER_ORG, "x", wanted, seen, quotas).verdict
    }

    #[test]
    fn usage_up_to_ninety_percent_of_the_limit_fits() {
        assert_eq!(verdict(90, 0, &[quota(100, Some(0))]), BudgetVerdict::Fits);
        assert_eq!(verdict(91, 0, &[quota(100, Some(0))]), BudgetVerdict::Exceeds);
        assert_eq!(verdict(1, 0, &[quota(100, Some(90))]), BudgetVerdict::Exceeds);
    }

    #[test]
    fn a_plan_that_adds_nothing_always_fits() {
        assert_eq!(verdict(0, 0, &[quota(100, Some(100))]), BudgetVerdict::Fits);
    }

    #[test]
    fn missing_usage_is_unknown_unless_the_counted_objects_exceed_the_limit() {
        assert_eq!(verdict(10, 5, &[quota(100, None)]), BudgetVerdict::Unknown);
        assert_eq!(verdict(10, 85, &[quota(100, None)]), BudgetVerdict::Exceeds);
        assert_eq!(verdict(10, 5, &[]), BudgetVerdict::Unknown);
    }
}
