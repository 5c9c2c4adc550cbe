//! `confluent ebs offboard`.

mod output;

use clap::Args;

use super::{CommandOutput, Ctx, connector::BackupArgs, provisioning::FolderArgs};
use crate::{
    error::{Error, ErrorKind},
    model::{Department, DepartmentCode},
    plan::{Teardown, plan_teardown},
    provisioning::{
        AclLookup, Reconciliation,
        connector_removal::{ConnectorRemoval, observe_connectors},
        incomplete_run_error, prove_removal, retire,
    },
    session::PlatformSession,
};
use output::{OffboardOutput, plan_blocks};

/// Remove all access of a department
///
/// Deletes the API keys, role bindings, ACLs and service accounts of the department. Its file stays and reserves its
/// prefix. Afterwards, the command proves that the keys are rejected, and lists the principals that still have access
/// to the prefix. Topics and schemas are never deleted. With an API key for the Kafka cluster, the command lists the
/// topics of the prefix.
#[derive(Debug, Args)]
#[command(after_help = "\
Show what would be removed.

  $ confluent ebs offboard claims --dry-run

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

impl ConnectorRemovalArgs {
    fn to_removal(&self) -> ConnectorRemoval {
        ConnectorRemoval {
            delete: self.delete_connectors,
            backup: self.backup.policy(),
        }
    }
}

impl OffboardArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffboardOutput>, Error> {
        let session = PlatformSession::open(&ctx.run, usize::from(self.concurrency))?;
        let department = crate::provisioning::find_department(&session, &self.department)?;
        ctx.block_on(self.offboard(ctx, &session, &department))
    }

    async fn offboard(
        &self,
        ctx: &Ctx,
        session: &PlatformSession,
        department: &Department,
    ) -> Result<CommandOutput<OffboardOutput>, Error> {
        // The department may be retired already, by an interrupted offboarding.
        let reconciliation = Reconciliation::observe(
            &ctx.run,
            session,
            std::slice::from_ref(department),
            self.folders.to_options(),
            AclLookup::BestEffort,
        )
        .await?;
        let snapshot = &reconciliation.observed.snapshot;
        let down = plan_teardown(
            &reconciliation.plan_input(false),
            snapshot,
            department,
            self.remove_foreign,
        );
        let connectors = observe_connectors(&reconciliation, department, &down).await?;
        let topics = reconciliation.list_topics(department).await;
        check_refusals(&down)?;
        if !self.dry_run {
            self.connectors.to_removal().check(department, &connectors)?;
        }
        let mut output = OffboardOutput::new(&reconciliation, department, &down, &connectors, topics, self);
        if self.dry_run {
            return Ok(CommandOutput::new(output));
        }
        if !(down.plan.is_empty() && connectors.own.is_empty()) {
            ctx.ui.print_preview(&plan_blocks(&output))?;
            let question = format!(
                "This removes all access of department `{}` in stage `{}`.",
                department.code, session.stage_name
            );
            ctx.confirm_by_typing(&question, department.code.as_str())?;
        }
        if ctx.run.cancel.is_cancelled() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted before anything was changed",
            ));
        }
        // The retirement comes first, so that no onboarding recreates the access during the removal.
        output.retired = retire(&ctx.run, session, department)?;
        output.backups = self
            .connectors
            .to_removal()
            .delete(&ctx.run, &reconciliation, department, &connectors)
            .await?;
        let mut error = None;
        if !down.plan.is_empty() {
            let (report, evidence) = reconciliation
                .apply(&ctx.run, "offboard", &down.plan, self.concurrency)
                .await?;
            error = incomplete_run_error(&report);
            output.set_applied(report, evidence);
        }
        if error.is_none() {
            let proof = Box::pin(prove_removal(
                &ctx.run,
                &reconciliation,
                department,
                &down,
                output.topics_unknown(),
            ))
            .await?;
            error = proof.to_error(department, self.remove_foreign);
            output
                .evidence
                .extend(reconciliation.write_removal_evidence(&department.code, &proof)?);
            output.proof = Some(proof);
        }
        let report = CommandOutput::new(output);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// Returns an error if the plan is refused.
fn check_refusals(down: &Teardown) -> Result<(), Error> {
    let Some(first) = down.plan.refusals.first() else {
        return Ok(());
    };
    let messages: Vec<String> = down
        .plan
        .refusals
        .iter()
        .map(|refusal| format!("({}) {}", refusal.rule, refusal.message))
        .collect();
    let error = Error::refused(format!("refused; nothing was changed: {}", messages.join("; ")));
    Err(first.hints.iter().cloned().fold(error, Error::with_hint))
}
