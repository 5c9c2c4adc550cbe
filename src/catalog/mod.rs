//! What this program knows about connectors without asking anybody: the facts about fully managed plugins, and the linter
//! that compares a connector file with them. Pure: no I/O, no clock.
//!
//! - [`facts`]: plugins, their keys, types, defaults and transforms; embedded from `data/`, read on first use
//! - [`file`]: a connector file as the linter wants it; who reads it from disk is `manifest`'s business
//! - [`groups`]: what keys are about
//! - [`secret`]: which values are secrets, and how a file refers to one
//! - [`starter`]: what somebody writes who begins with a plugin
//! - [`lint`]: runs the [`rules`], one file each
//!
//! The facts are a snapshot: a plugin that is not in them is unknown here, never wrong, and the service's own validation
//! has the last word.

pub mod schema;
pub mod file;
pub mod key_groups;
pub mod lint;
mod reader;
mod regex_prefix;
pub mod rules;
pub mod secret;
pub mod starter;
pub mod topic_keys;

pub use file::{ConfigEntry, ConnectorConfigFile, FileLayout, ValueKind};
pub use key_groups::KeyGroup;
pub use lint::{ExceptedFinding, LintDepartment, LintOptions, LintResult, lint};
pub use rules::LintRule;
pub use schema::{Catalog, ConnectorDirection, Importance, KeySchema, PluginSchema, ValueType, catalog};
pub use secret::ValueReference;
