//! The audit for spreadsheets: one line for each number that has a limit, and for each connector that should not be so.

use super::judge::{Audit, ProviderQuota, StageAudit};

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
        let since = platform.over_seen_since.map(|at| at.to_string()).unwrap_or_default();
        let limit = platform.tasks_allocatable;
        let numbers = [platform.tasks.to_string(), limit.to_string()];
        line(
            "cluster",
            &stage.cluster,
            "tasks",
            numbers,
            platform.state.word(),
            since,
        );
        let numbers = [platform.tasks_promised.to_string(), limit.to_string()];
        let state = if platform.promised_percent > 100 { "over" } else { "ok" };
        line("cluster", &stage.cluster, "tasks promised", numbers, state, none());
    }
    for row in &stage.departments {
        let code = row.department.as_str();
        let since = || row.over_seen_since.map(|at| at.to_string()).unwrap_or_default();
        let numbers = [row.connectors.to_string(), row.connectors_limit.to_string()];
        line("department", code, "connectors", numbers, row.state.word(), since());
        let tasks = match row.complete {
            true => row.tasks.to_string(),
            false => format!("at least {}", row.tasks),
        };
        line(
            "department",
            code,
            "tasks",
            [tasks, row.tasks_limit.to_string()],
            row.state.word(),
            since(),
        );
        for connector in &row.oversized {
            let numbers = [connector.tasks.to_string(), row.tasks_per_connector_limit.to_string()];
            line(
                "connector",
                &connector.name,
                "tasks per connector",
                numbers,
                "over",
                none(),
            );
        }
    }
    for row in &stage.unmanaged {
        line(
            "connector",
            &row.name,
            "tasks",
            [row.tasks.to_string(), none()],
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

fn provider(stage: &str, subject: &str, quota: &ProviderQuota) -> [String; 8] {
    [
        stage.to_owned(),
        "provider".to_owned(),
        subject.to_owned(),
        quota.quota_code.clone(),
        quota.used.map_or_else(|| "unknown".to_owned(), |used| used.to_string()),
        quota.limit.to_string(),
        quota.state.map_or("unknown", |state| state.word()).to_owned(),
        String::new(),
    ]
}
