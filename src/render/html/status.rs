//! Status of the fleet, or of one department.

use askama::Template;

use super::{
    PageFrame,
    parts::{ConditionBadge, PageTable, TableCell, UsageGauge, UsageMeter, name_with_code},
};
use crate::{
    fleet::{
        ConditionCounts, ConnectorCondition, ConnectorSummary, Fleet, FleetConnectorRow, FleetDepartmentRow, StageView,
        at_least_prefix, format_age,
    },
    model::PlatformTeam,
    quota::ADVISORY,
    resources::connector::diagnosis::FaultOwner,
    text::count_noun,
};

/// Length limit of causes; longer than on a terminal.
const MAX_CAUSE: usize = 320;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    frame: PageFrame,
    stages: Vec<StageSection>,
}

struct StageSection {
    name: String,
    cluster: String,
    content: StageContent,
}

enum StageContent {
    /// Reason why the stage was not observed.
    Unknown(String),
    /// Sentence about a stage without connectors.
    Empty(String),
    Connectors(Box<StageDetails>),
}

struct StageDetails {
    tiles: Vec<ConditionTile>,
    /// Numbers of the tiles in one sentence.
    summary: String,
    total: u32,
    bar: Vec<BarPart>,
    gauges: Vec<UsageGauge>,
    attention: PageTable,
    /// Departments; `None` on the page of a single one.
    departments: Option<PageTable>,
    without_connectors: Vec<String>,
    groups: Vec<ConnectorGroup>,
}

/// Number of connectors in a condition.
struct ConditionTile {
    condition: ConditionBadge,
    number: u32,
}

/// Connectors of one condition in the bar of all connectors.
struct BarPart {
    class: &'static str,
    start: u32,
    width: u32,
}

/// Connectors of one department.
struct ConnectorGroup {
    /// Name of the department; `None` on its own page.
    owner: Option<String>,
    count: String,
    table: PageTable,
}

/// Renders the status as a page.
#[must_use]
pub fn status_page(fleet: &Fleet) -> String {
    let (condition, verdict) = fleet.verdict();
    let sections = fleet.stages.iter().map(|stage| StageSection {
        name: stage.stage.to_string(),
        cluster: stage.location.cluster.clone(),
        content: stage_content(fleet, stage),
    });
    let page = StatusPage {
        frame: PageFrame {
            title: match fleet.single_department() {
                Some(department) => format!("Connectors of {}", department.name),
                None => "Connectors of all departments".to_owned(),
            },
            verdict: ConditionBadge::new(condition, verdict),
            taken_at: fleet.taken_at,
            omissions: omissions(fleet),
        },
        stages: sections.collect(),
    };
    page.to_string()
}

fn omissions(fleet: &Fleet) -> Vec<String> {
    let records = if fleet.has_lag() {
        "How many records flow, and what connectors log. How many records sinks are behind is from a few minutes before."
    } else {
        "How many records flow, how far connectors lag behind, and what they log."
    };
    let others = if fleet.department.is_some() {
        "Connectors of other departments, and the usage of the shared cluster."
    } else {
        "Departments of other platforms, and clusters without a stage."
    };
    let mut sentences = [
        "Changes after the time above: the page does not refresh itself.",
        records,
        "When a state began: the API does not report it. “Observed for” is how long the machine that created this page \
         has observed the state; “5h+” means at least 5 hours.",
        others,
    ]
    .map(str::to_owned)
    .to_vec();
    let unobserved = fleet.unobserved_stages();
    sentences.extend(unobserved.map(|(stage, why)| format!("Stage {stage}, which was not observed: {why}.")));
    sentences.push(ADVISORY.to_owned());
    sentences
}

