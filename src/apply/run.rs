//! Runs the changes of a plan, whatever they are about: in the order of their needs, several at a time, with events and
//! journal. How a change is made is the performer's.

use std::{cell::RefCell, future::Future};

use super::{
    Event, Journal, JournalError, Line, Listener,
    failure::StepError,
    report::{Failure, Outcome, StepDone},
    schedule::{self, Ended},
};
use crate::{
    clock::Clock,
    hint::{Advice, Hint},
    interrupt::Interrupt,
    model::DepartmentCode,
};

/// What a run knows of a change.
pub trait Step {
    /// What is done, as one line of progress.
    fn label(&self) -> String;
    /// The department it is for, if it is for one.
    fn department(&self) -> Option<&DepartmentCode>;
    /// The changes that must be done first; they stand before it.
    fn needs(&self) -> &[usize];
}

/// Whoever makes changes of one family.
pub trait Performer {
    /// The changes it makes.
    type Change: Step;

    /// Makes one change, in such a way that making it twice ends as making it once. Answers the id of the object.
    fn perform(&self, change: &Self::Change) -> impl Future<Output = Result<Option<String>, StepError>>;

    /// The id of the request that wrote the object `id` for this change, for support.
    fn request_of(&self, _change: &Self::Change, _id: &str) -> Option<String> {
        None
    }

    /// What to do about `error` that only who knows the whole run can say.
    fn advice(&self, _change: &Self::Change, _error: &StepError) -> Option<Hint> {
        None
    }
}

/// One run of a plan.
pub struct Run<'a> {
    /// Its nonce.
    pub nonce: &'a str,
    /// The command, for the journal.
    pub command: &'a str,
    /// Time.
    pub clock: &'a Clock,
    /// What is written down; nothing where a plan can be repeated without it and there is no place to write.
    pub journal: Option<&'a Journal>,
    /// Who wants to know.
    pub listener: &'a dyn Listener,
    /// The wish to stop.
    pub interrupt: &'a Interrupt,
    /// How many changes are made at a time.
    pub width: usize,
}

impl Run<'_> {
    /// Carries out `changes`; what failed is in the outcome.
    ///
    /// # Errors
    /// When the journal cannot be written: then nothing goes on.
    pub async fn carry_out<P: Performer>(&self, changes: &[P::Change], performer: &P) -> Result<Outcome, JournalError> {
        let started = Line::RunStarted {
            run: self.nonce.to_owned(),
            command: self.command.to_owned(),
            changes: changes.len(),
        };
        self.write(&started, true)?;
        self.listener.on(&Event::Phase {
            name: "Apply",
            total: changes.len(),
        });
        let needs: Vec<Vec<usize>> = changes.iter().map(|change| change.needs().to_vec()).collect();
        let outcome = RefCell::new(Outcome::default());
        let skipped = |step: usize, because: usize| {
            self.listener.on(&Event::Skipped {
                label: changes[step].label(),
                department: department(&changes[step]),
                because: changes[because].label(),
            });
        };
        let start = |step: usize| self.step(step, &changes[step], performer, &outcome);
        let ended = schedule::run(&needs, self.width, self.interrupt, start, skipped).await;
        let mut outcome = outcome.into_inner();
        outcome.skipped = ended.iter().filter(|end| matches!(end, Ended::Skipped(_))).count();
        outcome.not_begun = ended.iter().filter(|end| matches!(end, Ended::NotBegun)).count();
        outcome.ended = ended;
        outcome.done.sort_by_key(|step| step.change);
        outcome.failures.sort_by_key(|failure| failure.change);
        let line = Line::RunEnded {
            run: self.nonce.to_owned(),
            done: outcome.done.len(),
            left: outcome.left(),
        };
        self.write(&line, true)?;
        Ok(outcome)
    }

    fn write(&self, line: &Line, durable: bool) -> Result<(), JournalError> {
        match self.journal {
            Some(journal) => journal.write(self.clock.now(), line, durable),
            None => Ok(()),
        }
    }

    async fn step<P: Performer>(
        &self,
        place: usize,
        change: &P::Change,
        performer: &P,
        outcome: &RefCell<Outcome>,
    ) -> bool {
        let label = change.label();
        self.listener.on(&Event::Started {
            label: label.clone(),
            department: department(change),
        });
        let performed = performer.perform(change).await.and_then(|id| {
            let line = Line::Done {
                run: self.nonce.to_owned(),
                change: label.clone(),
                id: id.clone(),
            };
            self.write(&line, false)?;
            Ok(id)
        });
        match performed {
            Ok(id) => {
                self.listener.on(&Event::Done {
                    label: label.clone(),
                    department: department(change),
                });
                let done = StepDone {
                    change: place,
                    label,
                    department: change.department().cloned(),
                    request_id: id.as_ref().and_then(|id| performer.request_of(change, id)),
                    id,
                };
                outcome.borrow_mut().done.push(done);
                true
            }
            Err(error) => {
                let reason = error.reason();
                let line = Line::Failed {
                    run: self.nonce.to_owned(),
                    change: label.clone(),
                    reason: reason.clone(),
                };
                // The failure itself is reported in any case.
                let _ = self.write(&line, false);
                self.listener.on(&Event::Failed {
                    label: label.clone(),
                    department: department(change),
                    reason: reason.clone(),
                });
                let mut hints = error.hints();
                hints.extend(performer.advice(change, &error));
                let failure = Failure {
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

/// Eight hexadecimal digits that no other run has.
///
/// # Errors
/// When the system has no random numbers.
pub fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:08x}", u32::from_le_bytes(bytes)))
}

fn department(change: &impl Step) -> Option<String> {
    change.department().map(ToString::to_string)
}
