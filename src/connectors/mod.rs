//! Connectors, from a file to a running connector.
//!
//! - [`definition`]: parsed and linted connector files
//! - [`request`]: defaults, secrets, quota and validation by Confluent Cloud
//! - [`execution`]: applies a plan of connectors
//! - [`backup`]: backups of configurations before a change
//! - [`selectors`], [`selection`]: ids, names and patterns
//! - [`view`]: displayable facts about a connector
//! - [`explain`]: why connectors fail, and the next steps
//! - [`logs`]: log lines, read or followed
//! - [`metrics`]: metrics as a report

pub mod backup;
pub mod definition;
pub mod errors;
pub mod execution;
pub mod explain;
pub mod logs;
pub mod metrics;
pub mod request;
pub mod selection;
pub mod selectors;
pub mod view;

pub use backup::{BackupFile, BackupPolicy};
pub use execution::{ConnectorExecution, execute};
pub use request::check_quota;
