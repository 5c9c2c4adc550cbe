//! Connect in the sandbox, through its router. Every response is validated against the OpenAPI documents.

#[path = "../sandbox/sandbox_fixture.rs"]
#[expect(dead_code, reason = "the IAM tests use the rest")]
mod sandbox_fixture;
#[path = "../common/openapi.rs"]
#[expect(dead_code, reason = "other tests check requests")]
mod openapi;
#[path = "../common/terraform.rs"]
mod terraform;

mod client_expectations;
mod connectors;
mod contract;
mod failures;
mod lifecycle;
mod logs;
mod metrics;
mod offsets;
mod permissions;
mod topics;
mod recorded_requests;
mod faults;
mod http_protocol;
mod connect_fixture;
