//! Connectors from a file to a running connector: the file, checks, the request, execution and backups.
//!
//! - [`definition`]: a connector file, linted
//! - [`request`]: defaults, secrets, quota and the service's own validation
//! - [`execution`]: applies a plan of connectors
//! - [`backup`]: copies of configurations before a change
//! - [`selectors`]: ids, names and patterns
//! - [`view`]: what may be shown of a connector

pub mod backup;
pub mod definition;
pub mod errors;
pub mod execution;
pub mod request;
pub mod selectors;
pub mod view;

pub use backup::{BackupFile, BackupPolicy};
pub use execution::{ConnectorExecution, execute};
pub use request::check_quota;
