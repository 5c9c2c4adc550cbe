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

/// Run the sandbox, an embedded Confluent Cloud
///
/// The sandbox needs neither an account nor a network. Any command uses it with --sandbox. If there is an ebs.toml, the
/// sandbox has its organization, stages and clusters, so that you can rehearse changes.
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

/// Loads the platform configuration that seeds the sandbox: from the current directory or a parent, else the built-in
/// example.
fn load_platform(ctx: &Ctx) -> Result<Workspace, Error> {
    let (workspace, _) = session::load_valid_workspace(&ctx.run, true)?;
    Ok(workspace)
}

fn default_folder(ctx: &Ctx) -> Result<PathBuf, Error> {
    Ok(ctx.run.environment.dirs()?.sandbox())
}

/// Opens the sandbox of this user; creates it if it does not exist.
fn open_default_sandbox(ctx: &Ctx) -> Result<Embedded, Error> {
    session::open_sandbox(&ctx.run, &default_folder(ctx)?, &load_platform(ctx)?)
}
