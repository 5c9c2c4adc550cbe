//! The sandbox through its router, like an in-process client.

#[path = "sandbox_connect/contract.rs"]
mod connect_contract;
#[path = "sandbox/contract.rs"]
mod contract;
#[path = "sandbox/sandbox_fixture.rs"]
mod sandbox_fixture;
#[path = "common/openapi.rs"]
#[expect(dead_code, reason = "other tests check requests")]
mod openapi;

#[path = "sandbox/accounts.rs"]
mod accounts;
#[path = "sandbox/acls.rs"]
mod acls;
#[path = "sandbox/auth.rs"]
mod auth;
#[path = "sandbox/lists.rs"]
mod lists;
#[path = "sandbox/smoke.rs"]
mod smoke;
#[path = "sandbox/bindings.rs"]
mod bindings;
#[path = "sandbox/keys.rs"]
mod keys;
#[path = "sandbox/organization.rs"]
mod organization;
#[path = "sandbox/control_api.rs"]
mod control_api;
#[path = "sandbox/persistence.rs"]
mod persistence;
#[path = "sandbox/faults.rs"]
mod faults;
#[path = "sandbox/server.rs"]
mod server;
#[path = "sandbox/connect_permissions.rs"]
mod connect_permissions;
#[path = "sandbox/isolation.rs"]
mod isolation;
#[path = "sandbox/assumptions.rs"]
mod assumptions;
