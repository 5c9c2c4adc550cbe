//! `confluent ebs keys`: list, rotate and revoke the API keys of departments.

mod list;
mod revoke;
mod rotate;
mod view;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::exit::ExitCode;

/// Manage the API keys of departments
///
/// API keys do not expire. A rotation creates a new key next to the old one, tests it and delivers it as a profile.
/// When you run the rotation again after the overlap, it deletes the old key.
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
