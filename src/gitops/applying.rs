//! Applies the approved changes of plans. Each change reads its connector again before it writes, so that a change by
//! others since the plan is noticed; a repeated apply continues from what exists.

use std::{cell::Cell, time::Duration};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    approval::{ApprovedItems, HeldBackItem},
    plan::{DesiredFile, ItemAction, PlanItem, Risk, compare::compare_config, sends_config},
    planning::PlannedStage,
    settings::{ConfiguredState, ReplacePolicy},
};
use crate::{
    apply::{
        ApplyOutcome, EventListener, Journal, PlanRunner, PlanStep, RunEvent, StepError, StepExecutor, run::new_run_id,
    },
    catalog::catalog,
    connectors::{
        BackupPolicy,
        errors::{combine_errors, explain_change_error},
        secrets::{SecretSources, reject_masked, resolve_secrets},
    },
    error::{Error, ErrorKind},
    hint::Hint,
    model::DepartmentCode,
    resources::{
        ResourceError,
        connector::{
            ConnectorClient, CreateOutcome, DesiredConnector, FieldDiff, LiveConnector, PollSnapshot, WaitGoal,
            WaitOptions,
        },
        sleep_or_cancel,
    },
    session::{ConnectorSession, DepartmentContext, RunContext},
    text::count_noun,
};

/// Number of connectors that are changed at the same time, as for other commands.
const CONCURRENCY: usize = 4;
/// Number of changes that fail one after the other before an apply stops.
const MAX_FAILURES: usize = 2;

/// Options of an apply.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// How long to wait for a connector.
    pub timeout: Duration,
    /// How long a changed connector is watched before it counts as running.
    pub settle_time: Duration,
    /// Backups of connectors that are deleted or replaced.
    pub backup: BackupPolicy,
}

/// Result for a department.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedPlan {
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Id of the plan.
    pub plan: Option<String>,
    /// Changes that were applied, in this order.
    pub done: Vec<AppliedItem>,
    /// Changes that wait for an approval.
    pub held_back: Vec<HeldBackItem>,
    /// Number of changes that were not started.
    pub not_started: usize,
}

/// Change of a connector that was applied.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedItem {
    /// Name of the connector.
    pub name: String,
    /// Action that was applied to the connector.
    pub action: ItemAction,
    /// Id of the connector.
    pub lcc: Option<String>,
}

/// Change with everything needed to apply it.
struct ApplyStep {
    department: DepartmentCode,
    action: ItemAction,
    name: String,
    /// Connector before the change: with the former name for a rename.
    observed: Option<LiveConnector>,
    desired: Option<DesiredConnector>,
    /// Whether a new connector is paused as soon as it runs: the service cannot create a paused one.
    ends_paused: bool,
    /// Whether the new connector continues at the offsets of the old one.
    carries_offsets: bool,
    needs: Vec<usize>,
}

impl PlanStep for ApplyStep {
    fn label(&self) -> String {
        format!("{} connector {}", self.action, self.name)
    }

    fn department(&self) -> Option<&DepartmentCode> {
        Some(&self.department)
    }

    fn needs(&self) -> &[usize] {
        &self.needs
    }
}

