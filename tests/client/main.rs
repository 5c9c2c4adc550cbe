//! The client against services that fault: every rule of patience, pages, errors, the network, and secrets.
//!
//! No test waits for real: clocks jump, or stand still until the test moves them.

mod connectors;
mod errors;
#[path = "../common/inspected.rs"]
mod inspected;
mod hostile;
mod logs;
mod metrics;
mod network;
mod pages;
mod patience;
mod process;
mod rig;
mod secrets;
