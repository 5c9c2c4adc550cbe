//! Simulation of connectors. States, logs and metrics are pure functions of the stored records, the time and the role
//! bindings.
//!
//! - `plugins`: access to the plugin schemas of `catalog`
//! - `config`: stored configurations: masks, secrets, keys that the service adds
//! - `config_check`: static validation of configurations
//! - `fault`: faults, set by name or triggered by configuration values
//! - `messages`: texts of each fault, as sent by the service
//! - `system_messages`: texts of external systems in them
//! - `subjects`: subjects that a configuration reads and writes
//! - `evaluation`: faults and missing permissions of a connector
//! - `lifecycle`: states and delays
//! - `history`: history of a connector
//! - `log_sim` and `metrics_sim`: log lines and metrics generated from the history
//! - `offsets`: current offsets, and requests to change them
//!
//! Nothing runs in the background: states are computed on demand (docs/reference/connect.md#connector-states).

mod assumptions;
pub(crate) mod config_check;
pub(crate) mod history;
pub(crate) mod config;
mod control;
pub(crate) mod metrics_sim;
pub(crate) mod evaluation;
pub(crate) mod fault;
pub(crate) mod lifecycle;
pub(crate) mod log_sim;
pub(crate) mod offsets;
pub(crate) mod plugins;
pub(crate) mod status;
mod messages;
mod system_messages;
pub(crate) mod subjects;

pub use assumptions::ConnectAssumptions;
pub use fault::{ArmedConnectorFault, ConnectorFault};
pub(crate) use lifecycle::ConnectorRun;

/// Mask that replaces a secret in responses (docs/reference/connect.md#secrets-and-masks).
pub(crate) const MASK: &str = "****************";

/// Quota code under which [`SandboxSettings::quotas`](super::SandboxSettings::quotas) sets the maximum number of tasks
/// per cluster. The code exists only in the sandbox, and no list of applied quotas contains it
/// (docs/reference/quotas.md#service-quota-codes).
pub const TASKS_PER_CLUSTER: &str = "connect.max_tasks.per_cluster";

/// Maximum number of tasks per cluster, for all cluster types (docs/reference/quotas.md#cluster-limits).
pub(crate) const TASK_CEILING: i64 = 250;
