//! `confluent ebs onboard`.

mod evidence;
mod isolation;
mod output;
mod refusal;

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;

use super::{Ctx, Report, session::Session};
use crate::{
    apply::{self, Engine, Event, Journal, Report as Applied},
    checks::{CheckState, preflight},
    client::{Auth, CredentialSource, Credentials, RetryNotice},
    config::Profile,
    error::{Error, ErrorKind, ResultExt},
    exit::ExitCode,
    handover::{self, Sink},
    manifest::DesiredDepartment,
    model::{Department, DepartmentCode, Principal, Secret, Snapshot},
    plan::{self, Observed, Operation, Plan, Wanted},
    resources::{PROPAGATION_BUDGET, World},
};
use output::{Onboarding, PlanPart, Setting, ShownSecret, counted, plan_blocks, plan_summary, rows};
use refusal::{denied, refused, unfinished};

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

  $ confluent ebs onboard claims fraud --credentials-dir ./handover")]
pub(super) struct Onboard {
    /// Codes of departments: the names of their files without ".toml".
    #[arg(value_name = "department", required_unless_present = "all")]
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
    /// Also remove role bindings of our accounts that no template asks for.
    #[arg(long)]
    prune: bool,
    /// Folder for the profile files. Inside a Git work tree it must be ignored.
    #[arg(long, value_name = "string")]
    credentials_dir: Option<PathBuf>,
    /// Folder for the evidence files, which hold no secret.
    #[arg(long, value_name = "string")]
    evidence_dir: Option<PathBuf>,
    /// Print the new API keys with their secrets, too.
    #[arg(long)]
    show_secrets: bool,
}

impl Onboard {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Onboarding>, Error> {
        let session = Session::open(ctx, usize::from(self.concurrency))?;
        for warning in &session.warnings {
            ctx.ui.warn(&warning.message);
        }
        let departments = self.departments(&session)?;
        ctx.block_on(self.onboard(ctx, &session, &departments))
    }

    /// The departments that were asked for, all of them known.
    fn departments(&self, session: &Session) -> Result<Vec<Department>, Error> {
        let workspace = &session.workspace;
        if self.all {
            let all: Vec<Department> = workspace.active_departments().cloned().collect();
            return match all.is_empty() {
                true => Err(Error::failed("there is no department to onboard")
                    .with_hint("`confluent ebs department new CODE` makes a file for one.")),
                false => Ok(all),
            };
        }
        let wanted: BTreeSet<&DepartmentCode> = self.departments.iter().collect();
        let known: Vec<&str> = workspace
            .departments()
            .map(|department| department.code.as_str())
            .collect();
        wanted
            .into_iter()
            .map(|code| match workspace.department(code) {
                Some(department) if department.retired.is_some() => {
                    Err(Error::refused(format!("department `{code}` is retired"))
                        .with_hint("A retired department's file is the tombstone of its prefix; add a new department."))
                }
                Some(department) => Ok(department.clone()),
                None => {
                    let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
                    Err(match crate::hint::nearest(code.as_str(), known.iter().copied()) {
                        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                        None => error.with_hint("`confluent ebs department list` shows them all."),
                    })
                }
            })
            .collect()
    }

