//! State of a quota.

use std::collections::BTreeMap;

use serde::Serialize;

use super::has_task_count;
use crate::{api::connect::ExpandedConnector, model::DepartmentQuota, quota::DepartmentUsage};

/// State of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QuotaState {
    /// Below 80 %.
    Ok,
    /// At least 80 % used (docs/reference/quotas.md#sharing-a-cluster).
    Near,
    /// The usage equals the limit.
    Full,
    /// Usage is unknown and may be over the limit.
    Unknown,
    /// Over the limit.
    Over,
}

impl QuotaState {
    /// Returns the state of a number.
    pub fn from_usage(used: u64, limit: u64) -> Self {
        match used {
            // No usage is fine even with a limit of zero.
            0 => Self::Ok,
            _ if used > limit => Self::Over,
            _ if used == limit => Self::Full,
            // Provider quotas can have any 64-bit value.
            _ if u128::from(used) * 10 >= u128::from(limit) * 8 => Self::Near,
            _ => Self::Ok,
        }
    }

    /// Returns the state of tasks, where `used` is a lower bound unless `complete`. A lower bound over the limit is
    /// over quota.
    pub fn from_tasks(used: u32, limit: u32, complete: bool) -> Self {
        match Self::from_usage(used.into(), limit.into()) {
            Self::Over => Self::Over,
            _ if !complete => Self::Unknown,
            state => state,
        }
    }

    /// Returns the worse state of a department's connectors and tasks.
    pub fn for_department(usage: &DepartmentUsage, quota: &DepartmentQuota, complete: bool) -> Self {
        let connectors = Self::from_usage(usage.connectors.into(), quota.connectors.into());
        connectors.max(Self::from_tasks(usage.tasks, quota.tasks, complete))
    }

    /// Returns the word for JSON and CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Near => "near",
            Self::Full => "full",
            Self::Unknown => "unknown",
            Self::Over => "over",
        }
    }

    /// Returns the word for readers; empty below 80 %.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "",
            Self::Near => "nearly full",
            Self::Full => "full",
            Self::Unknown => "unknown",
            Self::Over => "over",
        }
    }
}

/// Returns whether the task counts of all connectors in `usage` are known.
pub fn is_complete(usage: &DepartmentUsage, list: &BTreeMap<String, ExpandedConnector>) -> bool {
    let mut counted = usage.tasks_by_connector.keys();
    counted.all(|name| list.get(name).is_some_and(has_task_count))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Source: docs/reference/quotas.md#sharing-a-cluster. 80 %. A provider's limit can be as large as its field
    // (docs/reference/quotas.md#service-quota-api).
    #[test]
    fn every_usage_has_a_state_including_zero_and_the_maximum() {
        let huge = 4_611_686_018_427_387_904;
        for (used, limit, state) in [
            (0, 0, QuotaState::Ok),
            (0, 1, QuotaState::Ok),
            (1, 0, QuotaState::Over),
            (7, 10, QuotaState::Ok),
            (8, 10, QuotaState::Near),
            (10, 10, QuotaState::Full),
            (11, 10, QuotaState::Over),
            (3, huge, QuotaState::Ok),
            (huge - 1, huge, QuotaState::Near),
            (huge / 2, huge, QuotaState::Ok),
            (u64::MAX, u64::MAX, QuotaState::Full),
            (u64::MAX, huge, QuotaState::Over),
        ] {
            assert_eq!(QuotaState::from_usage(used, limit), state, "{used} of {limit}");
        }
    }
}
