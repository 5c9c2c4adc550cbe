//! Connect in the sandbox, through its router. Every response is validated against the OpenAPI documents.

#[path = "../common/mod.rs"]
mod common;

mod client_expectations;
mod connectors;
mod failures;
mod lifecycle;
mod logs;
mod metrics;
mod offsets;
mod permissions;
mod starters;
mod topics;
mod recorded_requests;
mod faults;
mod http_protocol;
