//! `confluent ebs connector plugin`: what can be run.

mod describe;
mod list;
mod new;

use clap::Subcommand;

use crate::{
    commands::{Ctx, report},
    exit::ExitCode,
};

/// Show connector plugins and their configurations.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Describe(describe::Describe),
    List(list::ListPlugins),
    New(new::New),
}

impl Plugin {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Describe(command) => report::finish(command.run(ctx), ctx),
            Command::List(command) => report::finish(command.run(ctx), ctx),
            Command::New(command) => report::finish(command.run(ctx), ctx),
        }
    }
}
