//! Execution of plans: events, concurrency, journal, resume, stale guard. Applies a plan without making decisions of
//! its own.
//!
//! - [`run`]: applies the changes of any plan in dependency order; a [`StepExecutor`] executes one kind of change
//! - [`onboarding`]: accounts, role bindings, keys, probes and profiles of departments
//! - [`connectors`]: creation, change and removal of connectors
//! - [`delivery`]: delivery of finished profiles to a command

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
