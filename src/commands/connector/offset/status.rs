//! `confluent ebs connector offset status`.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use super::{connector, describe::lines};
use crate::{
    api::connect::{OffsetItem, OffsetsStatus},
    commands::{Ctx, Report, report, session::DepartmentSession},
    error::Error,
    exit::ExitCode,
    render::{Block, Record, Viewable},
    resources::connector::Seen,
};

/// Manage the status of offset requests.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(in crate::commands::connector) struct Status {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Describe(DescribeStatus),
}

impl Status {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Describe(command) => report::finish(command.run(ctx), ctx),
        }
    }
}

/// Describe the status of the last offset request of a connector.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe what became of the last change of offsets.

  $ confluent ebs connector offset status describe lcc-123456")]
struct DescribeStatus {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl DescribeStatus {
    fn run(self, ctx: &mut Ctx) -> Result<Report<RequestStatus>, Error> {
        let session = DepartmentSession::open(ctx)?;
        ctx.block_on(async {
            let seen = connector(&session, &self.connector).await?;
            let status = session.connectors.offsets_request(&seen).await?.ok_or_else(|| {
                Error::failed(format!("the offsets of connector \"{}\" were never changed", seen.id()))
                    .with_hint("Change them with `confluent ebs connector offset update`.")
            })?;
            Ok(Report::new(RequestStatus::of(&seen, status)))
        })
    }
}

/// What became of a request; the stock CLI's fields.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct RequestStatus {
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
    /// The file that puts the former offsets back.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<PathBuf>,
}

impl RequestStatus {
    pub(super) fn of(seen: &Seen, status: OffsetsStatus) -> Self {
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            request_type: status.request.request_type,
            requested_at: status.request.requested_at,
            phase: status.status.phase,
            message: status.status.message.unwrap_or_default(),
            applied_at: status.applied_at,
            requested_offsets: status.request.offsets.unwrap_or_default(),
            // Absent after a reset.
            previous_offsets: status.previous_offsets.unwrap_or_default(),
            saved: None,
        }
    }

    /// The same, with the file that puts the former offsets back.
    pub(super) fn saved_as(self, saved: Option<PathBuf>) -> Self {
        Self { saved, ..self }
    }
}

impl Viewable for RequestStatus {
    fn view(&self) -> Vec<Block> {
        let record = Record::new()
            .field("ID", self.id.clone())
            .field("Name", self.name.clone())
            .field("RequestType", self.request_type.clone())
            .field("RequestedAt", self.requested_at.clone())
            .field("Phase", self.phase.clone())
            .field("Message", self.message.clone())
            .optional("Applied At", self.applied_at.clone())
            .field("Requested Offsets", lines(&self.requested_offsets))
            .field("Previous Offsets", lines(&self.previous_offsets));
        vec![Block::Record(record)]
    }
}
