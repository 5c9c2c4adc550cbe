//! Executes the steps of an apply and records what became of each change.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{AppliedItem, ApplyOptions};
use crate::{
    apply::{EventListener, Journal, PlanRunner, PlanStep, RunEvent, StepError, StepExecutor, StepFailure},
    client::WriteLog,
    error::Error,
    gitops::{
        evidence::{EvidenceItem, ItemResult},
        plan::{ItemAction, PlanItem},
        settings::ConfiguredState,
    },
    model::DepartmentCode,
    resources::{
        ResourceError,
        connector::{
            ConnectorClient, CreateOutcome, DesiredConnector, LiveConnector, PollSnapshot, WaitGoal, WaitOptions,
        },
    },
    session::{ConnectorSession, RunContext},
};

/// Number of connectors that are changed at the same time, as for other commands.
const CONCURRENCY: usize = 4;
/// Number of changes that fail one after the other before an apply stops.
const MAX_FAILURES: usize = 2;

/// Change with everything needed to apply it.
pub(super) struct ApplyStep {
    pub(super) department: DepartmentCode,
    pub(super) item: PlanItem,
    /// Connector before the change: with the former name for a rename.
    pub(super) observed: Option<LiveConnector>,
    pub(super) desired: Option<DesiredConnector>,
    /// Whether the new connector continues at the offsets of the old one.
    pub(super) carries_offsets: bool,
    pub(super) needs: Vec<usize>,
}

impl ApplyStep {
    fn name(&self) -> &str {
        &self.item.address.name
    }
}

impl PlanStep for ApplyStep {
    fn label(&self) -> String {
        format!("{} connector {}", self.item.action, self.name())
    }

    fn department(&self) -> Option<&DepartmentCode> {
        Some(&self.department)
    }

    fn needs(&self) -> &[usize] {
        &self.needs
    }
}

/// Changes of one connector follow each other in the order of the plan.
fn link_changes_of_one_connector(steps: &mut [ApplyStep]) {
    for place in 1..steps.len() {
        let name = steps[place].name().to_owned();
        let former = steps[..place].iter().rposition(|step| step.name() == name);
        steps[place].needs = former.into_iter().collect();
    }
}

/// Groups of changes that are applied one after the other.
pub(super) struct ApplyRun<'a> {
    run: &'a RunContext,
    session: &'a ConnectorSession,
    options: &'a ApplyOptions,
    /// Id of the run, for its journal and its evidence.
    pub(super) run_id: String,
    /// Ends the run after too many failures.
    stop: CancellationToken,
    /// Changes that were applied.
    pub(super) done: Vec<AppliedItem>,
    /// Number of changes that were not started.
    pub(super) not_started: usize,
    /// Evidence of each change.
    pub(super) evidence: Vec<EvidenceItem>,
    written: Vec<DesiredConnector>,
}

impl<'a> ApplyRun<'a> {
    pub(super) fn new(
        run: &'a RunContext,
        session: &'a ConnectorSession,
        options: &'a ApplyOptions,
        run_id: String,
    ) -> Self {
        Self {
            run,
            session,
            options,
            run_id,
            stop: run.cancel.child_token(),
            done: Vec::new(),
            not_started: 0,
            evidence: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Returns the connectors whose configuration this run wrote.
    pub(super) fn written(&self) -> Vec<DesiredConnector> {
        self.written.clone()
    }

    /// Records that the changes of the connectors `names` are not in force.
    pub(super) fn mark_overwritten(&mut self, names: &[String]) {
        for item in self.evidence.iter_mut().filter(|item| names.contains(&item.name)) {
            item.result = ItemResult::Failed;
        }
    }

    /// Applies the changes of a group, unless the run was stopped, and returns the failures.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(super) async fn run_group(&mut self, mut steps: Vec<ApplyStep>) -> Result<Vec<StepFailure>, Error> {
        link_changes_of_one_connector(&mut steps);
        if steps.is_empty() || self.stop.is_cancelled() {
            self.not_started += steps.len();
            let not_started = steps.iter();
            self.evidence
                .extend(not_started.map(|step| EvidenceItem::not_started(&step.item, ItemResult::NotStarted)));
            return Ok(Vec::new());
        }
        let (run, session) = (self.run, self.session);
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
            requests: RefCell::default(),
            listener: &*progress,
            interrupt: &run.cancel,
            stop: &self.stop,
            options: self.options,
            failures: Cell::new(0),
        };
        let runner = PlanRunner {
            run_id: &self.run_id,
            command: "gitops apply",
            clock: &session.connectors.clock,
            journal: journal.as_ref(),
            listener: &*progress,
            interrupt: &self.stop,
            concurrency: CONCURRENCY,
        };
        let outcome = runner.apply(&steps, &executor).await?;
        let requests = executor.requests.into_inner();
        self.not_started += outcome.not_started + outcome.skipped;
        for done in &outcome.done {
            let step = &steps[done.change];
            self.written.extend(step.desired.clone());
            self.done.push(AppliedItem {
                name: step.name().to_owned(),
                action: step.item.action,
                lcc: done.id.clone(),
            });
        }
        for (place, step) in steps.iter().enumerate() {
            let done = outcome.done.iter().find(|done| done.change == place);
            let has_failed = outcome.failures.iter().any(|failure| failure.change == place);
            let result = match (done, has_failed) {
                (Some(_), _) => ItemResult::Done,
                (None, true) => ItemResult::Failed,
                (None, false) => ItemResult::NotStarted,
            };
            let mut item = EvidenceItem::not_started(&step.item, result);
            if let Some(id) = done.and_then(|done| done.id.clone()) {
                item.lcc = Some(id);
            }
            item.requests = requests.get(&step.item.id).cloned().unwrap_or_default();
            self.evidence.push(item);
        }
        Ok(outcome.failures)
    }
}

