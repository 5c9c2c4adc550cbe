//! `confluent ebs onboard`.

mod output;

use clap::Args;

use self::output::{
    OnboardHeader, OnboardOutput, PlanSummary, PrintedSecret, department_rows, plan_blocks, plan_summary,
};
use super::{
    CommandOutput, Ctx,
    provisioning::{HandoverArgs, confirm_pending},
};
use crate::{
    apply::ProvisioningReport,
    config::Profile,
    error::Error,
    exit::ExitCode,
    manifest::DesiredDepartment,
    model::{Department, DepartmentCode, Principal, Snapshot},
    plan::ObservedOrganization,
    provisioning::{PendingDelivery, incomplete_run_error, onboarding::PreparedOnboarding, undelivered_error},
    session::PlatformSession,
    text::count_noun,
};

/// Onboard departments
///
/// Creates the service accounts, the role bindings on the name prefix and the API keys of each department. Tests with
/// the new keys what they are and are not allowed to do, and writes one profile per persona. Idempotent: re-run it at
/// any time, and it applies only what differs.
#[derive(Debug, Args)]
#[command(after_help = "\
Rehearse the onboarding of all departments in the sandbox.

  $ confluent ebs onboard --all --sandbox --yes

Show the plan for a department.

  $ confluent ebs onboard claims --dry-run

Onboard two departments, and write their profiles to a folder.

  $ confluent ebs onboard claims fraud --credentials-dir ./handover

Encrypt the profiles, and deliver each of them to a program.

  $ confluent ebs onboard claims --recipients-file ./claims.txt --handover-command ./to-vault")]
pub(super) struct OnboardArgs {
    /// Codes of departments: the names of their files without ".toml".
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
    /// Also remove role bindings and ACLs of managed accounts that no template declares.
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    /// Also print the new API keys with their secrets. Not possible for encrypted or removed profiles.
    #[arg(long, conflicts_with = "remove_delivered")]
    show_secrets: bool,
}

impl OnboardArgs {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<CommandOutput<OnboardOutput>, Error> {
        if !self.all && self.departments.is_empty() {
            self.departments.extend(ctx.run.options.department.clone());
        }
        let session = PlatformSession::open(&ctx.run, usize::from(self.concurrency))?;
        for warning in &session.warnings {
            ctx.ui.warn(&warning.message);
        }
        let departments = self.select_departments(&session)?;
        ctx.block_on(self.onboard(ctx, &session, &departments))
    }

    /// Returns the selected departments, or an error if one is unknown or retired.
    fn select_departments(&self, session: &PlatformSession) -> Result<Vec<Department>, Error> {
        if self.all {
            let all: Vec<Department> = session.workspace.active_departments().cloned().collect();
            if all.is_empty() {
                return Err(Error::failed("no departments to onboard")
                    .with_hint("Create a department file with `confluent ebs department new CODE`."));
            }
            return Ok(all);
        }
        crate::provisioning::find_active_departments(session, &self.departments)
    }

