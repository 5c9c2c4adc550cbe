//! `confluent ebs connector offset`: where a connector is in its source or topics.

mod change;
mod delete;
mod describe;
mod status;
mod update;

use std::time::Duration;

use clap::Subcommand;

use super::{names, waiting};
use crate::{
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

/// How long to wait unless told otherwise; the stock CLI's half minute (dossier `connect.md` §9).
const TIMEOUT: &str = "30";

/// Reads seconds as the stock CLI writes them, and what our other commands take.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => waiting::duration(text),
    }
}

/// The connector that is named, the department's own.
async fn connector(session: &DepartmentSession, written: &str) -> Result<Seen, Error> {
    let written = [written.to_owned()];
    let list = session.connectors.look(&written).await?;
    Ok(names::resolve(session, &list, &written)?.remove(0))
}
