//! `confluent ebs sandbox clock`.

use std::time::Duration;

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::open;
use crate::{
    commands::{Ctx, Report, report},
    error::Error,
    exit::ExitCode,
    render::{Block, Viewable},
};

/// Show or advance the sandbox's time.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Clock {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
    Advance(Advance),
}

/// Show what time it is in the sandbox.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the sandbox's time.

  $ confluent ebs sandbox clock show")]
struct Show {}

/// Let time pass in the sandbox.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Let two minutes pass: what was made is in force afterwards.

  $ confluent ebs sandbox clock advance 2m")]
struct Advance {
    /// How long, for example "90s", "5m" or "1h 30m".
    #[arg(value_name = "duration")]
    by: SignedDuration,
}

impl Clock {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        let told = match self.command {
            Command::Show(_) => open().and_then(|sandbox| Ok(sandbox.now()?)),
            Command::Advance(advance) => advance.run(),
        };
        report::finish(told.map(|now| Report::new(Told { now })), ctx)
    }
}

impl Advance {
    fn run(&self) -> Result<Timestamp, Error> {
        let by = Duration::try_from(self.by).map_err(|_| Error::usage("the sandbox's time cannot go back"))?;
        Ok(open()?.advance(by)?)
    }
}

#[derive(Debug, Serialize)]
struct Told {
    now: Timestamp,
}

impl Viewable for Told {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("{:.0}", self.now))]
    }
}
