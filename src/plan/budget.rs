//! Whether the provider's quotas have room for a plan (docs/reference/quotas.md#service-quota-codes).

use serde::Serialize;

use super::change::{PlannedChange, PlannedOperation, PlannedPattern};
use crate::{
    api::quota::{AppliedQuota, BINDINGS_PER_CLUSTER, BINDINGS_PER_ORG, CLOUD_KEYS_PER_ORG, SERVICE_ACCOUNTS_PER_ORG},
    model::{KeyKind, ResourceKind, Snapshot},
};

/// The share of a limit that may be used: Confluent itself warns at 90 % (docs/reference/quotas.md#service-quota-api).
const USABLE_PERCENT: i64 = 90;

/// What a comparison of wanted and used with the limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetVerdict {
    /// There is room.
    Fits,
    /// Even what is known for certain goes over 90 % of the limit.
    Exceeds,
    /// The service tells no limit or no usage, and what we counted ourselves does not exceed it.
    Unknown,
}

/// One quota, before and after a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetRow {
    /// The code, as the service names it.
    pub quota_code: &'static str,
    /// What is counted, for people.
    pub name: &'static str,
    /// The limit that applies here; `None` when the service does not tell it.
    pub limit: Option<i64>,
    /// What is used now: what the service reports, or at least what was seen.
    pub used: i64,
    /// Whether `used` is what the service reports; otherwise it is a lower bound, counted from lists.
    pub reported: bool,
    /// What the plan adds.
    pub added: i64,
    /// What that means.
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

/// Compares what `changes` need with `quotas`. Replacements count in full: the new one is made before the old one goes.
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
    // Each account is made with its owner: one more binding.
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
    // A list shows at most what there is: the larger of both is the better lower bound.
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
