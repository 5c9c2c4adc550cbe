//! Execution of connector plans, for one connector or many.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{EventListener, PlanStep, RunEvent, StepError, StepExecutor};
use crate::{
    model::DepartmentCode,
    plan::connectors::{ConnectorChange, ConnectorOperation},
    resources::connector::{
        ConnectorClient, CreateOutcome, LiveConnector, PollSnapshot,
        wait::{WaitGoal, WaitOptions},
    },
};

/// Executor of connector plans.
pub struct ConnectorExecutor<'a> {
    client: &'a ConnectorClient,
    listener: &'a dyn EventListener,
    interrupt: &'a CancellationToken,
    timeout: Duration,
    settle_time: Duration,
    observed: RefCell<BTreeMap<String, LiveConnector>>,
}

impl<'a> ConnectorExecutor<'a> {
    /// Creates an executor that waits up to `timeout` for a connector, and for `settle_time` after a change.
    pub fn new(
        connectors: &'a ConnectorClient,
        listener: &'a dyn EventListener,
        interrupt: &'a CancellationToken,
        timeout: Duration,
        settle_time: Duration,
    ) -> Self {
        Self {
            client: connectors,
            listener,
            interrupt,
            timeout,
            settle_time,
            observed: RefCell::default(),
        }
    }

    /// Returns the connectors as last observed in this run.
    #[must_use]
    pub fn into_observed(self) -> BTreeMap<String, LiveConnector> {
        self.observed.into_inner()
    }

    fn record(&self, observed: &LiveConnector) {
        self.observed
            .borrow_mut()
            .insert(observed.name.clone(), observed.clone());
    }

    /// Waits for `goal` and reports each observed state to the listener.
    async fn wait(&self, name: &str, goal: WaitGoal, settle_time: Duration) -> Result<LiveConnector, StepError> {
        let watch = |snapshot: &PollSnapshot| {
            let text = format!("{name}: {snapshot}");
            self.listener.on_event(&RunEvent::Note { text });
        };
        let options = WaitOptions {
            timeout: self.timeout,
            settle_time,
            // A change does not resume a connector.
            pause_limit: Duration::ZERO,
            interrupt: self.interrupt.clone(),
            goal,
        };
        let text = options.describe(name, self.client.clock.now());
        self.listener.on_event(&RunEvent::Note { text });
        let outcome = self.client.wait(name, &options, &watch).await;
        let outcome = outcome.map_err(crate::resources::ResourceError::from)?;
        let result = outcome.into_result(name);
        match &result {
            Ok(seen) => self.record(seen),
            Err(error) => error.observed().into_iter().for_each(|seen| self.record(seen)),
        }
        Ok(result?)
    }
}

impl PlanStep for ConnectorChange {
    fn label(&self) -> String {
        Self::label(self)
    }

    fn department(&self) -> Option<&DepartmentCode> {
        self.department.as_ref()
    }

    fn needs(&self) -> &[usize] {
        &self.needs
    }
}

impl StepExecutor for ConnectorExecutor<'_> {
    type Step = ConnectorChange;

    async fn execute(&self, change: &ConnectorChange) -> Result<Option<String>, StepError> {
        match &change.operation {
            ConnectorOperation::Create { desired: wanted } => {
                let seen = match self.client.create(wanted).await? {
                    CreateOutcome::Created(seen) => seen,
                    CreateOutcome::AlreadyExists(seen) => Some(seen),
                };
                if let Some(seen) = &seen {
                    self.record(seen);
                }
                Ok(seen.map(|seen| seen.id().to_owned()))
            }
            ConnectorOperation::Update {
                observed: seen,
                desired: wanted,
            } => {
                self.client.replace(seen, &wanted.config).await?;
                Ok(Some(seen.id().to_owned()))
            }
            ConnectorOperation::Delete { observed: seen } => {
                self.client.delete(seen).await?;
                Ok(Some(seen.id().to_owned()))
            }
            ConnectorOperation::Pause => {
                // The service can only pause a connector that has started (docs/reference/connect.md#pause-and-resume
                // and docs/reference/connect.md#timing-of-states).
                let seen = self.wait(&change.name, WaitGoal::Started, Duration::ZERO).await?;
                if !seen.state().is_paused() {
                    self.client.pause(&seen).await?;
                }
                Ok(Some(seen.id().to_owned()))
            }
            ConnectorOperation::Await {
                goal,
                waits_for_settle: settles,
            } => {
                let settle = if *settles { self.settle_time } else { Duration::ZERO };
                let seen = self.wait(&change.name, *goal, settle).await?;
                Ok(Some(seen.id().to_owned()))
            }
        }
    }
}
