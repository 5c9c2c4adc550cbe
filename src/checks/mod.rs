//! Looks before the leap: what must hold before anything is written, and what helps a colleague find out why it does
//! not.
//!
//! [`preflight()`] is what `onboard` looks at before it asks; the rest is `doctor`'s. Each file there is about one thing:
//! it says how to look at it, and judges what was seen without looking again, so that every judgement can be tried.

pub mod assumptions;
mod check;
mod cluster;
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
pub use preflight::{check_acl_quota, check_preflight};