    async fn onboard(
        &self,
        ctx: &Ctx,
        session: &Session,
        departments: &[Department],
    ) -> Result<Report<Onboarding>, Error> {
        let begun = std::cell::Cell::new(std::time::Instant::now());
        let journals = Journal::lengths(&session.places.journal);
        let progress = ctx.ui.progress();
        progress.on(&Event::Phase { name: "Look", total: 0 });
        let observed = plan::observe(&session.client, &session.clock, &session.target())
            .await
            .map_err(denied)?;
        let seen = &observed.snapshot;
        let address = &seen.address;
        let desired: Vec<DesiredDepartment> = departments
            .iter()
            .filter_map(|department| session.workspace.desired(department, &session.stage_name, address))
            .collect();
        let sink = session.sink(self.credentials_dir.as_ref())?;
        let journal_path = session.journal(&address.organization);
        let evidence_dir = self
            .evidence_dir
            .clone()
            .unwrap_or_else(|| session.places.evidence.clone());
        let ledger = apply::ledger(&journal_path, &evidence_dir, &sink, seen.taken_at, PROPAGATION_BUDGET)?;
        let known = session
            .workspace
            .active_departments()
            .map(|department| department.code.clone())
            .collect();
        let wanted = Wanted {
            stage: &session.stage_name,
            address,
            provisioner: &observed.provisioner,
            departments: &desired,
            known: &known,
            adopt: &session.workspace.platform.adopt.iter().cloned().collect(),
            ledger: &ledger,
            prune: self.prune,
        };
        let plan = plan::diff(&wanted, seen);
        let budget = plan::budget(&plan.changes, seen, &observed.quotas);
        let checks = preflight(&observed, session.stage.schema_registry.as_ref(), &budget);
        let setting = setting(session, &observed);
        drop(progress);

        refused(&plan)?;
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
            &desired,
            seen,
            &plan,
        );
        if let Some(overlap) = &isolation.in_the_way {
            let message = format!("nothing was changed: departments would not be isolated: {overlap}");
            return Err(Error::refused(message).with_hint(
                "`confluent ebs department validate` shows overlaps between files; remove the binding otherwise.",
            ));
        }
        let answer = |plan: &Plan, report: Option<Applied>, evidence, secrets| {
            let accounts = desired.iter().flat_map(|desired| {
                desired
                    .personas
                    .iter()
                    .map(|p| (p.account_name.clone(), desired.department.code.clone()))
            });
            let before = |code: &DepartmentCode| existing(&desired, seen, code);
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
            return Ok(Report::new(answer(&plan, None, Vec::new(), Vec::new())).with_code(code));
        }
        if plan.is_empty() {
            return Ok(Report::new(answer(&plan, None, Vec::new(), Vec::new())));
        }
        let places: Vec<handover::Place> = handovers(&plan, session).collect();
        sink.prepare(&places)
            .map_err(|error| Error::from(error).context("the profiles could not be written, so no key was made"))?;

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
        if ctx.interrupt.is_wished() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted before anything was changed",
            ));
        }

        // The time a person took to answer is not the run's.
        begun.set(std::time::Instant::now());
        let run = apply::run::nonce().context("no random numbers from the system")?;
        let journal = Journal::open(&journal_path)?;
        sink.sweep((!session.is_default_stage()).then_some(session.stage_name.as_str()));
        if journal.has_grown(&journals)? {
            return Err(Error::failed(format!(
                "another run was at work on stage {} after this one had looked: nothing was changed",
                session.stage_name
            ))
            .with_hint("Run the command again: it plans anew from what is there now."));
        }
        let report = self
            .apply(ctx, session, &observed, &desired, &plan, &sink, &journal, &run)
            .await?;
        let evidence = evidence::write(&evidence_dir, session, &observed, &desired, &plan, &report, &run)?;
        let secrets = if self.show_secrets {
            secrets(&report)
        } else {
            Vec::new()
        };
        let error = unfinished(&report);
        let mut finished = Report::new(answer(&plan, Some(report), evidence, secrets));
        if let Some(error) = error {
            finished = finished.with_error(error);
        }
        Ok(finished)
    }

    #[expect(clippy::too_many_arguments, reason = "a run is made of many things")]
    async fn apply(
        &self,
        ctx: &Ctx,
        session: &Session,
        observed: &Observed,
        desired: &[DesiredDepartment],
        plan: &Plan,
        sink: &Sink,
        journal: &Journal,
        run: &str,
    ) -> Result<Applied, Error> {
        let progress = ctx.ui.progress();
        let retries = progress.clone();
        let on_retry = move |notice: &RetryNotice| {
            let event = Event::Retrying {
                label: notice.call.clone(),
                reason: notice.reason.clone(),
                wait: notice.wait,
            };
            retries.on(&event);
        };
        let client = session.client.with_on_retry(std::sync::Arc::new(on_retry));
        let world = World::new(
            client.clone(),
            observed.snapshot.address.clone(),
            observed.provisioner.clone(),
            session.clock.clone(),
            PROPAGATION_BUDGET,
        )
        .with_interrupt(ctx.interrupt.clone());
        let today = session.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let profiles = |persona: &crate::manifest::DesiredPersona, runtime| Profile {
            facts: persona.facts.clone(),
            endpoint: session.endpoint.clone(),
            runtime_account: runtime,
            secret_variables: Vec::new(),
            issued: today,
        };
        let client_as = |key: &crate::model::ApiKeyId, secret: &Secret| {
            client.with_auth(Auth::Basic(Credentials {
                key: key.to_string(),
                secret: secret.clone(),
                source: CredentialSource::Issued("a proof".to_owned()),
            }))
        };
        let others: Vec<&Department> = session.workspace.active_departments().collect();
        let foreign = |desired: &DesiredDepartment| neighbour(&others, &desired.department.code);
        let engine = Engine {
            world: &world,
            seen: &observed.snapshot,
            desired,
            stage: &session.stage_name,
            default_stage: session.is_default_stage(),
            sink,
            journal,
            run,
            listener: &*progress,
            interrupt: &ctx.interrupt,
            // The client sees to the number of requests. A change that waits for the disk leaves its place to another.
            width: 2 * usize::from(self.concurrency),
            profiles: &profiles,
            client_as: &client_as,
            foreign: &foreign,
        };
        Ok(apply::apply(&engine, plan).await?)
    }
}

/// The next department's prefix, in the order of codes; a name nobody may have when there is no other department.
fn neighbour(departments: &[&Department], code: &DepartmentCode) -> String {
    let others = || departments.iter().filter(|department| department.code != *code);
    let next = others()
        .find(|department| department.code > *code)
        .or_else(|| others().next());
    next.map_or_else(|| "lcc-".to_owned(), |department| department.prefix.to_string())
}

fn setting(session: &Session, observed: &Observed) -> Setting {
    Setting {
        stage: session.stage_name.clone(),
        address: observed.snapshot.address.clone(),
        cluster_type: observed.cluster.spec.config.kind.clone(),
        provisioner: observed.snapshot.name_of(&observed.snapshot.seen_by),
    }
}

/// The profiles that the plan will finish.
fn handovers<'a>(plan: &'a Plan, session: &'a Session) -> impl Iterator<Item = handover::Place> + 'a {
    plan.changes
        .iter()
        .filter(|change| matches!(change.operation, Operation::HandOver { .. }))
        .map(|change| apply::onboarding::place(&session.stage_name, session.is_default_stage(), change))
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
