//! The Connect half of the sandbox, driven through its router. Every answer is checked against the vendor's documents.

#[path = "../sandbox/harness.rs"]
#[expect(dead_code, reason = "the IAM half uses the rest")]
mod harness;
#[path = "../common/openapi.rs"]
#[expect(dead_code, reason = "requests are the client's to check")]
mod openapi;
#[path = "../common/terraform.rs"]
mod terraform;

mod clients;
mod connectors;
mod contract;
mod failures;
mod lifecycle;
mod logs;
mod metrics;
mod offsets;
mod rights;
mod topics;
mod traces;
mod weather;
mod wire;
mod world;
