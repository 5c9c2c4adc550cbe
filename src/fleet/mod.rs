//! Connectors of all departments, the base of `status` and `quota audit`. A collection sends one list request per
//! cluster, independent of the number of departments and connectors.
//!
//! - [`FleetCollector`]: selects clusters and departments, and observes them
//! - [`Fleet`]: observed connectors by stage, department and connector; pure
//! - [`quota_audit`], [`quota_evaluation`]: usage of all clusters against quotas; pure
//! - [`quota_usage`]: quotas of one cluster

mod cause_text;
pub mod collector;
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
mod watch;

pub use crate::resources::connector::{ConditionCounts, ConnectorCondition, format_age};
pub use collector::FleetCollector;
pub use connector_row::{ConnectorSummary, FleetConnectorRow, at_least_prefix, has_task_count};
pub use model::{Fleet, FleetDepartmentRow, ObservationFailure, OwnerDepartment, StageView};
pub use quota_audit::QuotaAudit;
pub use quota_collector::collect_audit;
pub use quota_state::QuotaState;
pub use stage_names::StageNames;
pub use watch::watch_fleet;
