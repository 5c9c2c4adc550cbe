//! `confluent ebs keys`: the API keys of departments, from their making to their end.

mod list;
mod outcome;
mod revoke;
mod rotate;

use clap::Subcommand;

use super::{Ctx, report};
use crate::exit::ExitCode;

/// Manage the API keys of departments.
///
/// Keys never expire by themselves. A rotation makes a new key beside the old one, proves it, hands it over, and removes
/// the old one when it is run again after the overlap.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::ListKeys),
    Rotate(rotate::Rotate),
    Revoke(revoke::Revoke),
}

impl Keys {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::List(command) => report::finish(command.run(ctx), ctx),
            Command::Rotate(command) => report::finish(command.run(ctx), ctx),
            Command::Revoke(command) => report::finish(command.run(ctx), ctx),
        }
    }
}
