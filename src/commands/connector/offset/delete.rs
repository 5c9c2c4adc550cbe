//! `confluent ebs connector offset delete`.

use std::time::Duration;

use super::{
    DEFAULT_TIMEOUT,
    change::{OffsetChangeOutput, move_table},
    parse_seconds,
};
use crate::{
    commands::{CommandOutput, Ctx, connector::args::BackupArgs},
    connectors::offsets::plan_offset_change,
    error::Error,
    session::ConnectorSession,
};

/// Delete the offsets of a connector, so that it restarts from the beginning
///
/// A source takes a new snapshot; a sink reads its topics again from the earliest record. Confluent Cloud stops the
/// connector during the change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Restart a connector from the beginning.

  $ confluent ebs connector offset delete lcc-123456")]
pub(in crate::commands::connector) struct OffsetDeleteArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// Skip the confirmation prompt.
    #[arg(long)]
    force: bool,
    /// Show the change without applying it.
    #[arg(long)]
    dry_run: bool,
    /// Timeout of the change in seconds.
    #[arg(long, value_name = "seconds", default_value = DEFAULT_TIMEOUT, value_parser = parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    backup: BackupArgs,
}

impl OffsetDeleteArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffsetChangeOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let planned = plan_offset_change(&ctx.run, &session, &self.connector, None, self.dry_run);
        let planned = ctx.block_on_reading(planned)?;
        if self.dry_run {
            return Ok(CommandOutput::new(OffsetChangeOutput::Planned(planned.change)));
        }
        ctx.ui.print_message(&[move_table(&planned.change)]);
        ctx.ui
            .info(match planned.observed.direction().to_ascii_lowercase().as_str() {
                "sink" => "It will read its topics again from the earliest record.",
                _ => "It will take a new snapshot or read all data again, which produces duplicate records.",
            });
        let question = format!(
            "Are you sure you want to delete the offsets of connector \"{}\"?",
            planned.change.shown_name
        );
        if !self.force && !ctx.confirm(&question)? {
            return Ok(CommandOutput::empty());
        }
        let result = ctx.block_on(planned.apply(&ctx.run, &session, &self.backup.policy(), self.timeout))?;
        Ok(result.map(OffsetChangeOutput::Applied).into())
    }
}
