//! `confluent ebs department`: department files. These commands never contact Confluent Cloud.

mod describe;
mod list;
mod new;
mod validate;

use clap::Subcommand;

use super::{Ctx, command_output, finding_document::is_finding_format, global_args::OutputFormat};
use crate::{
    diag::Finding,
    error::Error,
    exit::ExitCode,
    manifest::Workspace,
    session::{self, unknown_department_error},
};

/// Manage department files
///
/// These commands only read and write files; they need neither a key nor a network.
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
    /// Returns whether the selected command supports this output format; every command supports human, JSON and YAML.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common() || matches!(self.command, DepartmentCommand::Validate(_)) && is_finding_format(output)
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            DepartmentCommand::Describe(command) => command_output::finish(command.run(ctx), ctx),
            DepartmentCommand::List(command) => command_output::finish(command.run(ctx), ctx),
            DepartmentCommand::New(command) => command_output::finish(command.run(ctx), ctx),
            DepartmentCommand::Validate(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// Loads the platform files and their findings, errors included. For display, not for changes.
fn load_platform(ctx: &Ctx) -> Result<(Workspace, Vec<Finding>), Error> {
    let loaded = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    Ok((loaded.workspace, loaded.findings))
}

/// Loads the platform files; fails if they contain errors.
fn load_valid_platform(ctx: &Ctx) -> Result<Workspace, Error> {
    let (workspace, _) = session::load_valid_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    Ok(workspace)
}
