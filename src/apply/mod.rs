//! Runs a plan: events, concurrency, journal, resume, stale guard. It obeys the plan and never decides again.

//!
//! - [`run`]: any plan's changes in the order of their needs; what a family of changes needs is its [`Performer`]
//! - [`onboarding`]: accounts, bindings, keys, proofs and profiles of departments
//! - [`connectors`]: connectors, one or many
//! - [`delivery`]: finished profiles to a command of the user's

pub mod connectors;
pub mod delivery;
pub mod event;
pub mod failure;
pub mod journal;
mod ledger;
pub mod onboarding;
pub mod report;
pub mod run;
pub mod schedule;

pub use delivery::{Delivery, DeliveryError};
pub use event::{Event, Listener};
pub use failure::StepError;
pub use journal::{Journal, JournalError, Line};
pub use ledger::ledger;
pub use onboarding::{Engine, apply};
pub use report::{Failure, Handed, Outcome, Report, StepDone};
pub use run::{Performer, Run, Step};
