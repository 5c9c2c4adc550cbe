//! `confluent ebs connector offset`: positions of a connector in its source or topics.

mod change;
mod delete;
mod describe;
mod status;
mod update;

use std::time::Duration;

use clap::Subcommand;

use crate::{
    commands::{Ctx, command_output, duration::parse_duration},
    exit::ExitCode,
};

/// Manage the offsets of a connector
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

/// Default timeout: 30 seconds, as in the Confluent CLI (docs/reference/connect.md#offsets).
const DEFAULT_TIMEOUT: &str = "30";

/// Parses seconds, as in the Confluent CLI, or a duration with a unit.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => parse_duration(text),
    }
}
