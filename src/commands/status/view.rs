//! What people see of the fleet on a terminal. Tables stay narrow, and what takes words stands below them.

use jiff::Timestamp;

use super::Shown;
use crate::{
    commands::fleet::{Condition, ConnectorRow, DepartmentRow, Fleet, Share, StageView, age, at_least},
    render::{Block, Cell, Line, Style, Table, Viewable, words},
};

/// Of a cause, what a line or two of a terminal hold.
const CAUSE: usize = 110;

impl Viewable for Shown {
    fn view(&self) -> Vec<Block> {
        let fleet = &self.fleet;
        let mut blocks = Vec::new();
        if let Some(outdated) = &fleet.outdated {
            let line = Line::new().styled(Style::Warning, format!("As of {}", fleet.time()));
            let line = line.then(format!(": nobody could look again: {}.", outdated.why));
            blocks.push(Block::line(line.hang(2)));
        }
        let stages = fleet.stages.iter();
        blocks.extend(stages.map(|stage| Block::titled(title(stage), self::blocks(fleet, stage))));
        if let Some(why) = &fleet.lag_unknown {
            let line = Line::from(format!("How far sinks are behind is not known: {why}."));
            blocks.push(Block::line(line.hang(2)));
        }
        blocks
    }
}

/// `Stage prod (lkc-prod01)`.
pub(super) fn title(stage: &StageView) -> String {
    format!("Stage {} ({})", stage.stage, stage.place.cluster)
}

fn blocks(fleet: &Fleet, stage: &StageView) -> Vec<Block> {
    let mut blocks = vec![Block::Lines(summary(stage))];
    let table = match &fleet.department {
        _ if stage.unknown.is_some() => None,
        Some(_) => (!stage.connectors.is_empty()).then(|| connectors(fleet, stage)),
        None => Some(departments(fleet, stage, true)),
    };
    blocks.extend(table.map(Block::Table));
    let troubles = troubles(stage);
    if !troubles.is_empty() {
        blocks.push(Block::Lines(troubles));
    }
    blocks
}

/// How a condition looks; the word says it, too.
fn style(condition: Condition) -> Style {
    match condition {
        Condition::Failed => Style::Error,
        Condition::Degraded | Condition::Unknown => Style::Warning,
        Condition::Running => Style::Ok,
        Condition::Starting | Condition::Paused => Style::Muted,
    }
}

/// The numbers of a stage in sentences.
fn summary(stage: &StageView) -> Vec<Line> {
    let mut lines = vec![counted(stage)];
    if let Some(tasks) = stage.cluster_tasks {
        let line = format!(
            "{} tasks are used; {} more are kept in reserve.",
            tasks.words(),
            tasks.reserved
        );
        lines.push(capital(line.into()));
    } else if let [row] = &stage.departments[..] {
        lines.push(own_quota(row).into());
    }
    lines
}

/// How many connectors are how, in one sentence.
pub(super) fn counted(stage: &StageView) -> Line {
    if let Some(why) = &stage.unknown {
        let line = Line::new().styled(Style::Warning, "Not known");
        return line.then(format!(": {why}.")).hang(2);
    }
    let counts = stage.counts;
    let number = usize::try_from(counts.total()).unwrap_or(usize::MAX);
    let mut line = Line::from(words::count(number, "connector"));
    let mut before = ": ";
    for condition in Condition::ALL {
        let number = counts.of(condition);
        if number > 0 {
            line = line
                .then(before)
                .styled(style(condition), format!("{number} {}", condition.word()));
            before = ", ";
        }
    }
    capital(line.then("."))
}

fn own_quota(row: &DepartmentRow) -> String {
    format!(
        "Department \"{}\" uses {} of {} connectors and {} tasks.",
        row.department,
        row.share.counts.total(),
        row.connectors_limit,
        tasks(&row.share, Some(row.tasks_limit))
    )
}

fn capital(mut line: Line) -> Line {
    if let Some(first) = line.spans.first_mut()
        && let Some(letter) = first.text.get_mut(..1)
    {
        letter.make_ascii_uppercase();
    }
    line
}

/// One row per department, also for those without connectors if `all` are meant, and one for what is nobody's.
pub(super) fn departments(fleet: &Fleet, stage: &StageView, all: bool) -> Table {
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
    let meant = |row: &&DepartmentRow| all || row.share.counts.total() > 0;
    for row in stage.departments.iter().filter(meant) {
        table.push(cells(row.department.as_str(), &row.share, Some(row.tasks_limit), now));
    }
    if let Some(unmanaged) = stage.unmanaged.as_ref().filter(|share| share.counts.total() > 0) {
        table.push(cells("(nobody)", unmanaged, None, now));
    }
    table
}

fn cells(name: &str, share: &Share, limit: Option<u32>, now: Timestamp) -> [Cell; 7] {
    let counts = share.counts;
    // A zero in every cell would hide the numbers that matter.
    let number = |number: u32| (number > 0).then_some(number).into();
    let shown = [Condition::Failed, Condition::Degraded, Condition::Running].map(|condition| counts.of(condition));
    let other = counts.total() - shown.iter().sum::<u32>();
    [
        name.into(),
        number(shown[0]),
        number(shown[1]),
        number(shown[2]),
        number(other),
        Cell::Text(tasks(share, limit)),
        share.failing_since.map(|since| age(since, now)).into(),
    ]
}

fn tasks(share: &Share, limit: Option<u32>) -> String {
    let least = at_least(share.complete);
    match limit {
        Some(limit) => format!("{least}{} of {limit}", share.tasks),
        None => format!("{least}{}", share.tasks),
    }
}

/// One row per connector.
pub(super) fn connectors(fleet: &Fleet, stage: &StageView) -> Table {
    let lag = fleet.knows_lag();
    let mut header = vec!["Name", "Status", "Tasks", "Seen So For", "Plugin"];
    if lag {
        header.insert(3, "Lag");
    }
    let mut table = Table::new(header);
    for row in &stage.connectors {
        let mut cells = vec![
            Cell::text(&row.name),
            Cell::text(row.state()),
            Cell::Text(row.tasks()),
            row.seen_since.map(|since| age(since, fleet.taken_at)).into(),
            Cell::text(&row.plugin),
        ];
        if lag {
            cells.insert(3, lag_of(row).map(Cell::Number).into());
        }
        table.push(cells);
    }
    table
}

/// How many records a sink is behind.
pub(super) fn lag_of(row: &ConnectorRow) -> Option<String> {
    row.lag_records.map(|lag| lag.to_string())
}

/// What is wrong, one line for each connector.
fn troubles(stage: &StageView) -> Vec<Line> {
    let noteworthy = stage.connectors.iter().filter(|row| row.is_noteworthy());
    noteworthy
        .map(|row| trouble(row, &format!("{} is ", row.name), "", usize::MAX).hang(2))
        .collect()
}

/// Whose state is what and why, on one line where that is `width` columns long.
pub(super) fn trouble(row: &ConnectorRow, before: &str, after: &str, width: usize) -> Line {
    let used = [before, row.state(), after].map(|text| text.chars().count());
    let room = width.saturating_sub(used.iter().sum::<usize>() + ": ….".chars().count());
    let words = row.why(room.min(CAUSE)).unwrap_or_default();
    Line::from(before)
        .styled(style(row.condition), row.state())
        .then(format!("{after}: {words}"))
}
