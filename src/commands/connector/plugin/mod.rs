//! `confluent ebs connector plugin`: available plugins.

mod describe;
mod list;
mod new;
mod refresh;

use clap::Subcommand;

use crate::{
    commands::{Ctx, command_output},
    exit::ExitCode,
};

/// Show connector plugins and their configuration keys
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    Describe(describe::PluginDescribeArgs),
    List(list::PluginListArgs),
    New(new::PluginNewArgs),
    Refresh(refresh::PluginRefreshArgs),
}

impl PluginArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            PluginCommand::Describe(command) => command_output::finish(command.run(ctx), ctx),
            PluginCommand::List(command) => command_output::finish(command.run(ctx), ctx),
            PluginCommand::New(command) => command_output::finish(command.run(ctx), ctx),
            PluginCommand::Refresh(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}
