//! `confluent ebs connector offset`: where a connector is in its source or topics.

mod change;
mod delete;
mod describe;
mod status;
mod update;

use std::time::Duration;

use clap::Subcommand;

use super::wait_args;
use crate::{
    commands::{Ctx, command_output},
    connectors::selectors,
    error::Error,
    exit::ExitCode,
    resources::connector::LiveConnector,
    session::ConnectorSession,
};

/// Manage offsets.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct OffsetArgs {
    #[command(subcommand)]
    command: OffsetCommand,
}

#[derive(Debug, Subcommand)]
enum OffsetCommand {
    Delete(delete::OffsetDeleteArgs),
    Describe(describe::OffsetDescribeArgs),
    Status(status::OffsetStatusArgs),
    Update(update::OffsetUpdateArgs),
}

impl OffsetArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            OffsetCommand::Delete(command) => command_output::finish(command.run(ctx), ctx),
            OffsetCommand::Describe(command) => command_output::finish(command.run(ctx), ctx),
            OffsetCommand::Status(command) => command.run(ctx),
            OffsetCommand::Update(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// How long to wait unless told otherwise; the stock CLI's half minute (docs/reference/connect.md#offsets).
const DEFAULT_TIMEOUT: &str = "30";

/// Reads seconds as the stock CLI writes them, and what our other commands take.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => wait_args::parse_duration(text),
    }
}

/// The connector that is named, the department's own.
async fn select_connector(session: &ConnectorSession, written: &str) -> Result<LiveConnector, Error> {
    let written = [written.to_owned()];
    let list = session.connectors.list_selected(&written).await?;
    Ok(selectors::select(session, &list, &written)?.remove(0))
}
