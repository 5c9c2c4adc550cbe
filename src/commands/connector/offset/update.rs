//! `confluent ebs connector offset update`.

use std::{path::PathBuf, time::Duration};

use super::{
    DEFAULT_TIMEOUT,
    change::{OffsetChangeOutput, move_table},
    parse_seconds,
};
use crate::{
    commands::{CommandOutput, Ctx, connector::args::BackupArgs},
    connectors::offsets::{OffsetsFile, plan_offset_change},
    error::Error,
    session::ConnectorSession,
};

/// Update the offsets of a connector
///
/// Confluent Cloud stops the connector during the change. Depending on the new offsets, records are read again or
/// skipped. Partitions that are not in the file keep their offsets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Set the offsets of a connector from a file.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json

Show the changes without applying them.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json --dry-run")]
pub(in crate::commands::connector) struct OffsetUpdateArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// JSON file with the new offsets: a list of partitions and offsets, or an object with the field "offsets".
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Show the change without applying it.
    #[arg(long)]
    dry_run: bool,
    /// Timeout of the change in seconds.
    #[arg(long, value_name = "seconds", default_value = DEFAULT_TIMEOUT, value_parser = parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    backup: BackupArgs,
}

impl OffsetUpdateArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffsetChangeOutput>, Error> {
        let file = OffsetsFile::read(&self.config_file)?;
        let session = ConnectorSession::open(&ctx.run)?;
        let planned = plan_offset_change(&ctx.run, &session, &self.connector, Some(file), self.dry_run);
        let planned = ctx.block_on_reading(planned)?;
        if self.dry_run || planned.change.offsets.is_empty() {
            return Ok(CommandOutput::new(OffsetChangeOutput::Planned(planned.change)));
        }
        ctx.ui.print_message(&[move_table(&planned.change)]);
        let question = format!(
            "Are you sure you want to change the offsets of connector \"{}\"?",
            planned.change.shown_name
        );
        if !ctx.confirm(&question)? {
            return Ok(CommandOutput::empty());
        }
        let result = ctx.block_on(planned.apply(&ctx.run, &session, &self.backup.policy(), self.timeout))?;
        Ok(result.map(OffsetChangeOutput::Applied).into())
    }
}
