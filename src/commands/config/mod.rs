//! `confluent ebs config`: settings of a run.

mod show;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::exit::ExitCode;

/// Show the settings of a run
///
/// A setting comes from a flag, the environment, the profile or ebs.toml, in this order.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Show(show::ConfigShowArgs),
}

impl ConfigArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            ConfigCommand::Show(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}
