//! `confluent ebs onboard`.

mod plan_view;
mod profile_view;
mod result_view;

use clap::Args;
use result_view::OnboardOutput;

use super::{
    CommandOutput, Ctx,
    global_args::OutputFormat,
    provisioning::{HandoverArgs, confirm_delivery, select_departments},
};
use crate::{
    error::Error,
    model::DepartmentCode,
    provisioning::{
        ConfirmationRequest,
        onboarding::{OnboardInput, OnboardOutcome, onboard},
    },
    render::{Problem, onboarding_to_markdown, refusal_to_markdown},
    session::PlatformSession,
    text::count_noun,
};

/// Onboard departments
///
/// Creates the service accounts, the role bindings on the name prefix and the API keys of each department. Tests with
/// the new keys what they are and are not allowed to do, and writes one profile per persona. Idempotent: re-run it at
/// any time, and it applies only what differs. Besides "human", "json" and "yaml", --output supports "markdown" with
/// --dry-run.
#[derive(Debug, Args)]
#[command(after_help = "\
Rehearse the onboarding of all departments in the sandbox.

  $ confluent ebs onboard --all --sandbox --yes

Show the plan for a department.

  $ confluent ebs onboard claims --dry-run

Show the plan for all departments, as a comment for a merge request.

  $ confluent ebs onboard --all --stage prod --dry-run -o markdown

Onboard two departments, and write their profiles to a folder.

  $ confluent ebs onboard claims fraud --credentials-dir ./handover

Encrypt the profiles, and deliver each of them to a program.

  $ confluent ebs onboard claims --recipients-file ./claims.txt --handover-command ./to-vault")]
pub(super) struct OnboardArgs {
    /// Department codes: the names of their files without ".toml".
    #[arg(value_name = "department", required_unless_present_any = ["all", "department"])]
    departments: Vec<DepartmentCode>,
    /// Onboard every department that has a file and is not retired.
    #[arg(long, conflicts_with = "departments")]
    all: bool,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// Exit with 2 if the plan has changes. Requires --dry-run.
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    /// Maximum number of concurrent requests.
    #[arg(long, value_name = "int", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Also remove role bindings and ACLs that managed accounts have but no template declares, and the accounts and API keys
    /// of personas that the template no longer contains. Accounts that connectors run under are never removed.
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    /// Also print the new API keys with their secrets. Not possible for encrypted or removed profiles.
    #[arg(long, conflicts_with = "remove_delivered")]
    show_secrets: bool,
}

impl OnboardArgs {
    /// Returns whether the command supports this output format; every command supports human, JSON and YAML.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common() || self.dry_run && output == OutputFormat::Markdown
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OnboardOutput>, Error> {
        if ctx.globals.output != OutputFormat::Markdown {
            let mut stage = String::new();
            return Ok(self.onboard(ctx, &mut stage)?.map(|outcome| OnboardOutput {
                outcome: Some(outcome),
                markdown: None,
            }));
        }
        let mut stage = ctx.run.options.stage.clone().unwrap_or_default();
        match self.onboard(ctx, &mut stage) {
            Ok(output) => Ok(output.map(|outcome| OnboardOutput::from_markdown(onboarding_to_markdown(&outcome)))),
            // The comment says so, otherwise a former plan would stay.
            Err(error) => {
                let markdown = refusal_to_markdown(&stage, &Problem::from(&error));
                Ok(CommandOutput::new(OnboardOutput::from_markdown(markdown)).with_error(error))
            }
        }
    }

    /// Onboards the departments. Sets `stage` as soon as it is known.
    fn onboard(self, ctx: &mut Ctx, stage: &mut String) -> Result<CommandOutput<OnboardOutcome>, Error> {
        let session = PlatformSession::open(&ctx.run, usize::from(self.concurrency))?;
        stage.clone_from(&session.stage_name);
        for warning in &session.warnings {
            ctx.ui.warn(&warning.message);
        }
        let input = OnboardInput {
            departments: select_departments(ctx, self.all, self.departments),
            options: self.handover.to_options()?,
            prune: self.prune,
            dry_run: self.dry_run,
            show_secrets: self.show_secrets,
            concurrency: self.concurrency,
        };
        let confirm = |request: ConfirmationRequest<'_, OnboardOutcome>| match request {
            ConfirmationRequest::Apply(planned) => confirm_plan(ctx, planned),
            ConfirmationRequest::DeliverPending { profiles, program } => confirm_delivery(ctx, profiles, program),
        };
        let Some(mut outcome) = ctx.block_on(onboard(&ctx.run, &session, input, &confirm))? else {
            return Ok(CommandOutput::empty());
        };
        outcome.lists_all = ctx.ui.verbosity() > 0;
        let has_differences = self.detailed_exitcode && !outcome.changes.is_empty();
        let error = outcome.error();
        Ok(CommandOutput::new(outcome)
            .with_error_if_any(error)
            .with_differences(has_differences))
    }
}

fn confirm_plan(ctx: &Ctx, planned: &OnboardOutcome) -> Result<bool, Error> {
    if ctx.globals.yes {
        return Ok(true);
    }
    ctx.ui.print_preview(&match planned.departments.len() {
        0..=2 => plan_view::plan_blocks(planned),
        _ => plan_view::plan_summary(planned),
    })?;
    ctx.confirm(&format!(
        "Onboard {} to stage `{}`?",
        count_noun(planned.departments.len(), "department"),
        planned.header.stage
    ))
}
