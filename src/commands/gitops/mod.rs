//! `confluent ebs gitops`: connectors from the files of a repository.

mod apply;
mod changed;
mod drift;
mod import;
mod init;
mod plan;
mod plan_view;
mod promote;
mod release;
mod show;
mod validate;

use clap::{Subcommand, ValueEnum};

use super::{Ctx, command_output, finding_document::is_finding_format, global_args::OutputFormat};
use crate::{
    error::{Error, ErrorKind},
    exit::ExitCode,
    gitops::{Approval, GitopsWorkspace, PlannedStage, Risk, SentSecret, plan_stage},
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
    Changed(changed::GitopsChangedArgs),
    Drift(drift::GitopsDriftArgs),
    Import(import::GitopsImportArgs),
    Init(init::GitopsInitArgs),
    Plan(plan::GitopsPlanArgs),
    Promote(promote::GitopsPromoteArgs),
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
                | GitopsCommand::Changed(_)
                | GitopsCommand::Import(_)
                | GitopsCommand::Init(_)
                | GitopsCommand::Promote(_)
                | GitopsCommand::Release(_)
                | GitopsCommand::Show(_) => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            GitopsCommand::Apply(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Drift(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Import(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Changed(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Init(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Plan(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Promote(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Release(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Show(command) => command_output::finish(command.run(ctx), ctx),
            GitopsCommand::Validate(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// Value of `--max-risk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MaxRisk {
    /// Apply nothing; show what would wait for an approval.
    None,
    /// Changes that the former configuration undoes.
    Normal,
    /// Also changes of topics, identity or error handling.
    High,
    /// Also deletions and replacements.
    Destructive,
}

impl From<MaxRisk> for Approval {
    fn from(risk: MaxRisk) -> Self {
        Self::UpTo(risk.limit())
    }
}

impl MaxRisk {
    /// Returns the highest allowed risk; `None` allows no change.
    const fn limit(self) -> Option<Risk> {
        match self {
            Self::None => None,
            Self::Normal => Some(Risk::Normal),
            Self::High => Some(Risk::High),
            Self::Destructive => Some(Risk::Destructive),
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
