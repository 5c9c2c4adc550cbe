//! `confluent ebs sandbox`: the embedded Confluent Cloud.

mod clock;
mod fault;
mod info;
mod reset;
mod settings;
mod start;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Ctx, report, session};
use crate::{config::Folders, error::Error, exit::ExitCode, manifest::Workspace, sandbox::Sandbox as Embedded};

/// Run an embedded Confluent Cloud on this computer, without an account or a network.
///
/// Any command acts on it with --sandbox. With an ebs.toml of your own it has that file's organization, stages and
/// clusters, which makes it a rehearsal.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Sandbox {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Start(start::Start),
    Reset(reset::Reset),
    Info(info::ShowInfo),
    Fault(fault::Fault),
    Clock(clock::Clock),
}

impl Sandbox {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Start(command) => report::finish(command.run(ctx), ctx),
            Command::Reset(command) => report::finish(command.run(ctx), ctx),
            Command::Info(command) => report::finish(command.run(ctx), ctx),
            Command::Fault(command) => command.run(ctx),
            Command::Clock(command) => command.run(ctx),
        }
    }
}

/// The platform whose stages a sandbox has: the one in or above the working folder, else the built-in example.
fn platform() -> Result<Workspace, Error> {
    let loaded = session::workspace(true)?;
    let (workspace, _) = loaded
        .into_result()
        .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
    Ok(workspace)
}

fn folder() -> Result<PathBuf, Error> {
    Ok(Folders::discover()?.sandbox())
}

/// The sandbox of this user, made when there is none.
fn open() -> Result<Embedded, Error> {
    session::open_sandbox(&folder()?, &platform()?)
}
