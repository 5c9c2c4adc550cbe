//! Logs and metrics with the keys of departments: the client against the sandbox, with the sandbox's clock.

#[path = "../sandbox_connect/contract.rs"]
mod contract;
#[path = "../sandbox/sandbox_fixture.rs"]
#[expect(dead_code, reason = "only a part of this module is used")]
mod sandbox_fixture;
#[path = "../common/openapi.rs"]
#[expect(dead_code, reason = "other tests check requests")]
mod openapi;
#[path = "../sandbox_connect/connect_fixture.rs"]
#[expect(dead_code, reason = "only some functions are used here")]
mod connect_fixture;

mod follow;
mod limits;
mod telemetry_fixture;
