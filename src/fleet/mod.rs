//! Connectors of all departments, the base of `status` and `quota audit`. A collection sends one list request per
//! cluster, independent of the number of departments and connectors.
//!
//! - [`FleetCollector`]: selects clusters and departments, and observes them
//! - [`Fleet`]: observed connectors by stage, department and connector; pure
//! - [`ConnectorCondition`]: comparable condition of a connector
//! - [`state_history`]: how long this machine has observed a state
//! - [`quota_audit`]: usage against quotas; pure

mod cause_text;
pub mod collector;
pub mod condition;
pub mod model;
pub mod quota_audit;
mod quota_collector;
pub mod quota_state;
pub mod state_history;

pub use collector::{ConnectorListResult, FleetCollector, incomplete_error};
pub use condition::{ConditionCounts, ConnectorCondition};
pub use model::{
    ConnectorSummary, Fleet, FleetConnectorRow, FleetDepartmentRow, OwnerDepartment, StageView, at_least_prefix,
    has_task_count,
};
pub use quota_audit::QuotaAudit;
pub use quota_collector::collect_audit;
pub use quota_state::QuotaState;
pub use state_history::format_age;
