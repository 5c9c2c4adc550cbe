//! Generic runner: applies changes of any kind in dependency order, concurrently, with events and a journal. A
//! [`StepExecutor`] executes the individual change.

use std::{cell::RefCell, future::Future};

use tokio_util::sync::CancellationToken;

use super::{
    EventListener, Journal, JournalError, JournalLine, RunEvent,
    failure::StepError,
    report::{ApplyOutcome, CompletedStep, StepFailure},
    schedule::{self, StepStatus},
};
use crate::{
    clock::Clock,
    hint::{Advice, Hint},
    model::DepartmentCode,
};

/// Change as seen by the runner.
pub trait PlanStep {
    /// Returns the change as one line of progress.
    fn label(&self) -> String;
    /// Returns the department of the change, if any.
    fn department(&self) -> Option<&DepartmentCode>;
    /// Returns the indexes of the changes that must be done first; they come earlier in the plan.
    fn needs(&self) -> &[usize];
}

/// Executor for changes of one kind.
pub trait StepExecutor {
    /// Kind of change.
    type Step: PlanStep;

    /// Applies one change idempotently and returns the id of the object.
    fn execute(&self, change: &Self::Step) -> impl Future<Output = Result<Option<String>, StepError>>;

    /// Returns the id of the request that wrote object `id`, for support.
    fn request_id(&self, _change: &Self::Step, _id: &str) -> Option<String> {
        None
    }

    /// Returns a suggestion for `error` that needs knowledge of the whole run.
    fn hint_for(&self, _change: &Self::Step, _error: &StepError) -> Option<Hint> {
        None
    }
}

/// Runner for one run of a plan.
pub struct PlanRunner<'a> {
    /// Run id.
    pub run_id: &'a str,
    /// Command, for the journal.
    pub command: &'a str,
    /// Clock.
    pub clock: &'a Clock,
    /// Journal; `None` for plans that can be repeated without one.
    pub journal: Option<&'a Journal>,
    /// Listener for events.
    pub listener: &'a dyn EventListener,
    /// Cancellation.
    pub interrupt: &'a CancellationToken,
    /// Maximum number of concurrent changes.
    pub concurrency: usize,
}

impl PlanRunner<'_> {
    /// Applies `changes`; the outcome contains the failures.
    ///
    /// # Errors
    /// When the journal cannot be written; the run then stops.
    pub async fn apply<P: StepExecutor>(
        &self,
        changes: &[P::Step],
        performer: &P,
    ) -> Result<ApplyOutcome, JournalError> {
        let started = JournalLine::RunStarted {
            run: self.run_id.to_owned(),
            command: self.command.to_owned(),
            changes: changes.len(),
        };
        self.write(&started, true)?;
        self.listener.on_event(&RunEvent::Phase {
            name: "Apply",
            total: changes.len(),
        });
        let needs: Vec<Vec<usize>> = changes.iter().map(|change| change.needs().to_vec()).collect();
        let outcome = RefCell::new(ApplyOutcome::default());
        let skipped = |step: usize, because: usize| {
            self.listener.on_event(&RunEvent::Skipped {
                label: changes[step].label(),
                department: department_name(&changes[step]),
                because: changes[because].label(),
            });
        };
        let start = |step: usize| self.run_step(step, &changes[step], performer, &outcome);
        let ended = schedule::run(&needs, self.concurrency, self.interrupt, start, skipped).await;
        let mut outcome = outcome.into_inner();
        outcome.skipped = ended.iter().filter(|end| matches!(end, StepStatus::Skipped(_))).count();
        outcome.not_started = ended.iter().filter(|end| matches!(end, StepStatus::NotStarted)).count();
        outcome.statuses = ended;
        outcome.done.sort_by_key(|step| step.change);
        outcome.failures.sort_by_key(|failure| failure.change);
        let line = JournalLine::RunEnded {
            run: self.run_id.to_owned(),
            done: outcome.done.len(),
            remaining: outcome.remaining(),
        };
        self.write(&line, true)?;
        Ok(outcome)
    }

    fn write(&self, line: &JournalLine, durable: bool) -> Result<(), JournalError> {
        match self.journal {
            Some(journal) => journal.write(self.clock.now(), line, durable),
            None => Ok(()),
        }
    }

    async fn run_step<P: StepExecutor>(
        &self,
        place: usize,
        change: &P::Step,
        performer: &P,
        outcome: &RefCell<ApplyOutcome>,
    ) -> bool {
        let label = change.label();
        self.listener.on_event(&RunEvent::Started {
            label: label.clone(),
            department: department_name(change),
        });
        let performed = performer.execute(change).await.and_then(|id| {
            let line = JournalLine::Done {
                run: self.run_id.to_owned(),
                change: label.clone(),
                id: id.clone(),
            };
            self.write(&line, false)?;
            Ok(id)
        });
        match performed {
            Ok(id) => {
                self.listener.on_event(&RunEvent::Done {
                    label: label.clone(),
                    department: department_name(change),
                });
                let done = CompletedStep {
                    change: place,
                    label,
                    department: change.department().cloned(),
                    request_id: id.as_ref().and_then(|id| performer.request_id(change, id)),
                    id,
                };
                outcome.borrow_mut().done.push(done);
                true
            }
            Err(error) => {
                let reason = error.full_message();
                let line = JournalLine::Failed {
                    run: self.run_id.to_owned(),
                    change: label.clone(),
                    reason: reason.clone(),
                };
                // The failure is reported even if it cannot be recorded.
                let _ = self.write(&line, false);
                self.listener.on_event(&RunEvent::Failed {
                    label: label.clone(),
                    department: department_name(change),
                    reason: reason.clone(),
                });
                let mut hints = error.hints();
                hints.extend(performer.hint_for(change, &error));
                let failure = StepFailure {
                    change: place,
                    label,
                    department: change.department().cloned(),
                    reason,
                    hints,
                    request_id: error.request_id().map(str::to_owned),
                    error,
                };
                outcome.borrow_mut().failures.push(failure);
                false
            }
        }
    }
}

/// Error: no run id without random numbers.
#[derive(Debug, thiserror::Error)]
#[error("cannot get random numbers from the operating system")]
pub struct RunIdError(#[source] getrandom::Error);

/// Returns a random run id of eight hexadecimal digits.
///
/// # Errors
/// The operating system provides no random numbers.
pub fn new_run_id() -> Result<String, RunIdError> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(RunIdError)?;
    Ok(format!("{:08x}", u32::from_le_bytes(bytes)))
}

fn department_name(change: &impl PlanStep) -> Option<String> {
    change.department().map(ToString::to_string)
}
