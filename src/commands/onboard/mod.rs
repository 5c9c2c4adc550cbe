//! `confluent ebs onboard`.

mod isolation;
mod output;

use clap::Args;

use super::{
    Ctx, Report,
    estate::{self, AclSight, Estate, HandoverArgs, Later, not_taken, refused, shown::counted, unfinished},
    session::Session,
};
use crate::{
    apply::Report as Applied,
    checks::{CheckState, acl_room, preflight},
    config::Profile,
    error::Error,
    exit::ExitCode,
    manifest::DesiredDepartment,
    model::{Department, DepartmentCode, Principal, Snapshot},
    plan::{self, Observed, Plan},
};
use output::{Onboarding, PlanPart, Setting, ShownSecret, plan_blocks, plan_summary, rows};

/// Onboard departments.
///
/// Gives each department its service accounts, role bindings on its name prefix and API keys, proves with the new keys
/// what they can and cannot do, and writes one profile file per persona. What exists already is left as it is; run
/// again, it does what is missing and nothing twice.
#[derive(Debug, Args)]
#[command(after_help = "\
Rehearse the onboarding of every department on the embedded Confluent Cloud.

  $ confluent ebs onboard --all --sandbox --yes

Show what would be done for a department.

  $ confluent ebs onboard claims --dry-run

Onboard two departments, and put their profiles into a folder.

  $ confluent ebs onboard claims fraud --credentials-dir ./handover

Encrypt the profiles, and give each to a program that keeps them.

  $ confluent ebs onboard claims --recipients-file ./claims.txt --handover-command ./to-vault")]
pub(super) struct Onboard {
    /// Codes of departments: the names of their files without ".toml".
    #[arg(value_name = "department", required_unless_present_any = ["all", "department"])]
    departments: Vec<DepartmentCode>,
    /// Onboard every department that has a file and is not retired.
    #[arg(long, conflicts_with = "departments")]
    all: bool,
    /// Show the plan without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// Exit with 2 if the plan has changes. Needs --dry-run.
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    /// How many requests are under way at a time.
    #[arg(long, value_name = "int", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Also remove role bindings and ACLs of our accounts that no template asks for.
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    handover: HandoverArgs,
    /// Print the new API keys with their secrets, too. Not for what is encrypted or removed.
    #[arg(long, conflicts_with = "remove_taken")]
    show_secrets: bool,
}

impl Onboard {
    pub(super) fn run(mut self, ctx: &mut Ctx) -> Result<Report<Onboarding>, Error> {
        if !self.all && self.departments.is_empty() {
            self.departments.extend(ctx.globals.department.clone());
        }
        let session = Session::open(ctx, usize::from(self.concurrency))?;
        for warning in &session.warnings {
            ctx.ui.warn(&warning.message);
        }
        let departments = self.departments(&session)?;
        ctx.block_on(self.onboard(ctx, &session, &departments))
    }

    /// The departments that were asked for, all of them known.
    fn departments(&self, session: &Session) -> Result<Vec<Department>, Error> {
        if self.all {
            let all: Vec<Department> = session.workspace.active_departments().cloned().collect();
            return match all.is_empty() {
                true => Err(Error::failed("there is no department to onboard")
                    .with_hint("`confluent ebs department new CODE` makes a file for one.")),
                false => Ok(all),
            };
        }
        estate::departments(session, &self.departments)
    }

