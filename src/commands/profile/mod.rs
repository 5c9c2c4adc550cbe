//! `confluent ebs profile`: profiles that are imported on this machine.

mod import;
mod list;
mod prune;
mod remove;
mod show;
mod use_profile;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::exit::ExitCode;

/// Manage profiles
///
/// A profile is a file from the platform team. It holds the location of your connectors, your limits, and an API key.
#[derive(Debug, clap::Args)]
#[command(name = "profile", subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    Import(import::ProfileImportArgs),
    List(list::ProfileListArgs),
    Prune(prune::ProfilePruneArgs),
    Remove(remove::ProfileRemoveArgs),
    Show(show::ProfileShowArgs),
    Use(use_profile::ProfileUseArgs),
}

impl ProfileArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            ProfileCommand::Import(command) => command_output::finish(command.run(ctx), ctx),
            ProfileCommand::List(_) => command_output::finish(list::ProfileListArgs::run(ctx), ctx),
            ProfileCommand::Prune(command) => command_output::finish(command.run(ctx), ctx),
            ProfileCommand::Remove(command) => command_output::finish(command.run(ctx), ctx),
            ProfileCommand::Show(command) => command_output::finish(command.run(ctx), ctx),
            ProfileCommand::Use(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}
