//! `confluent ebs connector offset status`.

use clap::Subcommand;

use super::describe::offset_lines;
use crate::{
    commands::{CommandOutput, Ctx, command_output},
    connectors::offsets::{OffsetRequestStatus, last_offset_request},
    error::Error,
    exit::ExitCode,
    render::{Block, Record, Viewable},
    session::ConnectorSession,
};

/// Manage the status of offset requests
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(in crate::commands::connector) struct OffsetStatusArgs {
    #[command(subcommand)]
    command: OffsetStatusCommand,
}

#[derive(Debug, Subcommand)]
enum OffsetStatusCommand {
    Describe(OffsetStatusDescribeArgs),
}

impl OffsetStatusArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            OffsetStatusCommand::Describe(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// Describe the status of a connector's last offset change
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the status of the last offset change.

  $ confluent ebs connector offset status describe lcc-123456")]
struct OffsetStatusDescribeArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl OffsetStatusDescribeArgs {
    fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffsetRequestStatus>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let status = ctx.block_on_reading(last_offset_request(&session, &self.connector))?;
        Ok(CommandOutput::new(status))
    }
}

impl Viewable for OffsetRequestStatus {
    fn view(&self) -> Vec<Block> {
        let record = Record::new()
            .field("ID", self.id.clone())
            .field("Name", self.name.clone())
            .field("RequestType", self.request_type.clone())
            .field("RequestedAt", self.requested_at.clone())
            .field("Phase", self.phase.clone())
            .field("Message", self.message.clone())
            .optional("Applied At", self.applied_at.clone())
            .field("Requested Offsets", offset_lines(&self.requested_offsets))
            .field("Previous Offsets", offset_lines(&self.previous_offsets));
        vec![Block::Record(record)]
    }
}