fn stage_content(fleet: &Fleet, stage: &StageView) -> StageContent {
    if let Some(why) = &stage.unknown {
        return StageContent::Unknown(why.to_string());
    }
    if stage.connectors.is_empty() {
        return StageContent::Empty(match fleet.department {
            Some(_) => "No connectors.".to_owned(),
            None => format!(
                "None of {} has connectors.",
                count_noun(stage.departments.len(), "department")
            ),
        });
    }
    let is_whole_fleet = fleet.department.is_none();
    let with_connectors = |row: &&FleetDepartmentRow| row.summary.counts.total() > 0;
    let (some, none): (Vec<_>, Vec<_>) = stage.departments.iter().partition(with_connectors);
    StageContent::Connectors(Box::new(StageDetails {
        tiles: ConnectorCondition::ALL
            .map(|condition| tile(condition, stage.counts))
            .into(),
        summary: stage.counts.summary(),
        total: stage.counts.total(),
        bar: bar_parts(stage.counts),
        gauges: gauges(stage),
        attention: attention_table(fleet, stage),
        departments: is_whole_fleet.then(|| department_table(fleet, &some, stage.unowned.as_ref())),
        without_connectors: none
            .iter()
            .map(|row| name_with_code(&row.name, &row.department))
            .collect(),
        groups: if is_whole_fleet {
            groups_by_department(fleet, stage)
        } else {
            vec![ConnectorGroup {
                owner: None,
                count: String::new(),
                table: connector_table(fleet, "Connectors that need attention first.", stage.connectors.iter()),
            }]
        },
    }))
}

fn tile(condition: ConnectorCondition, counts: ConditionCounts) -> ConditionTile {
    ConditionTile {
        condition: condition.into(),
        number: counts.get(condition),
    }
}

fn bar_parts(counts: ConditionCounts) -> Vec<BarPart> {
    let mut start = 0;
    let parts = ConnectorCondition::ALL.map(|condition| {
        let width = counts.get(condition);
        start += width;
        BarPart {
            class: condition.as_str(),
            start: start - width,
            width,
        }
    });
    parts.into_iter().filter(|part| part.width > 0).collect()
}

/// Returns the usage of the cluster, or of the quota of a single department.
fn gauges(stage: &StageView) -> Vec<UsageGauge> {
    if let Some(tasks) = stage.cluster_tasks {
        return vec![UsageGauge {
            label: "Tasks of the cluster",
            text: format!("{}; {} reserved", tasks.summary(), tasks.reserved),
            meter: UsageMeter::new(tasks.used, tasks.allocatable, tasks.complete),
        }];
    }
    let [row] = &stage.departments[..] else {
        return Vec::new();
    };
    let gauge = |label, used, limit, complete| UsageGauge {
        label,
        text: format!("{}{used} of {limit}", at_least_prefix(complete)),
        meter: UsageMeter::new(used, limit, complete),
    };
    let summary = &row.summary;
    vec![
        gauge("Connector quota", summary.counts.total(), row.connectors_limit, true),
        gauge("Task quota", summary.tasks, row.tasks_limit, summary.complete),
    ]
}

/// Returns the unhealthy connectors.
fn attention_table(fleet: &Fleet, stage: &StageView) -> PageTable {
    let mut columns = vec!["Connector", "State", "Observed for", "Problem", "Responsible"];
    // The department is obvious on its own page.
    let is_whole_fleet = fleet.department.is_none();
    columns.extend(is_whole_fleet.then_some("Department"));
    let notable = stage.connectors.iter().filter(|row| row.is_notable());
    let rows = notable.map(|row| {
        let department = row.department.as_ref().map_or("unowned", |code| code.as_str());
        let mut cells = vec![
            TableCell::named(&row.name, &row.plugin),
            TableCell::condition(row.condition, row.state_text()),
            observed_for(fleet, row),
            TableCell::Problem {
                reason: row.reason(MAX_CAUSE).unwrap_or_default(),
                fix: row.fix,
            },
            TableCell::text(row.owner.map(|owner| owner_name(owner, &fleet.platform_team))),
        ];
        cells.extend(is_whole_fleet.then(|| TableCell::text(Some(department))));
        cells
    });
    PageTable {
        caption: "Worst state first, then longest observed.".to_owned(),
        columns,
        rows: rows.collect(),
    }
}

