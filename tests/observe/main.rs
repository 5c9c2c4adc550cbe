//! Logs and metrics with the keys of departments: the client against the sandbox, with the sandbox's clock.

#[path = "../common/mod.rs"]
mod common;

mod follow;
mod limits;
