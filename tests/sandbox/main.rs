//! The sandbox through its router, like an in-process client.

#[path = "../common/mod.rs"]
mod common;

mod accounts;
mod acls;
mod auth;
mod client_quotas;
mod lists;
mod smoke;
mod bindings;
mod keys;
mod organization;
mod control_api;
mod persistence;
mod faults;
mod server;
mod connect_permissions;
mod isolation;
mod assumptions;
