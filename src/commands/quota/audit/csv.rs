//! Quota audit as CSV: one line per limited number, and one per connector that violates a rule.

use jiff::Timestamp;

use crate::fleet::quota_audit::{ProviderQuota, QuotaAudit, StageQuotaAudit};
use crate::{fleet::at_least_prefix, fleet::quota_state::QuotaState};

const HEADER: [&str; 8] = [
    "stage",
    "kind",
    "subject",
    "dimension",
    "used",
    "limit",
    "state",
    "over_quota_observed_since",
];

/// Returns the CSV lines.
pub(super) fn to_csv(audit: &QuotaAudit) -> String {
    let mut rows: Vec<[String; 8]> = Vec::new();
    for stage in &audit.stages {
        push_stage_lines(stage, &mut rows);
    }
    rows.extend(
        audit
            .provider_quotas
            .iter()
            .map(|quota| provider_line("", "organization", quota)),
    );
    // An unread quota is marked as unknown, so that it does not look like zero.
    rows.extend(audit.unknown.iter().map(|(what, why)| {
        let [stage, dimension, used, limit, since] = <[String; 5]>::default();
        let state = format!("unknown: {why}");
        [
            stage,
            "unknown".to_owned(),
            what.clone(),
            dimension,
            used,
            limit,
            state,
            since,
        ]
    }));
    crate::render::to_csv(&HEADER, rows)
}

fn push_stage_lines(stage: &StageQuotaAudit, rows: &mut Vec<[String; 8]>) {
    let name = &stage.stage.to_string();
    let mut line = |kind: &str, subject: &str, dimension: &str, numbers: [String; 2], state: &str, since: String| {
        let [used, limit] = numbers;
        rows.push([
            name.to_owned(),
            kind.to_owned(),
            subject.to_owned(),
            dimension.to_owned(),
            used,
            limit,
            state.to_owned(),
            since,
        ]);
    };
    let none = String::new;
    if let Some(why) = &stage.unknown {
        // An unread stage is marked as unknown, so that it does not look like zero.
        line(
            "cluster",
            &stage.cluster,
            "",
            [none(), none()],
            &format!("unknown: {why}"),
            none(),
        );
        return;
    }
    if let Some(platform) = &stage.cluster_usage {
        let limit = platform.tasks_allocatable;
        let state = platform.state;
        let numbers = [lower_bound(platform.tasks, platform.complete), limit.to_string()];
        let over_since = over_quota_since(state, platform.over_quota_observed_since);
        line("cluster", &stage.cluster, "tasks", numbers, state.as_str(), over_since);
        let numbers = [platform.tasks_allocated.to_string(), limit.to_string()];
        let state = if platform.allocated_percent > 100 { "over" } else { "ok" };
        line("cluster", &stage.cluster, "tasks allocated", numbers, state, none());
    }
    for row in &stage.departments {
        let code = row.department.as_str();
        // Each line has the state of its own number, not of the whole department.
        let state = QuotaState::from_usage(row.connectors.into(), row.connectors_limit.into());
        let numbers = [row.connectors.to_string(), row.connectors_limit.to_string()];
        let over_since = over_quota_since(state, row.over_quota_observed_since);
        line("department", code, "connectors", numbers, state.as_str(), over_since);
        let state = QuotaState::from_tasks(row.tasks, row.tasks_limit, row.complete);
        let numbers = [lower_bound(row.tasks, row.complete), row.tasks_limit.to_string()];
        let over_since = over_quota_since(state, row.over_quota_observed_since);
        line("department", code, "tasks", numbers, state.as_str(), over_since);
        for connector in &row.oversized {
            let numbers = [connector.tasks.to_string(), row.tasks_per_connector_limit.to_string()];
            let over_since = over_quota_since(QuotaState::Over, row.over_quota_observed_since);
            let name = connector.name.as_str();
            line("connector", name, "tasks per connector", numbers, "over", over_since);
        }
    }
    for row in &stage.unowned {
        line(
            "connector",
            &row.name,
            "tasks",
            [lower_bound(row.tasks, row.complete), none()],
            "unowned",
            none(),
        );
    }
    for row in &stage.foreign_accounts {
        let state = format!("runs as {}", row.runs_as);
        line("connector", &row.name, "account", [none(), none()], &state, none());
    }
    for row in &stage.unknown_accounts {
        let state = format!("unknown: {}", row.reason);
        line("connector", &row.name, "account", [none(), none()], &state, none());
    }
    rows.extend(
        stage
            .provider_quotas
            .iter()
            .map(|quota| provider_line(name, &stage.cluster, quota)),
    );
}

/// Formats a number of tasks, marked as a lower bound unless `complete`.
fn lower_bound(tasks: u32, complete: bool) -> String {
    format!("{}{tasks}", at_least_prefix(complete))
}

/// Returns the time since when a number over quota has been observed.
fn over_quota_since(state: QuotaState, over_since: Option<Timestamp>) -> String {
    let over_since = over_since.filter(|_| state == QuotaState::Over);
    over_since.map(|at| at.to_string()).unwrap_or_default()
}

fn provider_line(stage: &str, subject: &str, quota: &ProviderQuota) -> [String; 8] {
    [
        stage.to_owned(),
        "provider".to_owned(),
        subject.to_owned(),
        quota.quota_code.clone(),
        quota.used.map_or_else(|| "unknown".to_owned(), |used| used.to_string()),
        quota
            .limit
            .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
        quota.state.map_or("unknown", |state| state.as_str()).to_owned(),
        String::new(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::connect::ExpandedConnector,
        fleet::quota_fixture::{audit, connector, evaluate, invalid, known_accounts},
    };

    fn assert_line(csv: &str, line: &str) {
        assert!(csv.lines().any(|known| known == line), "{line}: {csv}");
    }

    #[test]
    fn each_line_has_the_state_of_its_own_number() {
        let three = ["claims-a", "claims-b", "claims-c"].map(|name| (name, connector(1, "sa-claims")));
        let csv = to_csv(&audit(evaluate(&three, Some(&known_accounts()), 250)));
        assert_line(&csv, "prod,department,claims,connectors,3,2,over,1970-01-01T00:00:01Z");
        assert_line(&csv, "prod,department,claims,tasks,3,4,ok,");
        let large = [("claims-a", connector(3, "sa-claims"))];
        let csv = to_csv(&audit(evaluate(&large, Some(&known_accounts()), 250)));
        assert_line(&csv, "prod,department,claims,connectors,1,2,ok,");
        assert_line(
            &csv,
            "prod,connector,claims-a,tasks per connector,3,2,over,1970-01-01T00:00:01Z",
        );
    }

    #[test]
    fn a_lower_bound_is_marked() {
        let list = [
            ("claims-a", invalid("lots")),
            ("motor-a", connector(1, "sa-motor")),
            ("stray", ExpandedConnector::default()),
        ];
        let csv = to_csv(&audit(evaluate(&list, Some(&known_accounts()), 250)));
        assert_line(&csv, "prod,cluster,lkc-prod01,tasks,at least 3,225,unknown,");
        assert_line(&csv, "prod,department,claims,connectors,1,2,ok,");
        assert_line(&csv, "prod,department,claims,tasks,at least 1,4,unknown,");
        assert_line(&csv, "prod,department,motor,tasks,1,4,ok,");
        assert_line(&csv, "prod,connector,stray,tasks,at least 1,,unowned,");
    }
}