fn owner_name(owner: FaultOwner, platform_team: &PlatformTeam) -> String {
    match owner {
        FaultOwner::Department => "department".to_owned(),
        FaultOwner::Network => "network team".to_owned(),
        FaultOwner::Confluent => "Confluent".to_owned(),
        FaultOwner::Platform => platform_team.label(),
        FaultOwner::Unknown => "unknown".to_owned(),
    }
}

fn observed_for(fleet: &Fleet, row: &FleetConnectorRow) -> TableCell {
    TableCell::text(row.observed_since.map(|since| format_age(since, fleet.taken_at)))
}

/// Returns one row per department with connectors, and one for unowned connectors.
fn department_table(
    fleet: &Fleet,
    departments: &[&FleetDepartmentRow],
    unowned: Option<&ConnectorSummary>,
) -> PageTable {
    let failing_for = |summary: &ConnectorSummary| {
        TableCell::text(summary.failing_since.map(|since| format_age(since, fleet.taken_at)))
    };
    let rows = departments.iter().map(|row| {
        let summary = &row.summary;
        vec![
            TableCell::named(&row.name, row.department.as_str()),
            TableCell::Condition(summary.condition.unwrap_or(ConnectorCondition::Unknown).into()),
            TableCell::usage(summary.counts.total(), row.connectors_limit, true),
            TableCell::usage(summary.tasks, row.tasks_limit, summary.complete),
            TableCell::text(summary.worst.as_deref()),
            failing_for(summary),
        ]
    });
    let unowned = unowned.filter(|summary| summary.counts.total() > 0);
    let unowned = unowned.map(|summary| {
        vec![
            TableCell::named("Unowned", "no department has the prefix"),
            TableCell::Condition(summary.condition.unwrap_or(ConnectorCondition::Unknown).into()),
            TableCell::Text(summary.counts.total().to_string()),
            TableCell::Text(format!("{}{}", at_least_prefix(summary.complete), summary.tasks)),
            TableCell::text(summary.worst.as_deref()),
            failing_for(summary),
        ]
    });
    PageTable {
        caption: "Departments with unhealthy connectors first. Numbers are used and limit.".to_owned(),
        columns: vec!["Department", "State", "Connectors", "Tasks", "Worst", "Failing for"],
        rows: rows.chain(unowned).collect(),
    }
}

fn groups_by_department(fleet: &Fleet, stage: &StageView) -> Vec<ConnectorGroup> {
    let owned = stage
        .departments
        .iter()
        .map(|row| (row.name.as_str(), Some(&row.department)));
    let groups = owned.chain([("Unowned", None)]).map(|(owner, code)| {
        let rows = stage.connectors.iter().filter(|row| row.department.as_ref() == code);
        let table = connector_table(fleet, &format!("Connectors of {owner}."), rows);
        ConnectorGroup {
            owner: Some(owner.to_owned()),
            count: count_noun(table.rows.len(), "connector"),
            table,
        }
    });
    groups.filter(|group| !group.table.rows.is_empty()).collect()
}

fn connector_table<'a>(fleet: &Fleet, caption: &str, rows: impl Iterator<Item = &'a FleetConnectorRow>) -> PageTable {
    let mut columns = vec!["Connector", "State", "Running tasks", "Direction", "Observed for"];
    let has_lag = fleet.has_lag();
    columns.extend(has_lag.then_some("Lag (records)"));
    let rows = rows.map(|row| {
        let mut cells = vec![
            TableCell::named(&row.name, &row.plugin),
            TableCell::condition(row.condition, row.state_text()),
            TableCell::Text(row.tasks_text()),
            TableCell::Text(row.direction.clone()),
            observed_for(fleet, row),
        ];
        cells.extend(has_lag.then(|| TableCell::text(row.lag_records.map(|lag| lag.to_string()))));
        cells
    });
    PageTable {
        caption: caption.to_owned(),
        columns,
        rows: rows.collect(),
    }
}