    async fn onboard(
        &self,
        ctx: &Ctx,
        session: &Session,
        departments: &[Department],
    ) -> Result<Report<Onboarding>, Error> {
        let begun = std::cell::Cell::new(std::time::Instant::now());
        let estate = Estate::look(ctx, session, departments, &self.handover, AclSight::Needed).await?;
        let (observed, desired, sink) = (&estate.observed, &estate.desired, &estate.sink);
        let mut sealed = departments.iter().filter(|department| sink.is_sealed(&department.code));
        if let Some(sealed) = sealed.next().filter(|_| self.show_secrets) {
            return Err(Error::usage(format!(
                "`--show-secrets` cannot show what is encrypted: department `{}` has recipients",
                sealed.code
            )));
        }
        let seen = &observed.snapshot;
        let plan = plan::diff(&estate.wanted(self.prune), seen);
        let budget = plan::budget(&plan.changes, seen, &observed.quotas);
        let mut checks = preflight(observed, session.stage.schema_registry.as_ref(), &budget);
        checks.extend(acl_room(observed, &plan));
        let setting = setting(session, observed);

        refused("onboard", &plan)?;
        let problems: Vec<_> = checks
            .iter()
            .filter(|check| check.state == CheckState::Problem)
            .collect();
        if !problems.is_empty() {
            let details: Vec<String> = problems
                .iter()
                .map(|check| format!("{}: {}", check.name, check.detail))
                .collect();
            let error = Error::refused(format!("nothing was changed: {}", details.join("; ")));
            return Err(problems
                .iter()
                .filter_map(|check| check.fix.clone())
                .fold(error, Error::with_hint));
        }
        let isolation = isolation::prove(
            &session.workspace.active_departments().collect::<Vec<_>>(),
            desired,
            seen,
            &plan,
        );
        if let Some(overlap) = &isolation.in_the_way {
            let message = format!("nothing was changed: departments would not be isolated: {overlap}");
            return Err(Error::refused(message).with_hint(
                "`confluent ebs department validate` shows overlaps between files; remove the binding or ACL otherwise.",
            ));
        }
        let answer = |plan: &Plan, report: Option<Applied>, later: Vec<Later>, evidence, secrets| {
            let accounts = desired.iter().flat_map(|desired| {
                desired
                    .personas
                    .iter()
                    .map(|p| (p.account_name.clone(), desired.department.code.clone()))
            });
            let before = |code: &DepartmentCode| existing(desired, seen, code);
            Onboarding {
                setting: setting.clone(),
                dry_run: self.dry_run,
                departments: rows(plan, report.as_ref(), &before, &accounts.collect()),
                checks: checks.clone(),
                quotas: budget.clone(),
                plan: PlanPart::of(plan),
                report,
                isolation: Some(isolation.clone()),
                credentials_dir: sink.folder().to_owned(),
                deliveries: estate.deliveries(later),
                evidence,
                secrets,
                elapsed_ms: u64::try_from(begun.get().elapsed().as_millis()).unwrap_or(u64::MAX),
            }
        };
        if self.dry_run {
            let code = match self.detailed_exitcode && !plan.is_empty() {
                true => ExitCode::Differences,
                false => ExitCode::Ok,
            };
            return Ok(Report::new(answer(&plan, None, Vec::new(), Vec::new(), Vec::new())).with_code(code));
        }
        if plan.is_empty() {
            let evidence = estate.complete_evidence()?;
            let Some(later) = estate.offer_left_behind(ctx).await? else {
                return Ok(Report::nothing());
            };
            let error = not_taken(&later);
            let finished = Report::new(answer(&plan, None, later, evidence, Vec::new()));
            return Ok(match error {
                Some(error) => finished.with_error(error),
                None => finished,
            });
        }
        estate.check_handover(&plan)?;

        if !ctx.globals.yes {
            let blocks = match desired.len() {
                0..=2 => plan_blocks(&setting, &plan, &budget, &checks),
                _ => plan_summary(&setting, &plan, &budget, &checks),
            };
            ctx.ui.show(&blocks)?;
            let question = format!(
                "Onboard {} to stage {}?",
                counted(desired.len(), "department"),
                session.stage_name
            );
            if !ctx.confirm(&question)? {
                return Ok(Report::nothing());
            }
        }
        // The time a person took to answer is not the run's.
        begun.set(std::time::Instant::now());
        let later = estate.deliver_left_behind(ctx).await?;
        let (report, evidence) = estate.carry_out(ctx, "onboard", &plan, self.concurrency).await?;
        let secrets = if self.show_secrets {
            secrets(&report)
        } else {
            Vec::new()
        };
        let error = unfinished(&report).or_else(|| not_taken(&later));
        let mut finished = Report::new(answer(&plan, Some(report), later, evidence, secrets));
        if let Some(error) = error {
            finished = finished.with_error(error);
        }
        Ok(finished)
    }
}

fn setting(session: &Session, observed: &Observed) -> Setting {
    Setting {
        stage: session.stage_name.clone(),
        address: observed.snapshot.address.clone(),
        cluster_type: observed.cluster.spec.config.kind.clone(),
        provisioner: observed.snapshot.name_of(&observed.snapshot.seen_by),
    }
}

/// How many accounts, bindings and keys of a department exist already.
fn existing(desired: &[DesiredDepartment], seen: &Snapshot, code: &DepartmentCode) -> [usize; 3] {
    let Some(desired) = desired.iter().find(|desired| desired.department.code == *code) else {
        return [0; 3];
    };
    let accounts: Vec<Principal> = desired
        .personas
        .iter()
        .filter_map(|persona| seen.account_named(&persona.account_name))
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect();
    let bindings = accounts.iter().map(|account| seen.bindings_of(account).count()).sum();
    let keys = accounts.iter().map(|account| seen.keys_of(account).count()).sum();
    [accounts.len(), bindings, keys]
}

/// The keys that were handed over, with their secrets.
fn secrets(report: &Applied) -> Vec<ShownSecret> {
    report
        .handed
        .iter()
        .filter_map(|handed| {
            let text = std::fs::read_to_string(&handed.path).ok()?;
            let (_, keys, _) = Profile::parse(&handed.path, text, &[]);
            Some(
                [keys.cloud, keys.kafka, keys.schema_registry]
                    .into_iter()
                    .flatten()
                    .map(|pair| ShownSecret {
                        account: handed.account.clone(),
                        api_key: pair.id.to_string(),
                        api_secret: pair.secret.expose().to_owned(),
                    }),
            )
        })
        .flatten()
        .collect()
}
