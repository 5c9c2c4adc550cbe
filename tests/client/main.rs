//! The client against faulty services: retries, pages, errors, the network, and secrets.
//!
//! No test sleeps: clocks jump, or stand still until the test advances them.

#[path = "../common/mod.rs"]
mod common;

mod connectors;
mod errors;
mod malformed_responses;
mod logs;
mod metrics;
mod network;
mod pagination;
mod retry;
mod in_process_transport;
mod secrets;
