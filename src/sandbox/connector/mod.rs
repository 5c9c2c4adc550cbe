//! How connectors live and fail, pure: everything follows from what was written down, the moment, and the role bindings.
//!
//! - [`plugins`]: what is known of plugins: the seam to `catalog`
//! - [`config`]: what a written configuration becomes: masks, stored secrets, keys that the service adds
//! - [`check`]: what the service says about a configuration without trying it
//! - [`fault`]: the failures there are, asked for by name or by telltale values
//! - [`texts`]: the words of each failure, as the service sends them
//! - [`topics`]: which topics a configuration reads and writes
//! - [`diagnose`]: what is wrong with a connector: failures asked for, and rights that its identity lacks
//! - [`life`]: states and how long they take
//! - [`chronicle`]: what a connector has been through
//! - [`lines`]: the log lines that follow from it; [`curves`]: the metrics
//! - [`offsets`]: where a connector is, and requests to move it
//!
//! Nothing runs in the background: a state is computed whenever somebody looks
//! (docs/reference/connect.md#connector-states).

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
pub(crate) mod topics;

pub use assumptions::ConnectAssumptions;
pub use fault::{ArmedConnectorFault, ConnectorFault};
pub(crate) use lifecycle::ConnectorRun;

/// What the service shows instead of a secret (docs/reference/connect.md#secrets-and-masks).
pub(crate) const MASK: &str = "****************";

/// The quota code under which [`Settings::quotas`](super::Settings::quotas) sets how many tasks a cluster carries. The
/// service has no such code (docs/reference/quotas.md#service-quota-codes): it is ours, and no list of applied quotas
/// shows it.
pub const TASKS_PER_CLUSTER: &str = "connect.max_tasks.per_cluster";

/// Tasks per cluster of any type (docs/reference/quotas.md#cluster-limits).
pub(crate) const TASK_CEILING: i64 = 250;
