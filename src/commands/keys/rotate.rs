//! `confluent ebs keys rotate`.

use std::time::Duration;

use super::view::plan_blocks;
use crate::{
    commands::{
        CommandOutput, Ctx,
        duration::parse_duration,
        provisioning::{HandoverArgs, confirm_delivery, select_departments},
    },
    error::Error,
    model::DepartmentCode,
    provisioning::{
        ConfirmationRequest,
        keys::{KeysOutcome, RotateInput, rotate_keys},
    },
    session::PlatformSession,
    text::count_noun,
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
    /// Department codes.
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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<KeysOutcome>, Error> {
        let session = PlatformSession::open(&ctx.run, usize::from(self.concurrency))?;
        let input = RotateInput {
            departments: select_departments(ctx, self.all, self.departments),
            persona: self.persona,
            overlap: self.overlap,
            older_than: self.older_than,
            dry_run: self.dry_run,
            concurrency: self.concurrency,
            options: self.handover.to_options()?,
        };
        let confirm = |request: ConfirmationRequest<'_, KeysOutcome>| match request {
            ConfirmationRequest::Apply(planned) => confirm_plan(ctx, planned),
            ConfirmationRequest::DeliverPending { profiles, program } => confirm_delivery(ctx, profiles, program),
        };
        let Some(outcome) = ctx.block_on(rotate_keys(&ctx.run, &session, input, &confirm))? else {
            return Ok(CommandOutput::empty());
        };
        let has_differences = self.detailed_exitcode && !outcome.changes.is_empty();
        let error = outcome.error();
        Ok(CommandOutput::new(outcome)
            .with_error_if_any(error)
            .with_differences(has_differences))
    }
}

fn confirm_plan(ctx: &Ctx, planned: &KeysOutcome) -> Result<bool, Error> {
    if ctx.globals.yes {
        return Ok(true);
    }
    ctx.ui.print_preview(&plan_blocks(planned))?;
    ctx.confirm(&format!(
        "Rotate the API keys of {} in stage `{}`?",
        count_noun(planned.department_count, "department"),
        planned.stage
    ))
}
