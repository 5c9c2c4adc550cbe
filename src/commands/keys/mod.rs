//! `confluent ebs keys`: the API keys of departments, from their making to their end.

mod list;
mod view;
mod revoke;
mod rotate;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::exit::ExitCode;

/// Manage the API keys of departments.
///
/// Keys never expire by themselves. A rotation makes a new key beside the old one, proves it, hands it over, and removes
/// the old one when it is run again after the overlap.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    List(list::KeysListArgs),
    Rotate(rotate::KeysRotateArgs),
    Revoke(revoke::KeysRevokeArgs),
}

impl KeysArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            KeysCommand::List(command) => command_output::finish(command.run(ctx), ctx),
            KeysCommand::Rotate(command) => command_output::finish(command.run(ctx), ctx),
            KeysCommand::Revoke(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}
