//! Applies a plan of connectors: journal, progress and result.

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::errors::{combine_errors, explain_change_error};
use crate::{
    apply::{self, ApplyOutcome, EventListener, Journal, PlanRunner, RunEvent, connectors::ConnectorExecutor},
    error::{Error, ErrorKind},
    hint::Hint,
    plan::ConnectorPlan,
    resources::connector::{ConnectorClient, LiveConnector},
    session::{DepartmentContext, RunContext},
};

/// Number of connectors that are changed concurrently: Confluent Cloud publishes no limit, and a department has few
/// connectors.
const CONCURRENCY: usize = 4;

/// Result of an applied plan.
pub struct ConnectorExecution {
    outcome: ApplyOutcome,
    observed: BTreeMap<String, LiveConnector>,
}

/// Applies `plan` for the command `what`.
pub async fn execute(
    run: &RunContext,
    connectors: &ConnectorClient,
    journal: &Path,
    what: &str,
    plan: &ConnectorPlan,
    timeout: Duration,
    settle: Duration,
) -> Result<ConnectorExecution, Error> {
    if run.cancel.is_cancelled() && !plan.is_empty() {
        return Err(Error::new(
            ErrorKind::Interrupted,
            "interrupted before anything was changed",
        ));
    }
    let journal = match Journal::open_shared(journal, &run.environment.secrets) {
        Ok(journal) => Some(journal),
        // The run continues without a journal, because connectors can be observed and the command is idempotent.
        Err(error) => {
            run.warn(format!("this run has no journal: {:#}", Error::from(error)));
            None
        }
    };
    let progress = run.reporter.start_progress();
    let listener = SilentListener(&*progress);
    let engine = ConnectorExecutor::new(connectors, &listener, &run.cancel, timeout, settle);
    let run_id = apply::run::new_run_id()?;
    let runner = PlanRunner {
        run_id: &run_id,
        command: what,
        clock: &connectors.clock,
        journal: journal.as_ref(),
        listener: &listener,
        interrupt: &run.cancel,
        concurrency: CONCURRENCY,
    };
    let outcome = runner.apply(&plan.changes, &engine).await?;
    Ok(ConnectorExecution {
        outcome,
        observed: engine.into_observed(),
    })
}

/// Listener that drops failures, because the command reports them as its error.
struct SilentListener<'a>(&'a dyn EventListener);

impl EventListener for SilentListener<'_> {
    fn on_event(&self, event: &RunEvent) {
        if !matches!(event, RunEvent::Failed { .. } | RunEvent::Skipped { .. }) {
            self.0.on_event(event);
        }
    }
}

impl ConnectorExecution {
    /// Returns the last observed connector, if the run observed it.
    pub fn observed(&self, name: &str) -> Option<LiveConnector> {
        self.observed.get(name).cloned()
    }

    /// Returns whether the step at `place` of the plan was applied.
    pub fn is_done(&self, place: usize) -> bool {
        self.outcome.statuses.get(place) == Some(&apply::schedule::StepStatus::Done)
    }

    /// Returns whether the run changed anything.
    pub fn has_changed(&self, plan: &ConnectorPlan) -> bool {
        let changes = plan.changes.iter().enumerate();
        changes
            .filter(|(_, change)| change.action.is_some())
            .any(|(place, _)| self.is_done(place))
    }

    /// Returns the error of an incomplete run.
    pub fn into_error(self, department: Option<&DepartmentContext>, plan: &ConnectorPlan) -> Option<Error> {
        if self.outcome.is_complete() {
            return None;
        }
        let wrote = self.has_changed(plan);
        let several = plan.changes.iter().filter(|change| change.needs.is_empty()).count() > 1;
        let mut failures: Vec<Error> = self
            .outcome
            .failures
            .into_iter()
            .map(|failure| {
                let error = explain_change_error(Error::from(failure.error), department);
                if several {
                    error.context(format!("failed to {}", failure.label))
                } else {
                    error
                }
            })
            .collect();
        if failures.is_empty() {
            failures.push(Error::new(ErrorKind::Interrupted, "interrupted").with_hint(Hint::rerun()));
        }
        if several {
            return combine_errors(failures, wrote);
        }
        let error = failures.swap_remove(0);
        // The change was applied; only the wait was interrupted.
        let partly = wrote && error.kind == ErrorKind::Interrupted;
        Some(if partly {
            error.with_kind(ErrorKind::Partial)
        } else {
            error
        })
    }
}
