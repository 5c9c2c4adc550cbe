//! `confluent ebs department`: the departments as their files describe them. Nothing here contacts the service.

mod describe;
mod list;
mod new;
mod validate;

use clap::Subcommand;

use super::{Ctx, command_output};
use crate::{
    diag::Finding,
    error::Error,
    exit::ExitCode,
    manifest::Workspace,
    session::{self, unknown_department_error},
};

/// Look at departments and their files.
///
/// These commands read files only; they need neither a key nor a network.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct DepartmentArgs {
    #[command(subcommand)]
    command: DepartmentCommand,
}

#[derive(Debug, Subcommand)]
enum DepartmentCommand {
    Describe(describe::DepartmentDescribeArgs),
    List(list::DepartmentListArgs),
    New(new::DepartmentNewArgs),
    Validate(validate::DepartmentValidateArgs),
}

impl DepartmentArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            DepartmentCommand::Describe(command) => command_output::finish(command.run(ctx), ctx),
            DepartmentCommand::List(command) => command_output::finish(command.run(ctx), ctx),
            DepartmentCommand::New(command) => command_output::finish(command.run(ctx), ctx),
            DepartmentCommand::Validate(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// The platform and what was found in it, errors included: for showing, not for acting.
fn load_platform(ctx: &Ctx) -> Result<(Workspace, Vec<Finding>), Error> {
    let loaded = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    Ok((loaded.workspace, loaded.findings))
}

/// The platform, without errors.
fn load_valid_platform(ctx: &Ctx) -> Result<Workspace, Error> {
    session::load_valid_workspace(&ctx.run, ctx.run.options.is_sandbox()).map(|(workspace, _)| workspace)
}