/// Applies `items` of the department in `session`. The first failed group of changes is in the field `error` of the
/// returned value.
///
/// # Errors
/// A secret cannot be resolved, a backup cannot be written, or the journal cannot be written; nothing was changed.
pub async fn apply_items(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    planned: &PlannedStage,
    items: ApprovedItems,
    plan_id: Option<String>,
    options: &ApplyOptions,
) -> Result<(AppliedPlan, Option<Error>), Error> {
    let department = session.require_department()?.clone();
    let mut applied = AppliedPlan {
        department: department.code.to_string(),
        stage: session.stage.clone(),
        plan: plan_id,
        done: Vec::new(),
        held_back: items.held_back.iter().map(HeldBackItem::from).collect(),
        not_started: 0,
    };
    let mut steps = Vec::new();
    for item in &items.approved {
        steps.push(prepare_step(run, session, secrets, planned, item, &department).await?);
    }
    for step in steps
        .iter()
        .filter(|step| matches!(step.action, ItemAction::Delete | ItemAction::Replace))
    {
        if let Some(observed) = &step.observed {
            options
                .backup
                .backup(run, &session.connectors, &session.backup_dir, observed, true)
                .await?;
        }
    }
    // Destructive changes start after all others, and only if those did not stop.
    let (first, last): (Vec<_>, Vec<_>) = items
        .approved
        .iter()
        .zip(steps)
        .partition(|(item, _)| item.risk < Risk::Destructive);
    let stop = run.cancel.child_token();
    let mut failures = Vec::new();
    let mut written = Vec::new();
    for group in [first, last] {
        let mut steps: Vec<ApplyStep> = group.into_iter().map(|(_, step)| step).collect();
        link_changes_of_one_connector(&mut steps);
        if steps.is_empty() {
            continue;
        }
        if stop.is_cancelled() {
            applied.not_started += steps.len();
            continue;
        }
        let outcome = run_steps(run, session, &steps, &stop, options).await?;
        let completed = outcome
            .done
            .iter()
            .filter_map(|done| steps[done.change].desired.clone());
        written.extend(completed);
        applied.not_started += outcome.not_started + outcome.skipped;
        applied.done.extend(outcome.done.iter().map(|done| AppliedItem {
            name: steps[done.change].name.clone(),
            action: steps[done.change].action,
            lcc: done.id.clone(),
        }));
        failures.extend(outcome.failures.into_iter().map(|failure| {
            let error = Error::from(failure.error).context(format!("failed to {}", failure.label));
            explain_change_error(error, Some(&department))
        }));
    }
    match find_overwritten(run, session, written).await {
        Ok(overwritten) => failures.extend(overwritten),
        // What was done stays in the result.
        Err(error) => failures.push(error.context("cannot check whether the changes are in force")),
    }
    let error = into_error(failures, &applied, run.cancel.is_cancelled());
    Ok((applied, error))
}

/// Returns an error for each completed change that is not in force: the service knows no conditional writes, so that two
/// applies at once can overwrite each other between their last read and their write.
async fn find_overwritten(
    run: &RunContext,
    session: &ConnectorSession,
    mut pending: Vec<DesiredConnector>,
) -> Result<Vec<Error>, Error> {
    /// Waits between the reads: a list can lag behind a write (docs/reference/connect.md#timing-of-states).
    const WAITS: [u64; 3] = [1, 3, 10];
    let client = &session.connectors;
    for wait in WAITS.map(Some).into_iter().chain([None]) {
        if pending.is_empty() {
            break;
        }
        let list = client.list().await?;
        pending.retain(|desired| {
            list.get(&desired.name).is_none_or(|live| {
                let fields = compare_config(catalog(), &live.info.config, &desired.config, &desired.secret_keys);
                fields.iter().any(FieldDiff::is_certain)
            })
        });
        if let Some(wait) = wait.filter(|_| !pending.is_empty()) {
            // Without the waits, a list that lags would look like a change by somebody else.
            if !sleep_or_cancel(&client.clock, &run.cancel, Duration::from_secs(wait)).await {
                return Ok(Vec::new());
            }
        }
    }
    let overwritten = pending.into_iter().map(|desired| {
        Error::failed(format!(
            "connector `{}` is not as this run wrote it: somebody else changed it",
            desired.name
        ))
        .with_hint("Plan again to see the difference.")
    });
    Ok(overwritten.collect())
}

/// Returns the error of an incomplete apply.
fn into_error(failures: Vec<Error>, applied: &AppliedPlan, interrupted: bool) -> Option<Error> {
    let is_stopped = !failures.is_empty() && applied.not_started > 0;
    let wrote = !applied.done.is_empty();
    if let Some(error) = combine_errors(failures, wrote) {
        let error = error.with_hint(
            "To go back, revert the commit and apply again; or correct the files and apply again: completed changes are \
             skipped.",
        );
        return Some(match is_stopped {
            true => error.with_hint(format!("{} not started.", count_noun(applied.not_started, "change"))),
            false => error,
        });
    }
    if interrupted && applied.not_started > 0 {
        let kind = if wrote {
            ErrorKind::Partial
        } else {
            ErrorKind::Interrupted
        };
        return Some(Error::new(kind, "interrupted").with_hint(Hint::rerun()));
    }
    if applied.held_back.is_empty() {
        return None;
    }
    let count = count_noun(applied.held_back.len(), "change");
    Some(
        Error::new(
            ErrorKind::Partial,
            format!("{count} of department `{}` held back", applied.department),
        )
        .with_hint("Let the plan be approved and apply it with `--expect`, or allow more with `--max-risk`."),
    )
}

