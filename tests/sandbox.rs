//! The sandbox, driven through its router as a client in the same process would drive it.

#[path = "sandbox_connect/contract.rs"]
mod connect_contract;
#[path = "sandbox/contract.rs"]
mod contract;
#[path = "sandbox/harness.rs"]
mod harness;
#[path = "common/openapi.rs"]
#[expect(dead_code, reason = "requests are the client's to check")]
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
#[path = "sandbox/places.rs"]
mod places;
#[path = "sandbox/control.rs"]
mod control;
#[path = "sandbox/durable.rs"]
mod durable;
#[path = "sandbox/weather.rs"]
mod weather;
#[path = "sandbox/served.rs"]
mod served;
#[path = "sandbox/connect.rs"]
mod connect;
#[path = "sandbox/isolation.rs"]
mod isolation;
#[path = "sandbox/assumptions.rs"]
mod assumptions;
