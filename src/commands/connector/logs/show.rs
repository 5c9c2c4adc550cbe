//! Formats log lines: the table of the Confluent CLI, plain lines for streams, and rows for machines.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    api::logs::LogEntry,
    render::{Block, Cell, Style, Table, TextLine, Viewable, escape, escape::escape_lines},
    resources::{
        connector::FailureCause,
        logs::trace_dedup::{TraceDedup, TraceOccurrence, innermost_cause},
    },
};

use super::super::show::cause_lines;

/// Number of lines shown of a stack trace without `--expand`.
const TRACE_LINES: usize = 30;

/// Machine-readable log line: the fields of the Confluent CLI (docs/reference/cli.md#tables) and the connector.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LogRow {
    timestamp: String,
    level: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    task_id: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<LogException>,
    connector: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

#[derive(Clone, Debug, Serialize)]
struct LogException {
    stacktrace: String,
}

impl LogRow {
    pub(super) fn new(connector: &str, line: &LogEntry) -> Self {
        Self {
            timestamp: line.timestamp.clone(),
            level: line.level.clone(),
            task_id: line.task_id.clone(),
            message: line.message.clone(),
            exception: line.exception.as_ref().map(|exception| LogException {
                stacktrace: exception.stacktrace.clone(),
            }),
            connector: connector.to_owned(),
            id: line.id.clone(),
        }
    }
}

/// Log line in a file, in the format of the Confluent CLI, where the stack trace is a string
/// (docs/reference/cli.md#log-command).
#[derive(Debug, Serialize)]
pub(super) struct LogFileRow<'a> {
    timestamp: &'a str,
    level: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    task_id: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    exception: &'a str,
    connector: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
}

impl<'a> LogFileRow<'a> {
    pub(super) fn new(connector: &'a str, line: &'a LogEntry) -> Self {
        Self {
            timestamp: &line.timestamp,
            level: &line.level,
            task_id: &line.task_id,
            message: &line.message,
            exception: line.trace(),
            connector,
            id: &line.id,
        }
    }
}

/// Log line that is printed as soon as it arrives.
#[derive(Debug, Serialize)]
pub(super) struct LogLineView {
    #[serde(flatten)]
    row: LogRow,
    #[serde(skip)]
    text: String,
}

impl LogLineView {
    /// Formats a line. With `named`, it contains the name of the connector.
    pub(super) fn new(connector: &str, line: &LogEntry, named: bool, folds: &mut TraceDedup, expand: bool) -> Self {
        let mut text = plain_line(connector, line, named);
        let trace = match folds.record(line) {
            TraceOccurrence::None => String::new(),
            TraceOccurrence::Repeated { number, times } if !expand => format!(
                "    (stack trace {number} repeated, {times} times so far: {})\n",
                escape(innermost_cause(line.trace()))
            ),
            TraceOccurrence::First(_) | TraceOccurrence::Repeated { .. } => indent_trace(line.trace(), expand),
        };
        text.push_str(&trace);
        Self {
            row: LogRow::new(connector, line),
            text,
        }
    }
}

impl Viewable for LogLineView {
    fn view(&self) -> Vec<Block> {
        vec![Block::Verbatim(self.text.clone())]
    }
}

/// Returns a line such as `2026-08-20T08:44:23.761Z  ERROR  claims-orders  task-0  message`; never wrapped, for use
/// with `grep`.
fn plain_line(connector: &str, line: &LogEntry, named: bool) -> String {
    let mut words = vec![
        escape(&line.timestamp).into_owned(),
        format!("{:<5}", escape(&line.level)),
    ];
    if named {
        words.push(escape(connector).into_owned());
    }
    if !line.task_id.is_empty() {
        words.push(escape(&line.task_id).into_owned());
    }
    let message = escape_lines(line.message.trim_end()).replace('\n', "\n    ");
    format!("{}  {message}\n", words.join("  "))
}

/// Returns an indented stack trace.
fn indent_trace(trace: &str, whole: bool) -> String {
    let trace = escape_lines(trace.trim_end()).into_owned();
    let all = trace.lines().count();
    let shown = if whole { all } else { TRACE_LINES };
    let rest = (all > shown).then(|| format!("    ({} more lines; --expand shows them)\n", all - shown));
    let lines = trace.lines().take(shown).map(|line| format!("    {line}\n"));
    lines.chain(rest).collect()
}

/// Log lines of several connectors.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct LogLinesOutput {
    rows: Vec<LogRow>,
    #[serde(skip)]
    connectors: Vec<ConnectorLines>,
    #[serde(skip)]
    expand: bool,
}

/// Log lines of one connector.
#[derive(Debug)]
pub(super) struct ConnectorLines {
    /// Name of the connector.
    pub(super) name: String,
    /// Id of the connector, or its name if the id is unknown.
    pub(super) id: String,
    /// Log lines in chronological order.
    pub(super) lines: Vec<LogEntry>,
    /// Whether older lines were left out.
    pub(super) more: bool,
    /// Whether the log could not be read.
    pub(super) unread: bool,
    /// Status of the connector, if its log does not show it.
    pub(super) state: Option<(String, Option<FailureCause>)>,
}

impl LogLinesOutput {
    pub(super) fn new(found: Vec<ConnectorLines>, expand: bool) -> Self {
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
        blocks.extend(self.connectors.iter().filter_map(ConnectorLines::status_block));
        blocks.retain(|block| !matches!(block, Block::Verbatim(text) if text.is_empty()));
        blocks
    }
}

impl ConnectorLines {
    /// Returns whether the log is empty because no task ever started (docs/reference/logs.md#log-lines-and-pages).
    fn never_started(&self) -> bool {
        let cause = self.state.as_ref().and_then(|(_, cause)| cause.as_ref());
        self.lines.is_empty() && cause.is_some_and(|cause| !cause.validation_errors.is_empty())
    }

    /// Returns the status of a connector whose log does not show it.
    pub(super) fn status_block(&self) -> Option<Block> {
        let (state, cause) = self.state.as_ref()?;
        let mut blocks = vec![Block::line(match self.never_started() {
            true => format!(
                "It is {state}: its configuration was rejected. A connector without a started task has no log lines."
            ),
            false => format!("It is {state}."),
        })];
        blocks.extend(cause.as_ref().map(|cause| cause_lines(&self.id, &self.name, cause)));
        Some(Block::titled(format!("Status of Connector {}", self.id), blocks))
    }
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
