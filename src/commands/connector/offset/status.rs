//! `confluent ebs connector offset status`.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use super::{describe::offset_lines, select_connector};
use crate::{
    api::connect::{OffsetItem, OffsetsStatus},
    commands::{CommandOutput, Ctx, command_output},
    error::Error,
    exit::ExitCode,
    render::{Block, Record, Viewable},
    resources::connector::LiveConnector,
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

/// Describe the last offset request of a connector
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the last change of offsets.

  $ confluent ebs connector offset status describe lcc-123456")]
struct OffsetStatusDescribeArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl OffsetStatusDescribeArgs {
    fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffsetStatusOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let update = ctx.run.options.suggest("connector offset update ID");
        ctx.block_on(async {
            let observed = select_connector(&session, &self.connector).await?;
            let status = session
                .connectors
                .last_offsets_request(&observed)
                .await?
                .ok_or_else(|| {
                    Error::failed(format!("no offset request for connector `{}`", observed.id()))
                        .with_hint(format!("Change its offsets with `{update}`."))
                })?;
            Ok(CommandOutput::new(OffsetStatusOutput::new(&observed, status)))
        })
    }
}

/// Status of an offset request with the fields of the Confluent CLI.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct OffsetStatusOutput {
    id: String,
    name: String,
    request_type: String,
    requested_at: String,
    phase: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_at: Option<String>,
    requested_offsets: Vec<OffsetItem>,
    previous_offsets: Vec<OffsetItem>,
    /// Backup file to restore the previous offsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<PathBuf>,
}

impl OffsetStatusOutput {
    pub(super) fn new(observed: &LiveConnector, status: OffsetsStatus) -> Self {
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            request_type: status.request.request_type,
            requested_at: status.request.requested_at,
            phase: status.status.phase,
            message: status.status.message.unwrap_or_default(),
            applied_at: status.applied_at,
            requested_offsets: status.request.offsets.unwrap_or_default(),
            // Absent after a reset.
            previous_offsets: status.previous_offsets.unwrap_or_default(),
            backup: None,
        }
    }

    /// Adds the backup file to restore the previous offsets.
    pub(super) fn with_backup(self, backup: Option<PathBuf>) -> Self {
        Self { backup, ..self }
    }
}

impl Viewable for OffsetStatusOutput {
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
