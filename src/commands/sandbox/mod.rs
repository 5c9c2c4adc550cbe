//! `confluent ebs sandbox`: the embedded Confluent Cloud.

mod clock;
mod fault;
mod info;
mod reset;
mod settings;
mod start;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::{error::Error, exit::ExitCode, manifest::Workspace, sandbox::Sandbox as Embedded, session};

/// Run an embedded Confluent Cloud on this computer, without an account or a network.
///
/// Any command acts on it with --sandbox. With an ebs.toml of your own it has that file's organization, stages and
/// clusters, which makes it a rehearsal.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    Start(start::SandboxStartArgs),
    Reset(reset::SandboxResetArgs),
    Info(info::SandboxInfoArgs),
    Fault(fault::SandboxFaultArgs),
    Clock(clock::SandboxClockArgs),
}

impl SandboxArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            SandboxCommand::Start(command) => command_output::finish(command.run(ctx), ctx),
            SandboxCommand::Reset(command) => command_output::finish(command.run(ctx), ctx),
            SandboxCommand::Info(command) => command_output::finish(command.run(ctx), ctx),
            SandboxCommand::Fault(command) => command.run(ctx),
            SandboxCommand::Clock(command) => command.run(ctx),
        }
    }
}

/// The platform whose stages a sandbox has: the one in or above the working folder, else the built-in example.
fn load_platform(ctx: &Ctx) -> Result<Workspace, Error> {
    let (workspace, _) = session::load_valid_workspace(&ctx.run, true)?;
    Ok(workspace)
}

fn default_folder(ctx: &Ctx) -> Result<PathBuf, Error> {
    Ok(ctx.run.environment.dirs()?.sandbox())
}

/// The sandbox of this user, made when there is none.
fn open_default_sandbox(ctx: &Ctx) -> Result<Embedded, Error> {
    session::open_sandbox(&default_folder(ctx)?, &load_platform(ctx)?)
}
