//! `confluent-ebs`: onboard departments to a shared Confluent Cloud organization, and let them run their connectors
//! with one restricted key.
//!
//! The modules stand in the order in which they may use each other: each may use those above it, none below it
//! (`tests/architecture.rs` checks it). `docs/architecture.md` draws the flow of one command through them.

pub mod exit;
pub mod env;
pub mod hint;
pub mod text;
pub mod diag;
pub mod clock;
pub mod cancel;

pub mod model;
pub mod api;
pub mod access;
pub mod catalog;
pub mod redact;
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
pub mod connectors;
pub mod fleet;
pub mod render;
pub mod checks;
pub mod commands;
