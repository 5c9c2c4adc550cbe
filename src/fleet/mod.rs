//! Connectors of all departments, the base of `status` and `quota audit`. A collection sends one list request per
//! cluster, independent of the number of departments and connectors.
//!
//! - [`FleetCollector`]: selects clusters and departments, and observes them
//! - [`Fleet`]: observed connectors by stage, department and connector; pure
//! - [`ConnectorCondition`]: comparable condition of a connector
//! - [`state_history`]: how long this machine has observed a state
//! - [`quota_audit`], [`quota_evaluation`]: usage of all clusters against quotas; pure
//! - [`quota_usage`]: quotas of one cluster

mod cause_text;
pub mod collector;
pub mod condition;
pub mod connector_row;
mod evaluation;
pub mod model;
pub mod quota_audit;
mod quota_collector;
pub mod quota_evaluation;
#[cfg(test)]
pub(crate) mod quota_fixture;
pub mod quota_state;
pub mod quota_usage;
pub mod stage_names;
pub mod state_history;
mod watch;

pub use collector::FleetCollector;
pub use condition::{ConditionCounts, ConnectorCondition};
pub use connector_row::{ConnectorSummary, FleetConnectorRow, at_least_prefix, has_task_count};
pub use model::{Fleet, FleetDepartmentRow, ObservationFailure, OwnerDepartment, StageView};
pub use quota_audit::QuotaAudit;
pub use quota_collector::collect_audit;
pub use quota_state::QuotaState;
pub use stage_names::StageNames;
pub use state_history::format_age;
pub use watch::watch_fleet;
