//! Prints log lines and events as they arrive, or appends the lines to a file.

use super::{file::LogFile, line::LogLineView, show::status_block};
use crate::{
    api::logs::LogEntry,
    commands::connector::show::cause_lines,
    connectors::{
        logs::{ConnectorLines, LogListener},
        view::visible_cause,
    },
    error::Error,
    model::PlatformTeam,
    render::{Block, Ui},
    resources::logs::{follow::FollowEvent, trace_dedup::TraceDedup},
};

/// Printer of log lines that arrive one after the other.
pub(super) struct LogPrinter<'a> {
    pub(super) ui: &'a Ui,
    /// File that receives the lines instead of standard output.
    pub(super) file: Option<LogFile>,
    /// Whether lines contain the name of their connector.
    pub(super) show_names: bool,
    pub(super) expand: bool,
    pub(super) known_traces: TraceDedup,
    pub(super) platform_team: &'a PlatformTeam,
}

impl LogListener for LogPrinter<'_> {
    fn on_lines(&mut self, connector: &str, lines: &[LogEntry]) -> Result<(), Error> {
        if let Some(file) = &mut self.file {
            return file.append(connector, lines);
        }
        for line in lines {
            let view = LogLineView::new(connector, line, self.show_names, &mut self.known_traces, self.expand);
            self.ui.print_item(&view)?;
        }
        Ok(())
    }

    fn on_unlogged(&mut self, connector: &ConnectorLines) {
        print_status(self.ui, std::slice::from_ref(connector), self.platform_team);
    }

    fn on_event(&mut self, connector: &str, event: &FollowEvent) {
        match event {
            FollowEvent::Lines(_) | FollowEvent::Idle => {}
            FollowEvent::State(None) => self.ui.info(&format!(
                "Connector `{connector}` was deleted. If it is recreated, its log is followed again."
            )),
            FollowEvent::State(Some(observed)) => {
                self.ui
                    .info(&format!("Connector `{connector}` is now {}.", observed.state()));
                if let Some(cause) = visible_cause(observed) {
                    let lines = cause_lines(observed.id(), &observed.name, &cause, self.platform_team);
                    self.ui.print_message(&[lines]);
                }
            }
            FollowEvent::Recreated { old, new } => self.ui.info(&format!(
                "Connector `{connector}` was recreated ({old} → {new}); following the new one."
            )),
            FollowEvent::Retrying { error, wait } => self.ui.info(&format!(
                "cannot read the log of connector `{connector}`, retrying in {} s: {error}",
                wait.as_secs()
            )),
        }
    }
}

/// Prints the status of connectors without log lines on standard error; machine-readable output contains only lines.
pub(super) fn print_status(ui: &Ui, connectors: &[ConnectorLines], platform_team: &PlatformTeam) {
    let blocks: Vec<Block> = connectors
        .iter()
        .filter_map(|connector| status_block(connector, platform_team))
        .collect();
    if !blocks.is_empty() {
        ui.print_message(&blocks);
    }
}
