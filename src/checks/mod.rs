//! Checks of the environment: before an onboarding, and for `doctor`.
//!
//! [`preflight`] checks what `onboard` needs before it asks for confirmation. [`doctor`] collects settings, files and
//! observations; each other module evaluates one subject with pure functions, so that every result can be tested.

pub mod assumptions;
mod check;
mod cluster;
pub mod doctor;
pub mod observation;
pub mod kafka_key;
pub mod key;
pub mod network;
pub mod scope;
pub mod platform;
pub mod plugin;
pub mod preflight;
pub mod profile;
pub mod rights;
pub mod state;
pub mod cli_config;
pub mod time;

pub use check::{CheckResult, CheckState, CheckTopic, DoctorReport, TopicCheck};
pub use preflight::{check_object_limits, check_preflight};
