//! `confluent ebs connector offset`: where a connector is in its source or topics.

mod delete;
mod describe;
mod status;
mod update;

use std::time::Duration;

use clap::Subcommand;

use super::names;
use crate::{
    api::connect::{AlterOffsets, GetOffsetsStatus, OffsetItem, OffsetsStatus},
    commands::{Ctx, report, session::DepartmentSession},
    error::Error,
    exit::ExitCode,
    resources::connector::Seen,
};

/// Manage offsets.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Offset {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Delete(delete::Delete),
    Describe(describe::Describe),
    Status(status::Status),
    Update(update::Update),
}

impl Offset {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Delete(command) => report::finish(command.run(ctx), ctx),
            Command::Describe(command) => report::finish(command.run(ctx), ctx),
            Command::Status(command) => command.run(ctx),
            Command::Update(command) => report::finish(command.run(ctx), ctx),
        }
    }
}

/// The connector that is named, the department's own.
async fn connector(session: &DepartmentSession, written: &str) -> Result<Seen, Error> {
    let written = [written.to_owned()];
    let list = session.connectors.look(&written).await?;
    Ok(names::resolve(session, &list, &written)?.remove(0))
}

/// How long a change is waited for; the stock CLI's half minute (dossier `connect.md` §9).
const PATIENCE: u32 = 30;

/// Asks for offsets to be changed, and waits a while.
async fn alter(
    session: &DepartmentSession,
    seen: &Seen,
    offsets: Option<Vec<OffsetItem>>,
) -> Result<OffsetsStatus, Error> {
    let connectors = &session.connectors;
    let request = AlterOffsets {
        place: connectors.place.clone(),
        name: seen.name.clone(),
        offsets,
    };
    connectors.client.send(&request).await?;
    let question = GetOffsetsStatus {
        place: connectors.place.clone(),
        name: seen.name.clone(),
    };
    let mut status = connectors.client.send(&question).await?.value;
    for _ in 0..PATIENCE {
        // What is not known counts as pending: the list of phases is open.
        if matches!(status.status.phase.as_str(), "APPLIED" | "FAILED") {
            break;
        }
        session.clock().sleep(Duration::from_secs(1)).await;
        status = connectors.client.send(&question).await?.value;
    }
    Ok(status)
}

/// What the end of a change means.
fn outcome(seen: &Seen, status: &OffsetsStatus) -> Option<Error> {
    match status.status.phase.as_str() {
        "APPLIED" => None,
        "FAILED" => Some(Error::failed(format!(
            "the offsets of connector \"{}\" were not changed: {}",
            seen.id(),
            status
                .status
                .message
                .as_deref()
                .unwrap_or("the service does not say why")
        ))),
        phase => Some(
            Error::failed(format!(
                "the change of the offsets of connector \"{}\" is {phase}",
                seen.id()
            ))
            .with_hint(format!(
                "See what became of it with `confluent ebs connector offset status describe {}`.",
                seen.name
            )),
        ),
    }
}