struct ItemExecutor<'a> {
    client: &'a ConnectorClient,
    /// Ids of the requests that wrote, by the id of the item.
    requests: RefCell<BTreeMap<String, Vec<String>>>,
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
        let log = Arc::new(WriteLog::default());
        let change = ItemChange {
            client: ConnectorClient {
                client: self.client.client.with_write_log(log.clone()),
                ..self.client.clone()
            },
            listener: self.listener,
            interrupt: self.interrupt,
            options: self.options,
        };
        let result = change.execute(step).await;
        self.requests
            .borrow_mut()
            .insert(step.item.id.clone(), log.request_ids());
        let failures = if result.is_ok() { 0 } else { self.failures.get() + 1 };
        self.failures.set(failures);
        if failures >= MAX_FAILURES {
            self.stop.cancel();
        }
        result
    }
}

/// One change, with a client that records the requests that write.
struct ItemChange<'a> {
    client: ConnectorClient,
    listener: &'a dyn EventListener,
    interrupt: &'a CancellationToken,
    options: &'a ApplyOptions,
}

impl ItemChange<'_> {
    async fn execute(&self, step: &ApplyStep) -> Result<Option<String>, StepError> {
        match step.item.action {
            ItemAction::Create => {
                let id = self.create(step, None).await?;
                self.pause_new(step).await?;
                Ok(Some(id))
            }
            ItemAction::Update => self.update(step).await.map(Some),
            ItemAction::Pause => self.set_paused(step.name(), true).await.map(Some),
            ItemAction::Resume => self.set_paused(step.name(), false).await.map(Some),
            ItemAction::Replace => self.replace(step).await.map(Some),
            ItemAction::Delete => {
                let observed = required(step.observed.as_ref(), step.name())?;
                self.client.delete(observed).await?;
                Ok(Some(observed.id().to_owned()))
            }
        }
    }

    async fn create(&self, step: &ApplyStep, offsets: Option<serde_json::Value>) -> Result<String, StepError> {
        let mut desired = required(step.desired.as_ref(), step.name())?.clone();
        desired.offsets = offsets.or(desired.offsets);
        match self.client.create(&desired).await? {
            CreateOutcome::Created(_) | CreateOutcome::AlreadyExists(_) => {}
        }
        let running = self.wait(step.name(), WaitGoal::Running, Duration::ZERO).await?;
        Ok(running.id().to_owned())
    }

    async fn update(&self, step: &ApplyStep) -> Result<String, StepError> {
        let observed = required(step.observed.as_ref(), step.name())?;
        let desired = required(step.desired.as_ref(), step.name())?;
        self.client.replace(observed, &desired.config).await?;
        // A paused connector stays paused.
        if !observed.state().is_paused() {
            self.wait(step.name(), WaitGoal::Running, self.options.settle_time)
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
        // The service cannot create a paused connector.
        if step.item.final_state == Some(ConfiguredState::Paused) {
            self.set_paused(step.name(), true).await?;
        }
        Ok(())
    }

    async fn replace_running(&self, step: &ApplyStep) -> Result<String, StepError> {
        let old = required(step.observed.as_ref(), step.name())?;
        if old.name == step.name() {
            self.client.delete(old).await?;
            return self.create(step, None).await;
        }
        let found = self
            .client
            .find_by_name(step.name())
            .await
            .map_err(ResourceError::from)?;
        let id = if found.is_some() {
            // An earlier run created it.
            let running = self.wait(step.name(), WaitGoal::Running, Duration::ZERO).await?;
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
