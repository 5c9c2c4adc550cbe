//! `confluent ebs offboard`.

mod view;

use clap::Args;

use super::{CommandOutput, Ctx, connector::BackupArgs, provisioning::FolderArgs};
use crate::{
    error::Error,
    model::DepartmentCode,
    provisioning::offboarding::{ConnectorRemoval, OffboardInput, OffboardOutcome, offboard},
    session::PlatformSession,
};

/// Remove the access of a department in one stage
///
/// Deletes the API keys, role bindings, ACLs and service accounts of the department in one stage. Other stages are
/// unchanged; with the last one, the department's file gets the date of its retirement, stays, and reserves the prefix.
/// In the sandbox, no file of the platform is changed. Afterwards, the command proves that the keys are rejected, and lists the principals that still have access
/// to the prefix. Topics and schemas are never deleted. With an API key for the Kafka cluster, the command lists the
/// topics of the prefix.
#[derive(Debug, Args)]
#[command(after_help = "\
Show what would be removed.

  $ confluent ebs offboard claims --dry-run

Remove the access in stage test only.

  $ confluent ebs offboard claims --stage test

Remove the access and the connectors, after a backup of their configurations and offsets.

  $ confluent ebs offboard claims --delete-connectors")]
pub(super) struct OffboardArgs {
    /// Code of the department: the name of its file without ".toml".
    #[arg(value_name = "department")]
    department: DepartmentCode,
    #[command(flatten)]
    connectors: ConnectorRemovalArgs,
    /// Also remove role bindings and ACLs of other principals on the prefix.
    #[arg(long)]
    remove_foreign: bool,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// Maximum number of concurrent requests.
    #[arg(long, value_name = "int", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    #[command(flatten)]
    folders: FolderArgs,
}

/// Flags for the connectors of the department.
#[derive(Debug, Args)]
struct ConnectorRemovalArgs {
    /// Also delete the department's connectors.
    #[arg(long)]
    delete_connectors: bool,
    #[command(flatten)]
    backup: BackupArgs,
}

impl OffboardArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffboardOutcome>, Error> {
        let session = PlatformSession::open(&ctx.run, usize::from(self.concurrency))?;
        let input = OffboardInput {
            department: self.department,
            connectors: ConnectorRemoval {
                delete: self.connectors.delete_connectors,
                backup: self.connectors.backup.policy(),
            },
            remove_foreign: self.remove_foreign,
            dry_run: self.dry_run,
            concurrency: self.concurrency,
            options: self.folders.to_options(),
        };
        let confirm = |planned: &OffboardOutcome| confirm_plan(ctx, planned);
        let Some(outcome) = ctx.block_on(offboard(&ctx.run, &session, input, &confirm))? else {
            return Ok(CommandOutput::empty());
        };
        let error = outcome.error();
        Ok(CommandOutput::new(outcome).with_error_if_any(error))
    }
}

fn confirm_plan(ctx: &Ctx, planned: &OffboardOutcome) -> Result<bool, Error> {
    ctx.ui.print_preview(&view::plan_blocks(planned))?;
    let question = format!(
        "This removes all access of department `{}` in stage `{}`.",
        planned.department, planned.stage
    );
    ctx.confirm_by_typing(&question, planned.department.as_str())?;
    Ok(true)
}
