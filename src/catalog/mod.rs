//! Offline knowledge about connectors: the schemas of fully managed plugins, and the linter that checks a connector
//! file against them. Pure: no I/O, no clock.
//!
//! - [`schema`]: plugins with their keys, types, defaults and transforms; embedded from `data/`, parsed on first use
//! - [`mod@file`]: a connector file as the linter reads it; `manifest` reads it from disk
//! - [`key_groups`]: groups of keys
//! - [`limits`]: the smallest and largest numbers that keys accept
//! - [`secret`]: which values are secrets, and how a file references one
//! - [`refreshed`]: facts that were read from the service later
//! - [`starter`]: a new connector file for a plugin
//! - [`config_schema`]: JSON Schemas of configurations, for editors
//! - [`topics`]: topics that a configuration reads and writes
//! - [`lint()`]: applies the [`rules`], one file each
//!
//! The schemas are a snapshot: a plugin that they lack is unknown, not wrong, and the service's validation decides.

pub mod schema;
pub mod config_schema;
pub mod file;
pub mod key_groups;
pub mod limits;
pub mod lint;
mod reader;
pub mod refreshed;
mod regex_prefix;
mod renamed_keys;
pub mod rule;
pub mod rules;
pub mod secret;
pub mod weak_secret;
pub mod starter;
pub mod topic_keys;
pub mod topic_transforms;
pub mod topics;

pub use file::{ConfigEntry, ConnectorConfigFile, FileLayout, SETTING_KEYS, ValueKind};
pub use key_groups::KeyGroup;
pub use lint::{ExceptedFinding, LintResult, lint};
pub use reader::{catalog, facts_hash};
pub use rule::{LintDepartment, LintOptions, LintRule};
pub use schema::{Catalog, ConnectorDirection, Importance, KeySchema, PluginSchema, ValueType};
pub use secret::ValueReference;
pub use topic_keys::topic_use;
