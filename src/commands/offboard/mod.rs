//! `confluent ebs offboard`.

mod connectors;
mod output;
mod proof;
mod retire;

use clap::Args;

use super::{
    Ctx, Report,
    estate::{self, AclSight, Estate, FolderArgs, unfinished},
    session::Session,
};
use crate::{
    error::{Error, ErrorKind},
    model::{Department, DepartmentCode},
    plan::{Teardown, teardown},
};
use connectors::ConnectorArgs;
use output::{Offboarding, plan_blocks};

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
pub(super) struct Offboard {
    /// Code of the department: the name of its file without ".toml".
    #[arg(value_name = "department")]
    department: DepartmentCode,
    #[command(flatten)]
    connectors: ConnectorArgs,
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

impl Offboard {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Offboarding>, Error> {
        let session = Session::open(ctx, usize::from(self.concurrency))?;
        let department = estate::department(&session, &self.department)?;
        ctx.block_on(self.offboard(ctx, &session, &department))
    }

    async fn offboard(
        &self,
        ctx: &Ctx,
        session: &Session,
        department: &Department,
    ) -> Result<Report<Offboarding>, Error> {
        // Retired or not: an interrupted off-boarding has retired it already.
        let estate = Estate::look(
            ctx,
            session,
            std::slice::from_ref(department),
            &self.folders,
            AclSight::Possible,
        )
        .await?;
        let seen = &estate.observed.snapshot;
        let down = teardown(&estate.wanted(false), seen, department, self.remove_foreign);
        let there = connectors::look(&estate, department, &down).await?;
        let topics = estate.topics(department).await;
        refused(&down)?;
        if !self.dry_run {
            self.connectors.refuse(department, &there)?;
        }
        let mut answer = Offboarding::new(&estate, department, &down, &there, topics, self);
        if self.dry_run {
            return Ok(Report::new(answer));
        }
        if !(down.plan.is_empty() && there.own.is_empty()) {
            ctx.ui.show(&plan_blocks(&answer))?;
            let question = format!(
                "This takes away every access of department \"{}\" in stage {}.",
                department.code, session.stage_name
            );
            ctx.confirm_by_typing(&question, department.code.as_str())?;
        }
        if ctx.interrupt.is_wished() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted before anything was changed",
            ));
        }
        // First of all, so that no onboarding brings back what is being taken away.
        answer.retired = retire::retire(ctx, session, department)?;
        answer.saved = self.connectors.delete(ctx, &estate, department, &there).await?;
        let mut error = None;
        if !down.plan.is_empty() {
            let (report, evidence) = estate.carry_out(ctx, "offboard", &down.plan, self.concurrency).await?;
            error = unfinished(&report);
            answer.done(report, evidence);
        }
        if error.is_none() {
            let proof = Box::pin(proof::prove(ctx, &estate, department, &down, answer.topics_unseen())).await?;
            error = proof.error(department, self.remove_foreign);
            answer.evidence.extend(estate.write_proof(&department.code, &proof)?);
            answer.proof = Some(proof);
        }
        let report = Report::new(answer);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// What stands in the way.
fn refused(down: &Teardown) -> Result<(), Error> {
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
