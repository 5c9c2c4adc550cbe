//! The sandbox, driven through its router as a client in the same process would drive it.

#[path = "sandbox/harness.rs"]
mod harness;

#[path = "sandbox/smoke.rs"]
mod smoke;
