//! What a department uses of what it may use, and whether it may have more. Pure: usage comes from a list that was read
//! already.
//!
//! Confluent Cloud knows no quota per department (docs/reference/quotas.md#no-quota-per-department), so the answer is
//! advisory: whoever holds the right to create connectors can go round it. What is not known is never taken for zero: a
//! connector whose configuration may not be read makes the department's own use unknown, which refuses; the use of the
//! whole cluster is unknown to a department that sees only itself, which is said and does not refuse.

mod decision;
#[cfg(test)]
mod decision_tests;
mod usage;

pub use decision::{
    ADVISORY, ASK_FOR_CLUSTER, ClusterTaskLimit, CurrentConnector, LimitUsage, QuotaDecision, QuotaDenial,
    QuotaDimension, QuotaRequest, decide,
};
pub use usage::{ClusterUsage, DepartmentUsage, InvalidTasks, counted_tasks, is_counted, tasks_max};
