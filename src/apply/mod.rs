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
mod known_keys;
pub mod onboarding;
pub mod report;
pub mod run;
pub mod schedule;

pub use delivery::{Delivery, DeliveryError};
pub use event::{EventListener, RunEvent};
pub use failure::StepError;
pub use journal::{Journal, JournalError, JournalLine};
pub use known_keys::load_known_keys;
pub use onboarding::{ProvisioningInput, apply};
pub use report::{ApplyOutcome, CompletedStep, FinishedProfile, ProvisioningReport, StepFailure};
pub use run::{PlanRunner, PlanStep, StepExecutor};
