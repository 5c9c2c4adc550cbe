//! `confluent ebs department`: the departments as their files describe them. Nothing here contacts the service.

mod describe;
mod list;
mod new;
mod validate;

use clap::Subcommand;

use super::{Ctx, report, session};
use crate::{
    diag::Finding,
    error::Error,
    exit::ExitCode,
    manifest::{Origin, Workspace},
};

/// Look at departments and their files.
///
/// These commands read files only; they need neither a key nor a network.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Department {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Describe(describe::Describe),
    List(list::ListDepartments),
    New(new::New),
    Validate(validate::Validate),
}

impl Department {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Describe(command) => report::finish(command.run(ctx), ctx),
            Command::List(command) => report::finish(command.run(ctx), ctx),
            Command::New(command) => report::finish(command.run(ctx), ctx),
            Command::Validate(command) => report::finish(command.run(ctx), ctx),
        }
    }
}

/// The platform and what was found in it, errors included: for showing, not for acting.
fn look(ctx: &Ctx) -> Result<(Workspace, Vec<Finding>), Error> {
    let loaded = session::workspace(ctx.globals.is_sandbox())?;
    Ok((loaded.workspace, loaded.findings))
}

/// The platform, without errors.
fn sound(ctx: &Ctx) -> Result<Workspace, Error> {
    let loaded = session::workspace(ctx.globals.is_sandbox())?;
    loaded
        .into_result()
        .map(|(workspace, _)| workspace)
        .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))
}

/// An error for a department that has no file.
fn unknown(workspace: &Workspace, code: &crate::model::DepartmentCode) -> Error {
    let known: Vec<&str> = workspace
        .departments()
        .map(|department| department.code.as_str())
        .collect();
    let place = match &workspace.origin {
        Origin::Folder(folder) => folder.display().to_string(),
        Origin::Embedded | Origin::Nothing => workspace.origin.to_string(),
    };
    let error = Error::failed(format!("there is no department \"{code}\" in {place}"));
    match crate::hint::nearest(code.as_str(), known) {
        Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
        None => error.with_hint("List departments with `confluent ebs department list`."),
    }
}
