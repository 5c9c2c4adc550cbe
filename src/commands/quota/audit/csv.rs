//! The audit for spreadsheets: one line for each number that has a limit, and for each connector that should not be so.

use jiff::Timestamp;

use super::judge::{Audit, ProviderQuota, StageAudit};
use crate::commands::{fleet::at_least, quota::state::State};

const HEADER: [&str; 8] = [
    "stage",
    "kind",
    "subject",
    "dimension",
    "used",
    "limit",
    "state",
    "over_seen_since",
];

/// The lines.
pub(super) fn csv(audit: &Audit) -> String {
    let mut rows: Vec<[String; 8]> = Vec::new();
    for stage in &audit.stages {
        lines(stage, &mut rows);
    }
    rows.extend(
        audit
            .provider_quotas
            .iter()
            .map(|quota| provider("", "organization", quota)),
    );
    // A spreadsheet must not take what was not seen for nothing.
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
    crate::render::csv(&HEADER, rows.into_iter().map(Vec::from))
}

fn lines(stage: &StageAudit, rows: &mut Vec<[String; 8]>) {
    let name = stage.stage.as_str();
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
        // A spreadsheet must not take what was not seen for nothing.
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
    if let Some(platform) = &stage.platform {
        let limit = platform.tasks_allocatable;
        let state = platform.state;
        let numbers = [lower(platform.tasks, platform.complete), limit.to_string()];
        let seen = since(state, platform.over_seen_since);
        line("cluster", &stage.cluster, "tasks", numbers, state.word(), seen);
        let numbers = [platform.tasks_promised.to_string(), limit.to_string()];
        let state = if platform.promised_percent > 100 { "over" } else { "ok" };
        line("cluster", &stage.cluster, "tasks promised", numbers, state, none());
    }
    for row in &stage.departments {
        let code = row.department.as_str();
        // Each line has the state of its own number, and not that of the department.
        let state = State::of_one(row.connectors.into(), row.connectors_limit.into());
        let numbers = [row.connectors.to_string(), row.connectors_limit.to_string()];
        let seen = since(state, row.over_seen_since);
        line("department", code, "connectors", numbers, state.word(), seen);
        let state = State::of_tasks(row.tasks, row.tasks_limit, row.complete);
        let numbers = [lower(row.tasks, row.complete), row.tasks_limit.to_string()];
        let seen = since(state, row.over_seen_since);
        line("department", code, "tasks", numbers, state.word(), seen);
        for connector in &row.oversized {
            let numbers = [connector.tasks.to_string(), row.tasks_per_connector_limit.to_string()];
            let seen = since(State::Over, row.over_seen_since);
            let name = connector.name.as_str();
            line("connector", name, "tasks per connector", numbers, "over", seen);
        }
    }
    for row in &stage.unmanaged {
        line(
            "connector",
            &row.name,
            "tasks",
            [lower(row.tasks, row.complete), none()],
            "unmanaged",
            none(),
        );
    }
    for row in &stage.foreign_accounts {
        let state = format!("runs as {}", row.runs_as);
        line("connector", &row.name, "account", [none(), none()], &state, none());
    }
    for row in &stage.unclear_accounts {
        let state = format!("unknown: {}", row.reason);
        line("connector", &row.name, "account", [none(), none()], &state, none());
    }
    rows.extend(
        stage
            .provider_quotas
            .iter()
            .map(|quota| provider(name, &stage.cluster, quota)),
    );
}

/// A number of tasks, which is a lower bound unless it is `complete`.
fn lower(tasks: u32, complete: bool) -> String {
    format!("{}{tasks}", at_least(complete))
}

/// Since when it has been seen so, where it is over.
fn since(state: State, seen: Option<Timestamp>) -> String {
    let seen = seen.filter(|_| state == State::Over);
    seen.map(|at| at.to_string()).unwrap_or_default()
}

fn provider(stage: &str, subject: &str, quota: &ProviderQuota) -> [String; 8] {
    [
        stage.to_owned(),
        "provider".to_owned(),
        subject.to_owned(),
        quota.quota_code.clone(),
        quota.used.map_or_else(|| "unknown".to_owned(), |used| used.to_string()),
        quota
            .limit
            .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
        quota.state.map_or("unknown", |state| state.word()).to_owned(),
        String::new(),
    ]
}
