//! Runs a plan: events, concurrency, journal, resume, stale guard. It obeys the plan and never decides again.

pub mod event;
pub mod journal;
mod ledger;
pub mod onboarding;
pub mod report;
pub mod schedule;

pub use event::{Event, Listener};
pub use journal::{Journal, JournalError, Line};
pub use ledger::ledger;
pub use onboarding::{Engine, apply};
pub use report::{Failure, Handed, Report, StepDone};
