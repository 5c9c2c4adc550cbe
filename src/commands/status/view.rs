//! Status of the fleet on a terminal. Tables are narrow; details follow as sentences.

use jiff::Timestamp;

use super::StatusOutput;
use crate::{
    fleet::{
        ConnectorCondition, ConnectorSummary, Fleet, FleetConnectorRow, FleetDepartmentRow, StageView, at_least_prefix,
        format_age,
    },
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

/// Length limit of a cause: about two lines of a terminal.
const MAX_CAUSE: usize = 110;

impl Viewable for StatusOutput {
    fn view(&self) -> Vec<Block> {
        let fleet = &self.fleet;
        let mut blocks = Vec::new();
        if let Some(outdated) = &fleet.stale {
            let line = TextLine::new().with_styled_text(Style::Warning, format!("As of {}", fleet.taken_at_text()));
            let line = line.with_text(format!(": refresh failed: {}.", outdated.reason));
            blocks.push(Block::line(line.with_hanging_indent(2)));
        }
        let stages = fleet.stages.iter();
        blocks.extend(stages.map(|stage| Block::titled(stage_title(stage), self::stage_blocks(fleet, stage))));
        if let Some(why) = &fleet.lag_unknown {
            let line = TextLine::from(format!("The lag of sinks is unknown: {why}."));
            blocks.push(Block::line(line.with_hanging_indent(2)));
        }
        blocks
    }
}

/// Returns a title such as `Stage prod (lkc-prod01)`.
pub(super) fn stage_title(stage: &StageView) -> String {
    format!("Stage {} ({})", stage.stage, stage.location.cluster)
}

fn stage_blocks(fleet: &Fleet, stage: &StageView) -> Vec<Block> {
    let mut blocks = vec![Block::Lines(summary_lines(stage))];
    let table = match &fleet.department {
        _ if stage.unknown.is_some() => None,
        Some(_) => (!stage.connectors.is_empty()).then(|| connector_table(fleet, stage)),
        None => Some(department_table(fleet, stage, true)),
    };
    blocks.extend(table.map(Block::Table));
    let mut troubles = Vec::new();
    if fleet.department.is_none() {
        let over_quota = stage.departments.iter().filter(|row| row.over_quota);
        troubles.extend(over_quota.map(department_quota_text));
    }
    troubles.extend(trouble_lines(stage));
    if !troubles.is_empty() {
        blocks.push(Block::Lines(troubles));
    }
    blocks
}

/// Returns the style of a condition, in addition to its word.
fn condition_style(condition: ConnectorCondition) -> Style {
    match condition {
        ConnectorCondition::Failed => Style::Error,
        ConnectorCondition::Degraded | ConnectorCondition::Unknown => Style::Warning,
        ConnectorCondition::Running => Style::Ok,
        ConnectorCondition::Starting | ConnectorCondition::Paused => Style::Muted,
    }
}

/// Returns sentences about the numbers of a stage.
fn summary_lines(stage: &StageView) -> Vec<TextLine> {
    let mut lines = vec![condition_line(stage)];
    if let Some(tasks) = stage.cluster_tasks {
        let line = format!("{} tasks are used; {} reserved.", tasks.summary(), tasks.reserved);
        lines.push(text::capitalize(&line).into());
    } else if let [row] = &stage.departments[..] {
        lines.push(department_quota_text(row));
    }
    lines
}

/// Returns the number of connectors per condition in one sentence.
pub(super) fn condition_line(stage: &StageView) -> TextLine {
    if let Some(why) = &stage.unknown {
        let line = TextLine::new().with_styled_text(Style::Warning, "Unknown");
        return line.with_text(format!(": {why}.")).with_hanging_indent(2);
    }
    let counts = stage.counts;
    let number = usize::try_from(counts.total()).unwrap_or(usize::MAX);
    let mut line = TextLine::from(text::capitalize(&text::count_noun(number, "connector")));
    let mut before = ": ";
    for condition in ConnectorCondition::ALL {
        let number = counts.get(condition);
        if number > 0 {
            line = line
                .with_text(before)
                .with_styled_text(condition_style(condition), format!("{number} {}", condition.as_str()));
            before = ", ";
        }
    }
    line.with_text(".")
}

fn department_quota_text(row: &FleetDepartmentRow) -> TextLine {
    let line = match row.over_quota {
        true => TextLine::new()
            .with_styled_text(Style::Error, "Over quota")
            .with_text(format!(": department `{}` uses", row.department)),
        false => TextLine::from(format!("Department `{}` uses", row.department)),
    };
    line.with_text(format!(
        " {} of {} connectors and {} tasks.",
        row.summary.counts.total(),
        row.connectors_limit,
        tasks_text(&row.summary, Some(row.tasks_limit))
    ))
    .with_hanging_indent(2)
}

/// Returns one row per department and one for unowned connectors; `all` includes departments without connectors.
pub(super) fn department_table(fleet: &Fleet, stage: &StageView, all: bool) -> Table {
    let mut table = Table::new([
        "Department",
        "Failed",
        "Degraded",
        "Running",
        "Other",
        "Tasks",
        "Failing For",
    ]);
    let now = fleet.taken_at;
    let meant = |row: &&FleetDepartmentRow| all || row.summary.counts.total() > 0;
    for row in stage.departments.iter().filter(meant) {
        table.push(department_cells(
            row.department.as_str(),
            &row.summary,
            Some(row.tasks_limit),
            now,
        ));
    }
    if let Some(unmanaged) = stage.unowned.as_ref().filter(|share| share.counts.total() > 0) {
        table.push(department_cells("(unowned)", unmanaged, None, now));
    }
    table
}

fn department_cells(name: &str, share: &ConnectorSummary, limit: Option<u32>, now: Timestamp) -> [Cell; 7] {
    let counts = share.counts;
    // Zeros are left blank, so that other numbers stand out.
    let number = |number: u32| (number > 0).then_some(number).into();
    let shown = [
        ConnectorCondition::Failed,
        ConnectorCondition::Degraded,
        ConnectorCondition::Running,
    ]
    .map(|condition| counts.get(condition));
    let other = counts.total() - shown.iter().sum::<u32>();
    [
        name.into(),
        number(shown[0]),
        number(shown[1]),
        number(shown[2]),
        number(other),
        Cell::Text(tasks_text(share, limit)),
        share.failing_since.map(|since| format_age(since, now)).into(),
    ]
}

fn tasks_text(share: &ConnectorSummary, limit: Option<u32>) -> String {
    let least = at_least_prefix(share.complete);
    match limit {
        Some(limit) => format!("{least}{} of {limit}", share.tasks),
        None => format!("{least}{}", share.tasks),
    }
}

/// Returns one row per connector.
pub(super) fn connector_table(fleet: &Fleet, stage: &StageView) -> Table {
    let lag = fleet.has_lag();
    let mut header = vec!["Name", "Status", "Tasks", "Observed For", "Plugin"];
    if lag {
        header.insert(3, "Lag");
    }
    let mut table = Table::new(header);
    for row in &stage.connectors {
        let mut cells = vec![
            Cell::text(&row.name),
            Cell::text(row.state_text()),
            Cell::Text(row.tasks_text()),
            row.observed_since.map(|since| format_age(since, fleet.taken_at)).into(),
            Cell::text(&row.plugin),
        ];
        if lag {
            cells.insert(3, lag_text(row).map(Cell::Number).into());
        }
        table.push(cells);
    }
    table
}

/// Formats the lag of a sink in records.
pub(super) fn lag_text(row: &FleetConnectorRow) -> Option<String> {
    row.lag_records.map(|lag| lag.to_string())
}

/// Returns one line per unhealthy connector.
fn trouble_lines(stage: &StageView) -> Vec<TextLine> {
    let noteworthy = stage.connectors.iter().filter(|row| row.is_notable());
    noteworthy
        .map(|row| trouble_line(row, &format!("{} is ", row.name), "", usize::MAX).with_hanging_indent(2))
        .collect()
}

/// Returns a connector with its state and cause, shortened to `width` columns.
pub(super) fn trouble_line(row: &FleetConnectorRow, before: &str, after: &str, width: usize) -> TextLine {
    let used = [before, row.state_text(), after].map(|text| text.chars().count());
    let room = width.saturating_sub(used.iter().sum::<usize>() + ": ….".chars().count());
    let words = row.reason(room.min(MAX_CAUSE)).unwrap_or_default();
    TextLine::from(before)
        .with_styled_text(condition_style(row.condition), row.state_text())
        .with_text(format!("{after}: {words}"))
}
