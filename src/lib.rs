//! `confluent-ebs` onboards departments to a shared Confluent Cloud organization and lets each run its connectors with
//! one restricted API key.
//!
//! Modules are listed in dependency order: each may use those above it, none below it (checked by
//! `tests/architecture.rs`). `docs/architecture.md` shows the flow of a command.

pub mod exit;
pub mod hint;
pub mod env;
pub mod text;
pub mod diag;
pub mod clock;
pub mod private;

pub mod model;
pub mod api;
pub mod access;
pub mod catalog;
pub mod redact;
pub mod child;
pub mod quota;
pub mod sandbox;
pub mod manifest;
pub mod config;
pub mod client;
pub mod resources;
pub mod probe;
pub mod handover;
pub mod plan;
pub mod apply;
pub mod error;
pub mod session;
pub mod checks;
pub mod connectors;
pub mod provisioning;
pub mod fleet;
pub mod gitops;
pub mod render;
pub mod commands;