async fn prepare_step(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    planned: &PlannedStage,
    item: &PlanItem,
    department: &DepartmentContext,
) -> Result<ApplyStep, Error> {
    let name = item.replaces.as_deref().unwrap_or(&item.address.name);
    let observed = planned.observed.get(name).map(|expanded| LiveConnector {
        name: name.to_owned(),
        expanded: expanded.clone(),
    });
    let file = &planned.desired[&item.address];
    let desired = match sends_config(item.action) {
        true => Some(resolve(run, session, secrets, file).await?),
        false => None,
    };
    Ok(ApplyStep {
        department: department.code.clone(),
        action: item.action,
        name: item.address.name.clone(),
        observed,
        desired,
        ends_paused: item.final_state == Some(ConfiguredState::Paused),
        carries_offsets: file.settings.replace == Some(ReplacePolicy::Carry),
        needs: Vec::new(),
    })
}

/// Replaces the references of a file with secrets. A mask is never sent.
async fn resolve(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    file: &DesiredFile,
) -> Result<DesiredConnector, Error> {
    let mut config = file.config.clone();
    let secret_keys = resolve_secrets(run, session, secrets, file.class(), &mut config)
        .await
        .map_err(|error| error.context(format!("cannot apply connector `{}`", file.address.name)))?;
    reject_masked(&config, |_| false)?;
    Ok(DesiredConnector {
        name: file.address.name.clone(),
        config,
        offsets: file.offsets.clone(),
        secret_keys,
    })
}

/// Changes of one connector follow each other in the order of the plan.
fn link_changes_of_one_connector(steps: &mut [ApplyStep]) {
    for place in 1..steps.len() {
        let name = steps[place].name.clone();
        let former = steps[..place].iter().rposition(|step| step.name == name);
        steps[place].needs = former.into_iter().collect();
    }
}

async fn run_steps(
    run: &RunContext,
    session: &ConnectorSession,
    steps: &[ApplyStep],
    stop: &CancellationToken,
    options: &ApplyOptions,
) -> Result<ApplyOutcome, Error> {
    let journal = match Journal::open_shared(&session.journal_path, &run.environment.secrets) {
        Ok(journal) => Some(journal),
        // The run continues without a journal, because connectors can be observed and an apply can be repeated.
        Err(error) => {
            run.warn(format!("this run has no journal: {:#}", Error::from(error)));
            None
        }
    };
    let progress = run.reporter.start_progress();
    let executor = ItemExecutor {
        client: &session.connectors,
        listener: &*progress,
        interrupt: &run.cancel,
        stop,
        options,
        failures: Cell::new(0),
    };
    let runner = PlanRunner {
        run_id: &new_run_id()?,
        command: "gitops apply",
        clock: &session.connectors.clock,
        journal: journal.as_ref(),
        listener: &*progress,
        interrupt: stop,
        concurrency: CONCURRENCY,
    };
    Ok(runner.apply(steps, &executor).await?)
}

struct ItemExecutor<'a> {
    client: &'a ConnectorClient,
    listener: &'a dyn EventListener,
    interrupt: &'a CancellationToken,
    stop: &'a CancellationToken,
    options: &'a ApplyOptions,
    /// Number of changes that failed since the last success.
    failures: Cell<usize>,
}

impl StepExecutor for ItemExecutor<'_> {
    type Step = ApplyStep;

    async fn execute(&self, step: &ApplyStep) -> Result<Option<String>, StepError> {
        let result = self.change(step).await;
        let failures = if result.is_ok() { 0 } else { self.failures.get() + 1 };
        self.failures.set(failures);
        if failures >= MAX_FAILURES {
            self.stop.cancel();
        }
        result
    }
}

