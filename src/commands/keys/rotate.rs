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
    text::{count_noun, join_code},
};

/// Replace API keys without an outage
///
/// Creates a new key next to the old one, tests it, and delivers it in a new profile. Both keys work during the
/// overlap. When you run the command again after the overlap, it deletes the old key. The next run completes an
/// interrupted rotation.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Replace the keys of a department. Run the command again after 24 hours to delete the old keys.

  $ confluent ebs keys rotate claims

Replace the deployer's keys that are older than 90 days, and delete the old keys immediately.

  $ confluent ebs keys rotate --all --persona deployer --older-than 90d --overlap 0s")]
pub(super) struct KeysRotateArgs {
    /// Codes of departments.
    #[arg(value_name = "department", required_unless_present_any = ["all", "department"])]
    departments: Vec<DepartmentCode>,
    /// Select all departments that are not retired.
    #[arg(long, conflicts_with = "departments")]
    all: bool,
    /// Rotate only the keys of this persona.
    #[arg(long, value_name = "string")]
    persona: Option<String>,
    /// Time for which the old key keeps working, such as 24h or 7d.
    #[arg(long, value_name = "duration", default_value = "24h", value_parser = parse_duration)]
    overlap: Duration,
    /// Rotate only keys that are older, such as 90d.
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = parse_duration)]
    older_than: Duration,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// Exit with 2 if the plan has changes. Requires --dry-run.
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    /// Maximum number of concurrent requests.
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
        let departments: Vec<Department> = if self.all {
            session.workspace.active_departments().cloned().collect()
        } else {
            crate::provisioning::find_active_departments(&session, &self.departments)?
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
            // A department that is not onboarded yet has no keys and must not block the rotation of the others.
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
        let selected = |name: &str| self.persona.as_deref().is_none_or(|persona| persona == name);
        let plan = plan_rotation(
            &reconciliation.plan_input(false),
            &reconciliation.observed.snapshot,
            &rotation,
            |persona| selected(&persona.persona),
        );
        check_refusals("keys rotate", &plan)?;
        let changed = KeysChangeOutput::new(&session.stage_name, reconciliation.profile_store.folder(), &plan);
        if self.dry_run {
            let code = if self.detailed_exitcode && !plan.is_empty() {
                ExitCode::Differences
            } else {
                ExitCode::Ok
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
                "Rotate the API keys of {} in stage `{}`?",
                count_noun(reconciliation.desired.len(), "department"),
                session.stage_name
            );
            if !ctx.confirm(&question)? {
                return Ok(CommandOutput::empty());
            }
        }
        let pending = reconciliation.deliver_pending(&ctx.run).await?;
        let undelivered = undelivered_error(&pending);
        let changed = changed.with_deliveries(reconciliation.delivery_report(pending));
        if let Some(error) = undelivered {
            // The old key must keep working until the profile with the new key is delivered.
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
        let mut known: Vec<&str> = reconciliation
            .desired
            .iter()
            .flat_map(|desired| &desired.personas)
            .filter(|known| !known.keys.is_empty())
            .map(|known| known.persona.as_str())
            .collect();
        known.sort_unstable();
        known.dedup();
        if known.contains(&persona.as_str()) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Usage, format!("no persona `{persona}` with an API key"));
        Err(match crate::hint::closest_match(persona, known.iter().copied()) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint(format!("Personas with API keys: {}.", join_code(&known))),
        })
    }
}

fn to_signed_duration(duration: Duration) -> Result<SignedDuration, Error> {
    SignedDuration::try_from(duration).context("duration too long")
}
