//! `confluent ebs gitops`: connectors from the files of a repository.

mod apply;
mod drift;
mod import;
mod plan;
mod plan_view;
mod release;
mod show;
mod validate;

use clap::Subcommand;

use super::{Ctx, command_output, finding_document::is_finding_format, global_args::OutputFormat};
use crate::{
    error::{Error, ErrorKind},
    exit::ExitCode,
    gitops::{GitopsWorkspace, PlannedStage, SentSecret, plan_stage},
    session::ConnectorSession,
};

/// Manage connectors from files in Git
///
/// The files below `connectors/` describe the connectors of each department and stage. A connector is deleted by
/// `state: absent`, never because its file is missing.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct GitopsArgs {
    #[command(subcommand)]
    command: GitopsCommand,
}

#[derive(Debug, Subcommand)]
enum GitopsCommand {
    Apply(apply::GitopsApplyArgs),
    Drift(drift::GitopsDriftArgs),
    Import(import::GitopsImportArgs),
    Plan(plan::GitopsPlanArgs),
    Release(release::GitopsReleaseArgs),
    Show(show::GitopsShowArgs),
    Validate(validate::GitopsValidateArgs),
}

impl GitopsArgs {
    /// Returns whether the selected command supports this output format; every command supports human, JSON and YAML.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common()
            || match self.command {
                GitopsCommand::Validate(_) => is_finding_format(output),
                GitopsCommand::Drift(_) | GitopsCommand::Plan(_) => output == OutputFormat::Markdown,
                GitopsCommand::Apply(_)
                | GitopsCommand::Import(_)
                | GitopsCommand::Release(_)
                | GitopsCommand::Show(_) => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            GitopsCommand::Apply(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Drift(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Import(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Plan(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Release(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Show(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Validate(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// Repository with the plans of a stage.
struct PlannedRepository {
    workspace: GitopsWorkspace,
    session: ConnectorSession,
    planned: PlannedStage,
}

/// Opens the repository and the cluster, and plans the selected departments.
///
/// # Errors
/// Their files have errors, or a request fails.
fn open_planned(ctx: &Ctx, sent_secrets: &[SentSecret]) -> Result<PlannedRepository, Error> {
    let workspace = GitopsWorkspace::open(&ctx.run)?;
    let mut session = ConnectorSession::open(&ctx.run)?;
    let departments = workspace.departments(&ctx.run, &session)?;
    let errors = workspace.errors_in(&departments);
    if !errors.is_empty() {
        return Err(Error::findings("invalid connector files", errors).with_kind(ErrorKind::Refused));
    }
    let planned = ctx.block_on(plan_stage(
        &ctx.run,
        &workspace,
        &mut session,
        departments,
        sent_secrets,
    ))?;
    Ok(PlannedRepository {
        workspace,
        session,
        planned,
    })
}
