//! Log lines of a time window for a terminal: one line each, in chronological order, never a table.

use jiff::Timestamp;
use serde::Serialize;

use super::{super::show::cause_lines, line::LogLineView, rows::LogRow};
use crate::{
    api::logs::LogEntry,
    connectors::logs::ConnectorLines,
    model::PlatformTeam,
    render::{Block, Viewable},
    resources::logs::trace_dedup::TraceDedup,
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
            [one] => vec![count_line(one), merge_by_time(&self.connectors, false, self.expand)],
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

/// Message of the Confluent CLI (docs/reference/cli.md#tables).
fn count_line(found: &ConnectorLines) -> Block {
    let count = found.lines.len();
    let noun = if count == 1 { "entry" } else { "entries" };
    Block::line(format!("Found {count} log {noun} for connector {}:", found.id))
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
