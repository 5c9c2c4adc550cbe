//! `confluent ebs keys rotate`.

use std::time::Duration;

use jiff::SignedDuration;

use super::outcome::{KeysChanged, plan_blocks};
use crate::{
    commands::{
        Ctx, Report,
        duration::duration,
        estate::{self, AclSight, Estate, HandoverArgs, not_taken, refused, shown::counted, unfinished},
        session::Session,
    },
    error::{Error, ErrorKind, ResultExt},
    exit::ExitCode,
    manifest::DesiredPersona,
    model::{Department, DepartmentCode},
    plan::{Rotation, rotation::rotate},
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
pub(super) struct Rotate {
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
    #[arg(long, value_name = "duration", default_value = "24h", value_parser = duration)]
    overlap: Duration,
    /// Leave keys alone that are younger, such as 90d.
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = duration)]
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

impl Rotate {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<Report<KeysChanged>, Error> {
        if !self.all && self.departments.is_empty() {
            self.departments.extend(ctx.globals.department.clone());
        }
        let session = Session::open(ctx, usize::from(self.concurrency))?;
        let departments: Vec<Department> = match self.all {
            true => session.workspace.active_departments().cloned().collect(),
            false => estate::departments(&session, &self.departments)?,
        };
        ctx.block_on(self.rotate(ctx, &session, &departments))
    }

    async fn rotate(
        &self,
        ctx: &Ctx,
        session: &Session,
        departments: &[Department],
    ) -> Result<Report<KeysChanged>, Error> {
        let mut estate = Estate::look(ctx, session, departments, &self.handover, AclSight::Needed).await?;
        if self.all {
            // A department that was never onboarded has no keys, and must not hold up the others.
            let seen = &estate.observed.snapshot;
            let exists = |persona: &DesiredPersona| seen.account_named(&persona.account_name).is_some();
            estate.desired.retain(|desired| desired.personas.iter().any(exists));
        }
        let rotation = Rotation {
            overlap: signed(self.overlap)?,
            older_than: signed(self.older_than)?,
        };
        self.refuse_unknown_persona(&estate)?;
        let chosen = |name: &str| self.persona.as_deref().is_none_or(|persona| persona == name);
        let plan = rotate(&estate.wanted(false), &estate.observed.snapshot, &rotation, |persona| {
            chosen(&persona.persona)
        });
        refused("keys rotate", &plan)?;
        let changed = KeysChanged::new(&session.stage_name, estate.sink.folder(), &plan);
        if self.dry_run {
            let code = match self.detailed_exitcode && !plan.is_empty() {
                true => ExitCode::Differences,
                false => ExitCode::Ok,
            };
            return Ok(Report::new(changed.dry()).with_code(code));
        }
        if plan.is_empty() {
            let evidence = estate.complete_evidence()?;
            let Some(later) = estate.offer_left_behind(ctx).await? else {
                return Ok(Report::nothing());
            };
            let error = not_taken(&later);
            let report = Report::new(changed.with_evidence(evidence).delivered(estate.deliveries(later)));
            return Ok(match error {
                Some(error) => report.with_error(error),
                None => report,
            });
        }
        estate.check_handover(&plan)?;
        if !ctx.globals.yes {
            let codes: Vec<DepartmentCode> = departments.iter().map(|department| department.code.clone()).collect();
            ctx.ui.show(&plan_blocks(&plan, &codes))?;
            let question = format!(
                "Rotate the API keys of {} in stage {}?",
                counted(estate.desired.len(), "department"),
                session.stage_name
            );
            if !ctx.confirm(&question)? {
                return Ok(Report::nothing());
            }
        }
        let later = estate.deliver_left_behind(ctx).await?;
        let not_taken = not_taken(&later);
        let changed = changed.delivered(estate.deliveries(later));
        if let Some(error) = not_taken {
            // An old key works until the new one has arrived.
            return Ok(Report::new(changed).with_error(error));
        }
        let (report, evidence) = estate.carry_out(ctx, "keys rotate", &plan, self.concurrency).await?;
        let error = unfinished(&report);
        let report = Report::new(changed.done(report, evidence));
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    fn refuse_unknown_persona(&self, estate: &Estate<'_>) -> Result<(), Error> {
        let Some(persona) = &self.persona else { return Ok(()) };
        let known: Vec<&str> = estate
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
        Err(match crate::hint::nearest(persona, known.iter().copied()) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error,
        })
    }
}

fn signed(duration: Duration) -> Result<SignedDuration, Error> {
    SignedDuration::try_from(duration).context("a duration is too long")
}