    async fn onboard(
        &self,
        ctx: &Ctx,
        session: &PlatformSession,
        departments: &[Department],
    ) -> Result<CommandOutput<OnboardOutput>, Error> {
        let started = std::cell::Cell::new(std::time::Instant::now());
        let options = self.handover.to_options()?;
        let prepared = PreparedOnboarding::prepare(&ctx.run, session, departments, options, self.prune).await?;
        let reconciliation = &prepared.reconciliation;
        let (desired, profile_store) = (&reconciliation.desired, &reconciliation.profile_store);
        let mut encrypted = departments
            .iter()
            .filter(|department| profile_store.is_encrypted(&department.code));
        if let Some(encrypted) = encrypted.next().filter(|_| self.show_secrets) {
            return Err(Error::usage(format!(
                "`--show-secrets` cannot show encrypted profiles: department `{}` has recipients",
                encrypted.code
            )));
        }
        let snapshot = &reconciliation.observed.snapshot;
        let plan = &prepared.plan;
        let header = report_header(session, &reconciliation.observed);
        let output = |report: Option<ProvisioningReport>, pending: Vec<PendingDelivery>, evidence, secrets| {
            let accounts = desired.iter().flat_map(|desired| {
                desired
                    .personas
                    .iter()
                    .map(|p| (p.account_name.clone(), desired.department.code.clone()))
            });
            let before = |code: &DepartmentCode| count_existing(desired, snapshot, code);
            OnboardOutput {
                header: header.clone(),
                dry_run: self.dry_run,
                departments: department_rows(plan, report.as_ref(), &before, &accounts.collect()),
                checks: prepared.checks.clone(),
                quotas: prepared.budget.clone(),
                plan: PlanSummary::from_plan(plan),
                report,
                isolation: Some(prepared.isolation.clone()),
                credentials_dir: profile_store.folder().to_owned(),
                deliveries: reconciliation.delivery_report(pending),
                evidence,
                secrets,
                elapsed_ms: u64::try_from(started.get().elapsed().as_millis()).unwrap_or(u64::MAX),
            }
        };
        if self.dry_run {
            let code = if self.detailed_exitcode && !plan.is_empty() {
                ExitCode::Differences
            } else {
                ExitCode::Ok
            };
            return Ok(CommandOutput::new(output(None, Vec::new(), Vec::new(), Vec::new())).with_code(code));
        }
        if plan.is_empty() {
            let evidence = reconciliation.finalize_evidence()?;
            let Some(pending) = confirm_pending(ctx, reconciliation).await? else {
                return Ok(CommandOutput::empty());
            };
            let error = undelivered_error(&pending);
            let finished = CommandOutput::new(output(None, pending, evidence, Vec::new()));
            return Ok(match error {
                Some(error) => finished.with_error(error),
                None => finished,
            });
        }
        reconciliation.check_profiles_writable(plan)?;

        if !ctx.globals.yes {
            let blocks = match desired.len() {
                0..=2 => plan_blocks(&header, plan, &prepared.budget, &prepared.checks),
                _ => plan_summary(&header, plan, &prepared.budget, &prepared.checks),
            };
            ctx.ui.print_preview(&blocks)?;
            let question = format!(
                "Onboard {} to stage `{}`?",
                count_noun(desired.len(), "department"),
                session.stage_name
            );
            if !ctx.confirm(&question)? {
                return Ok(CommandOutput::empty());
            }
        }
        // The elapsed time does not include the confirmation prompt.
        started.set(std::time::Instant::now());
        let applied = prepared.apply(&ctx.run, self.concurrency).await?;
        let secrets = if self.show_secrets {
            read_secrets(&applied.report)
        } else {
            Vec::new()
        };
        let error = incomplete_run_error(&applied.report).or_else(|| undelivered_error(&applied.previous_runs));
        let mut finished = CommandOutput::new(output(
            Some(applied.report),
            applied.previous_runs,
            applied.evidence,
            secrets,
        ));
        if let Some(error) = error {
            finished = finished.with_error(error);
        }
        Ok(finished)
    }
}

fn report_header(session: &PlatformSession, observed: &ObservedOrganization) -> OnboardHeader {
    OnboardHeader {
        stage: session.stage_name.clone(),
        address: observed.snapshot.address.clone(),
        cluster_type: observed.cluster.spec.config.kind.clone(),
        provisioner: observed.snapshot.display_name(&observed.snapshot.observed_by),
    }
}

/// Counts the existing accounts, role bindings and keys of a department.
fn count_existing(desired: &[DesiredDepartment], snapshot: &Snapshot, code: &DepartmentCode) -> [usize; 3] {
    let Some(desired) = desired.iter().find(|desired| desired.department.code == *code) else {
        return [0; 3];
    };
    let accounts: Vec<Principal> = desired
        .personas
        .iter()
        .filter_map(|persona| snapshot.account_by_name(&persona.account_name))
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect();
    let bindings = accounts
        .iter()
        .map(|account| snapshot.bindings_of(account).count())
        .sum();
    let keys = accounts.iter().map(|account| snapshot.keys_of(account).count()).sum();
    [accounts.len(), bindings, keys]
}

/// Reads the keys and secrets from the written profiles.
fn read_secrets(report: &ProvisioningReport) -> Vec<PrintedSecret> {
    report
        .profiles
        .iter()
        .filter_map(|profile| {
            let text = std::fs::read_to_string(&profile.path).ok()?;
            let (_, keys, _) = Profile::parse(&profile.path, text, &[]);
            Some(
                [keys.cloud, keys.kafka, keys.schema_registry]
                    .into_iter()
                    .flatten()
                    .map(|pair| PrintedSecret {
                        account: profile.account.clone(),
                        api_key: pair.id.to_string(),
                        api_secret: pair.secret.expose().to_owned(),
                    }),
            )
        })
        .flatten()
        .collect()
}
