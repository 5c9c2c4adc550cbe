//! `confluent ebs sandbox clock`.

use std::time::Duration;

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::open_default_sandbox;
use crate::{
    commands::{CommandOutput, Ctx, command_output, duration::parse_duration},
    error::Error,
    exit::ExitCode,
    render::{Block, Viewable},
};

/// Show or advance the sandbox clock
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct SandboxClockArgs {
    #[command(subcommand)]
    command: SandboxClockCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxClockCommand {
    Show(SandboxClockShowArgs),
    Advance(SandboxClockAdvanceArgs),
}

/// Show the sandbox clock
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the time of the sandbox.

  $ confluent ebs sandbox clock show")]
struct SandboxClockShowArgs {}

/// Advance the sandbox clock
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Advance the clock by two minutes, so that earlier changes take effect.

  $ confluent ebs sandbox clock advance 2m")]
struct SandboxClockAdvanceArgs {
    /// Duration to advance, such as "90s", "1h 30m" or "30d".
    #[arg(value_name = "duration", value_parser = parse_duration)]
    by: Duration,
}

impl SandboxClockArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        let told = match self.command {
            SandboxClockCommand::Show(_) => open_default_sandbox(ctx).and_then(|sandbox| Ok(sandbox.now()?)),
            SandboxClockCommand::Advance(advance) => advance.run(ctx),
        };
        command_output::finish(told.map(|now| CommandOutput::new(SandboxClockOutput { now })), ctx)
    }
}

impl SandboxClockAdvanceArgs {
    fn run(&self, ctx: &Ctx) -> Result<Timestamp, Error> {
        Ok(open_default_sandbox(ctx)?.advance(self.by)?)
    }
}

#[derive(Debug, Serialize)]
struct SandboxClockOutput {
    now: Timestamp,
}

impl Viewable for SandboxClockOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("{:.0}", self.now))]
    }
}
