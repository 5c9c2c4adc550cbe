//! Log lines of a time window for a terminal: the table of the Confluent CLI for one connector, plain lines for several.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::show::cause_lines,
    line::{LogLineView, indent_trace},
    rows::LogRow,
};
use crate::{
    api::logs::LogEntry,
    connectors::logs::ConnectorLines,
    model::PlatformTeam,
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    resources::logs::trace_dedup::{TraceDedup, TraceOccurrence},
};

/// Log lines of several connectors.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct LogLinesOutput {
    rows: Vec<LogRow>,
    #[serde(skip)]
    connectors: Vec<ConnectorLines>,
    #[serde(skip)]
    expand: bool,
    #[serde(skip)]
    platform_team: PlatformTeam,
}

impl LogLinesOutput {
    pub(super) fn new(found: Vec<ConnectorLines>, expand: bool, platform_team: PlatformTeam) -> Self {
        let mut rows: Vec<(Option<Timestamp>, LogRow)> = found
            .iter()
            .flat_map(|found| {
                found
                    .lines
                    .iter()
                    .map(|line| (line.parsed_timestamp(), LogRow::new(&found.name, line)))
            })
            .collect();
        rows.sort_by_key(|(at, _)| *at);
        Self {
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            connectors: found,
            expand,
            platform_team,
        }
    }
}

impl Viewable for LogLinesOutput {
    fn view(&self) -> Vec<Block> {
        let mut blocks = match self.connectors.as_slice() {
            // The department has no connectors.
            [] => vec![Block::Empty],
            [one] if one.lines.is_empty() => Vec::new(),
            [one] if self.expand => vec![
                Block::Lines(count_line(one)),
                merge_by_time(&self.connectors, false, true),
            ],
            [one] => log_table(one),
            several => vec![merge_by_time(several, true, self.expand)],
        };
        let in_vain = |found: &ConnectorLines| !found.unread && !found.never_started();
        if self.rows.is_empty() && self.connectors.iter().any(in_vain) {
            // Message of the Confluent CLI (docs/reference/cli.md#tables).
            blocks = vec![Block::line("No logs found for the current query")];
        }
        for found in self.connectors.iter().filter(|found| found.more) {
            blocks.push(Block::line(format!(
                "Showing the newest {} of connector `{}`; there are more. Narrow with --since, --level or --grep, raise \
                 --limit, or write them all into a file: --limit 0 --output-file FILE",
                found.lines.len(),
                found.id
            )));
        }
        let statuses = self.connectors.iter();
        blocks.extend(statuses.filter_map(|connector| status_block(connector, &self.platform_team)));
        blocks.retain(|block| !matches!(block, Block::Verbatim(text) if text.is_empty()));
        blocks
    }
}

/// Returns the status of a connector whose log does not show it.
pub(super) fn status_block(connector: &ConnectorLines, platform_team: &PlatformTeam) -> Option<Block> {
    let state = connector.state.as_ref()?;
    let mut blocks = vec![Block::line(match connector.never_started() {
        true => {
            format!(
                "It is {state}: its configuration was rejected. A connector without a started task has no log lines."
            )
        }
        false => format!("It is {state}."),
    })];
    let cause = connector.cause.as_ref();
    blocks.extend(cause.map(|cause| cause_lines(&connector.id, &connector.name, cause, platform_team)));
    Some(Block::titled(format!("Status of Connector {}", connector.id), blocks))
}

/// Returns the table of the Confluent CLI. Each distinct stack trace is printed once below the table, because a cell is
/// too narrow; repeated lines are left out.
fn log_table(found: &ConnectorLines) -> Vec<Block> {
    let mut folds = TraceDedup::default();
    let mut traces: Vec<RepeatedTrace<'_>> = Vec::new();
    let mut rows: Vec<(&LogEntry, Option<usize>)> = Vec::new();
    for line in &found.lines {
        match folds.record(line) {
            TraceOccurrence::None => rows.push((line, None)),
            TraceOccurrence::First(_) => {
                rows.push((line, Some(traces.len())));
                traces.push(RepeatedTrace {
                    times: 1,
                    first: line,
                    last: line,
                });
            }
            TraceOccurrence::Repeated { number, times } => {
                let known = usize::try_from(number - 1).ok().and_then(|at| traces.get_mut(at));
                if let Some(known) = known {
                    (known.times, known.last) = (times, line);
                }
            }
        }
    }
    let mut table = Table::new(["Timestamp", "Level", "Task ID", "Message", "Exception"]);
    let folded = found.lines.len() - rows.len();
    for (line, trace) in rows {
        let cell = trace.map(|number| {
            let times = traces[number].times;
            let again = if times > 1 {
                format!(", {times} times")
            } else {
                String::new()
            };
            format!("Stack trace {}{again}", number + 1)
        });
        table.push([
            Cell::text(&line.timestamp),
            Cell::text(&line.level),
            Cell::text(&line.task_id),
            Cell::Multiline(line.message.clone()),
            cell.into(),
        ]);
    }
    let mut head = count_line(found);
    if folded > 0 {
        let noun = if folded == 1 { "line with" } else { "lines with" };
        head.push(TextLine::from(format!(
            "{folded} {noun} a repeated stack trace left out; --expand shows them."
        )));
    }
    let mut blocks = vec![Block::Lines(head), Block::Table(table)];
    for (number, trace) in traces.iter().enumerate() {
        let when = match trace.times {
            1 => format!("At {}:", trace.first.timestamp),
            times => format!(
                "{times} times, from {} to {}:",
                trace.first.timestamp, trace.last.timestamp
            ),
        };
        blocks.push(Block::titled(
            format!("Stack Trace {}", number + 1),
            [
                Block::Lines(vec![TextLine::new().with_styled_text(Style::Muted, when)]),
                Block::Verbatim(indent_trace(trace.first.trace(), false)),
            ],
        ));
    }
    blocks
}

/// Message of the Confluent CLI (docs/reference/cli.md#tables).
fn count_line(found: &ConnectorLines) -> Vec<TextLine> {
    let count = found.lines.len();
    let noun = if count == 1 { "entry" } else { "entries" };
    vec![TextLine::from(format!(
        "Found {count} log {noun} for connector {}:",
        found.id
    ))]
}

/// Stack trace with the times of its occurrences.
struct RepeatedTrace<'a> {
    times: u32,
    first: &'a LogEntry,
    last: &'a LogEntry,
}

/// Merges the lines of several connectors in chronological order.
fn merge_by_time(several: &[ConnectorLines], named: bool, expand: bool) -> Block {
    let mut lines: Vec<(&str, &LogEntry)> = several
        .iter()
        .flat_map(|found| found.lines.iter().map(|line| (found.name.as_str(), line)))
        .collect();
    lines.sort_by_key(|(_, line)| line.parsed_timestamp());
    let mut folds = TraceDedup::default();
    let texts = lines
        .iter()
        .map(|(name, line)| LogLineView::new(name, line, named, &mut folds, expand).text);
    Block::Verbatim(texts.collect())
}