impl ItemExecutor<'_> {
    async fn change(&self, step: &ApplyStep) -> Result<Option<String>, StepError> {
        match step.action {
            ItemAction::Create => {
                let id = self.create(step, None).await?;
                self.pause_new(step).await?;
                Ok(Some(id))
            }
            ItemAction::Update => self.update(step).await.map(Some),
            ItemAction::Pause => self.set_paused(&step.name, true).await.map(Some),
            ItemAction::Resume => self.set_paused(&step.name, false).await.map(Some),
            ItemAction::Replace => self.replace(step).await.map(Some),
            ItemAction::Delete => {
                let observed = required(step.observed.as_ref(), &step.name)?;
                self.client.delete(observed).await?;
                Ok(Some(observed.id().to_owned()))
            }
        }
    }

    async fn create(&self, step: &ApplyStep, offsets: Option<serde_json::Value>) -> Result<String, StepError> {
        let mut desired = required(step.desired.as_ref(), &step.name)?.clone();
        desired.offsets = offsets.or(desired.offsets);
        match self.client.create(&desired).await? {
            CreateOutcome::Created(_) | CreateOutcome::AlreadyExists(_) => {}
        }
        let running = self.wait(&step.name, WaitGoal::Running, Duration::ZERO).await?;
        Ok(running.id().to_owned())
    }

    async fn update(&self, step: &ApplyStep) -> Result<String, StepError> {
        let observed = required(step.observed.as_ref(), &step.name)?;
        let desired = required(step.desired.as_ref(), &step.name)?;
        self.client.replace(observed, &desired.config).await?;
        // A paused connector stays paused.
        if !observed.state().is_paused() {
            self.wait(&step.name, WaitGoal::Running, self.options.settle_time)
                .await?;
        }
        Ok(observed.id().to_owned())
    }

    async fn set_paused(&self, name: &str, pause: bool) -> Result<String, StepError> {
        // The service can only pause a connector that has started (docs/reference/connect.md#pause-and-resume).
        let now = match pause {
            true => self.wait(name, WaitGoal::Started, Duration::ZERO).await?,
            false => self.find(name).await?,
        };
        if now.state().is_paused() != pause {
            match pause {
                true => self.client.pause(&now).await?,
                false => self.client.resume(&now).await?,
            }
        }
        let goal = if pause { WaitGoal::Paused } else { WaitGoal::Running };
        Ok(self.wait(name, goal, Duration::ZERO).await?.id().to_owned())
    }

    /// Creates a connector in place of another one. The old one is deleted after the new one runs, unless both have the
    /// same name.
    async fn replace(&self, step: &ApplyStep) -> Result<String, StepError> {
        let id = self.replace_running(step).await?;
        self.pause_new(step).await?;
        Ok(id)
    }

    async fn pause_new(&self, step: &ApplyStep) -> Result<(), StepError> {
        if step.ends_paused {
            self.set_paused(&step.name, true).await?;
        }
        Ok(())
    }

    async fn replace_running(&self, step: &ApplyStep) -> Result<String, StepError> {
        let old = required(step.observed.as_ref(), &step.name)?;
        if old.name == step.name {
            self.client.delete(old).await?;
            return self.create(step, None).await;
        }
        let found = self
            .client
            .find_by_name(&step.name)
            .await
            .map_err(ResourceError::from)?;
        let id = if found.is_some() {
            // An earlier run created it.
            let running = self.wait(&step.name, WaitGoal::Running, Duration::ZERO).await?;
            running.id().to_owned()
        } else {
            self.set_paused(&old.name, true).await?;
            let offsets = match step.carries_offsets {
                true => Some(self.client.offsets(old).await.map_err(ResourceError::from)?.offsets),
                false => None,
            };
            self.create(step, offsets.map(|offsets| serde_json::json!(offsets)))
                .await?
        };
        self.client.delete(old).await?;
        Ok(id)
    }

    async fn find(&self, name: &str) -> Result<LiveConnector, StepError> {
        let found = self.client.find_by_name(name).await.map_err(ResourceError::from)?;
        found.ok_or_else(|| StepError::MissingInput(format!("connector `{name}` does not exist any more")))
    }

    async fn wait(&self, name: &str, goal: WaitGoal, settle_time: Duration) -> Result<LiveConnector, StepError> {
        let options = WaitOptions {
            timeout: self.options.timeout,
            settle_time,
            pause_limit: Duration::ZERO,
            interrupt: self.interrupt.clone(),
            goal,
        };
        let note = |text: String| self.listener.on_event(&RunEvent::Note { text });
        note(options.describe(name, self.client.clock.now()));
        let watch = |snapshot: &PollSnapshot| note(format!("{name}: {snapshot}"));
        let outcome = self
            .client
            .wait(name, &options, &watch)
            .await
            .map_err(ResourceError::from)?;
        Ok(outcome.into_result(name)?)
    }
}

fn required<'a, T>(value: Option<&'a T>, name: &str) -> Result<&'a T, StepError> {
    value.ok_or_else(|| StepError::MissingInput(format!("connector `{name}` is not known")))
}
