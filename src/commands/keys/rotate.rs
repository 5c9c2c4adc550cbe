//! `confluent ebs keys rotate`.

use std::time::Duration;

use jiff::SignedDuration;

use super::view::{KeysChangeOutput, plan_blocks};
use crate::{
    commands::{
        CommandOutput, Ctx,
        duration::parse_duration,
        provisioning::{HandoverArgs, confirm_pending},
    },
    error::{Error, ErrorKind, ResultExt},
    exit::ExitCode,
    manifest::DesiredPersona,
    model::{Department, DepartmentCode},
    plan::{Rotation, rotation::plan_rotation},
    provisioning::{AclLookup, Reconciliation, check_refusals, incomplete_run_error, undelivered_error},
    session::PlatformSession,
    text::count_noun,
};

/// Replace API keys without an outage.
///
/// Makes a new key beside the old one, proves it and hands it over as a profile of its own. Both work during the overlap;
/// run again after it, the command removes the old key, and no other. An interrupted rotation is taken up by the next.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Replace the keys of a department; run again tomorrow, remove the old ones.

  $ confluent ebs keys rotate claims

Replace the deployer's key wherever it is older than three months, and the old one at once.

  $ confluent ebs keys rotate --all --persona deployer --older-than 90d --overlap 0s")]
pub(super) struct KeysRotateArgs {
    /// Codes of departments.
    #[arg(value_name = "department", required_unless_present_any = ["all", "department"])]
    departments: Vec<DepartmentCode>,
    /// All departments that are not retired.
    #[arg(long, conflicts_with = "departments")]
    all: bool,
    /// Only this persona.
    #[arg(long, value_name = "string")]
    persona: Option<String>,
    /// How long an old key works beside the new one, such as 24h or 7d.
    #[arg(long, value_name = "duration", default_value = "24h", value_parser = parse_duration)]
    overlap: Duration,
    /// Leave keys alone that are younger, such as 90d.
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = parse_duration)]
    older_than: Duration,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// Exit with 2 if the plan has changes. Needs --dry-run.
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    /// How many requests are under way at a time.
    #[arg(long, value_name = "int", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    #[command(flatten)]
    handover: HandoverArgs,
}

impl KeysRotateArgs {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<CommandOutput<KeysChangeOutput>, Error> {
        if !self.all && self.departments.is_empty() {
            self.departments.extend(ctx.run.options.department.clone());
        }
        let session = PlatformSession::open(&ctx.run, usize::from(self.concurrency))?;
        let departments: Vec<Department> = match self.all {
            true => session.workspace.active_departments().cloned().collect(),
            false => crate::provisioning::find_active_departments(&session, &self.departments)?,
        };
        ctx.block_on(self.rotate(ctx, &session, &departments))
    }

    async fn rotate(
        &self,
        ctx: &Ctx,
        session: &PlatformSession,
        departments: &[Department],
    ) -> Result<CommandOutput<KeysChangeOutput>, Error> {
        let mut reconciliation = Reconciliation::observe(
            &ctx.run,
            session,
            departments,
            self.handover.to_options()?,
            AclLookup::IfNeeded,
        )
        .await?;
        if self.all {
            // A department that was never onboarded has no keys, and must not hold up the others.
            let snapshot = &reconciliation.observed.snapshot;
            let exists = |persona: &DesiredPersona| snapshot.account_by_name(&persona.account_name).is_some();
            reconciliation
                .desired
                .retain(|desired| desired.personas.iter().any(exists));
        }
        let rotation = Rotation {
            overlap: to_signed_duration(self.overlap)?,
            older_than: to_signed_duration(self.older_than)?,
        };
        self.check_persona(&reconciliation)?;
        let chosen = |name: &str| self.persona.as_deref().is_none_or(|persona| persona == name);
        let plan = plan_rotation(
            &reconciliation.plan_input(false),
            &reconciliation.observed.snapshot,
            &rotation,
            |persona| chosen(&persona.persona),
        );
        check_refusals("keys rotate", &plan)?;
        let changed = KeysChangeOutput::new(&session.stage_name, reconciliation.profile_store.folder(), &plan);
        if self.dry_run {
            let code = match self.detailed_exitcode && !plan.is_empty() {
                true => ExitCode::Differences,
                false => ExitCode::Ok,
            };
            return Ok(CommandOutput::new(changed.planned()).with_code(code));
        }
        if plan.is_empty() {
            let evidence = reconciliation.finalize_evidence()?;
            let Some(pending) = confirm_pending(ctx, &reconciliation).await? else {
                return Ok(CommandOutput::empty());
            };
            let error = undelivered_error(&pending);
            let report = CommandOutput::new(
                changed
                    .with_evidence(evidence)
                    .with_deliveries(reconciliation.delivery_report(pending)),
            );
            return Ok(match error {
                Some(error) => report.with_error(error),
                None => report,
            });
        }
        reconciliation.check_profiles_writable(&plan)?;
        if !ctx.globals.yes {
            let codes: Vec<DepartmentCode> = departments.iter().map(|department| department.code.clone()).collect();
            ctx.ui.print_preview(&plan_blocks(&plan, &codes))?;
            let question = format!(
                "Rotate the API keys of {} in stage {}?",
                count_noun(reconciliation.desired.len(), "department"),
                session.stage_name
            );
            if !ctx.confirm(&question)? {
                return Ok(CommandOutput::empty());
            }
        }
        let pending = reconciliation.deliver_pending(&ctx.run).await?;
        let not_taken = undelivered_error(&pending);
        let changed = changed.with_deliveries(reconciliation.delivery_report(pending));
        if let Some(error) = not_taken {
            // An old key works until the new one has arrived.
            return Ok(CommandOutput::new(changed).with_error(error));
        }
        let (report, evidence) = reconciliation
            .apply(&ctx.run, "keys rotate", &plan, self.concurrency)
            .await?;
        let error = incomplete_run_error(&report);
        let report = CommandOutput::new(changed.applied(report, evidence));
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    fn check_persona(&self, reconciliation: &Reconciliation<'_>) -> Result<(), Error> {
        let Some(persona) = &self.persona else { return Ok(()) };
        let known: Vec<&str> = reconciliation
            .desired
            .iter()
            .flat_map(|desired| &desired.personas)
            .filter(|known| !known.keys.is_empty())
            .map(|known| known.persona.as_str())
            .collect();
        if known.contains(&persona.as_str()) {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::Usage,
            format!("there is no persona `{persona}` with an API key"),
        );
        Err(match crate::hint::closest_match(persona, known.iter().copied()) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error,
        })
    }
}

fn to_signed_duration(duration: Duration) -> Result<SignedDuration, Error> {
    SignedDuration::try_from(duration).context("a duration is too long")
}
