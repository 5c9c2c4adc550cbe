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

/// Take a department's access away.
///
/// Removes its API keys, its role bindings, its ACLs and its service accounts, in an order that leaves nothing behind;
/// its file stays, as the tombstone of its prefix. At the end it proves that the keys are dead and names whoever can still
/// do anything on the prefix. Topics and schemas are never removed; the topics of the prefix are listed with an API key of the
/// Kafka cluster.
#[derive(Debug, Args)]
#[command(after_help = "\
Show what would be taken away.

  $ confluent ebs offboard claims --dry-run

Take it away, connectors included, after saving their configurations and offsets.

  $ confluent ebs offboard claims --delete-connectors")]
pub(super) struct OffboardArgs {
    /// Code of the department: the name of its file without ".toml".
    #[arg(value_name = "department")]
    department: DepartmentCode,
    #[command(flatten)]
    connectors: ConnectorRemovalArgs,
    /// Also remove role bindings and ACLs of others on the prefix.
    #[arg(long)]
    remove_foreign: bool,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// How many requests are under way at a time.
    #[arg(long, value_name = "int", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    #[command(flatten)]
    folders: FolderArgs,
}

/// What happens to connectors.
#[derive(Debug, Args)]
struct ConnectorRemovalArgs {
    /// Remove the department's connectors, too.
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
        // Retired or not: an interrupted off-boarding has retired it already.
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
        let mut answer = OffboardOutput::new(&reconciliation, department, &down, &connectors, topics, self);
        if self.dry_run {
            return Ok(CommandOutput::new(answer));
        }
        if !(down.plan.is_empty() && connectors.own.is_empty()) {
            ctx.ui.print_preview(&plan_blocks(&answer))?;
            let question = format!(
                "This takes away every access of department \"{}\" in stage {}.",
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
        // First of all, so that no onboarding brings back what is being taken away.
        answer.retired = retire(&ctx.run, session, department)?;
        answer.backups = self
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
            answer.set_applied(report, evidence);
        }
        if error.is_none() {
            let proof = Box::pin(prove_removal(
                &ctx.run,
                &reconciliation,
                department,
                &down,
                answer.topics_unknown(),
            ))
            .await?;
            error = proof.to_error(department, self.remove_foreign);
            answer
                .evidence
                .extend(reconciliation.write_removal_evidence(&department.code, &proof)?);
            answer.proof = Some(proof);
        }
        let report = CommandOutput::new(answer);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// What stands in the way.
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
    let error = Error::refused(format!("nothing was changed: {}", messages.join("; ")));
    Err(first.hints.iter().cloned().fold(error, Error::with_hint))
}
