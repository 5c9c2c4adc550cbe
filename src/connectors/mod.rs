//! Connectors, from a file to a running connector.
//!
//! [`preparation`] states the order of the steps that `create`, `update` and `validate` share. Each step has a module:
//!
//! - [`definition`]: parsed and linted connector files
//! - [`defaults`], [`secrets`], [`quota_check`], [`validation`]: a complete and accepted configuration
//! - [`execution`]: applies a plan of connectors
//! - [`backup`]: backups of configurations before a change
//!
//! Operations on existing connectors:
//!
//! - [`creation`], [`update`], [`deletion`], [`change`]: a change and its result
//! - [`lifecycle`]: pause, resume, restart, and the wait for a state
//! - [`sent_secrets`]: which secrets a change sends
//! - [`offsets`]: reading and changing offsets
//! - [`selectors`]: ids, names and patterns
//! - [`details`], [`topics`], [`view`]: displayable facts about connectors
//! - [`explain`]: why connectors fail, and the next steps
//! - [`logs`]: log lines, read or followed
//! - [`metrics`]: metrics as a report
//! - [`dead_letters`]: records that a sink could not process
//!
//! Files and plugins:
//!
//! - [`lint`]: findings in files, without a connection
//! - [`starter_file`]: a file to begin with
//! - [`plugins`]: plugins of a cluster and their keys
//! - [`plugin_refresh`]: facts about plugins that the linter's catalog lacks

pub mod backup;
pub mod change;
pub mod creation;
pub mod dead_letters;
pub mod defaults;
pub mod definition;
pub mod deletion;
pub mod details;
pub mod errors;
pub mod execution;
pub mod explain;
pub mod lifecycle;
pub mod lint;
pub mod logs;
pub mod metrics;
pub mod offsets;
pub mod plugin_refresh;
pub mod plugins;
pub mod preparation;
pub mod quota_check;
pub mod secrets;
pub mod selectors;
pub mod sent_secrets;
pub mod starter_file;
pub mod topics;
pub mod update;
pub mod validation;
pub mod view;

pub use backup::{BackupFile, BackupPolicy};
pub use errors::PartialResult;
pub use execution::{ConnectorExecution, execute};
