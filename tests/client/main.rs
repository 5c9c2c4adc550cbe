//! The client against faulty services: retries, pages, errors, the network, and secrets.
//!
//! No test sleeps: clocks jump, or stand still until the test advances them.

mod connectors;
mod errors;
#[path = "../common/tls_inspection.rs"]
mod tls_inspection;
mod malformed_responses;
mod logs;
mod metrics;
mod network;
mod pagination;
mod retry;
mod in_process_transport;
mod client_fixture;
mod secrets;
