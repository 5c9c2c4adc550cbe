//! Quotas of departments: used numbers and decisions on requests. Pure: usage is computed from a connector list that
//! was already read.
//!
//! Confluent Cloud has no quota per department (docs/reference/quotas.md#no-quota-per-department), so a decision is
//! advisory: with the right to create connectors it can be bypassed. Unknown usage never counts as zero. If a
//! connector's configuration cannot be read, the usage of the department is unknown and requests are denied. A
//! department that sees only its own connectors does not know the usage of the cluster; this is reported and does not
//! deny a request.

mod decision;
#[cfg(test)]
mod decision_tests;
mod usage;

pub use decision::{
    ADVISORY, CLUSTER_USAGE_UNKNOWN, ClusterTaskLimit, CurrentConnector, LimitUsage, QuotaDecision, QuotaDenial,
    QuotaDimension, QuotaRequest, ask_for_cluster, decide,
};
pub use usage::{ClusterUsage, DepartmentUsage, InvalidTasks, counted_tasks, is_counted, tasks_max};
