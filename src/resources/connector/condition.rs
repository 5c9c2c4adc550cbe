//! Condition of a connector: a comparable summary of its state, its tasks and its stored configuration.

use serde::{Deserialize, Serialize};

use super::diagnosis::{ConnectorHealth, health};
use crate::{api::connect::ConnectorStatus, model::ConnectorState};

/// Condition of a connector; a greater value is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorCondition {
    /// Running.
    Running,
    /// Paused or stopped by a user.
    Paused,
    /// Starting or restarting.
    Starting,
    /// Without a state, or in a state that this version does not know.
    Unknown,
    /// Partly failed, or with a stored configuration that is not in force.
    Degraded,
    /// Failed.
    Failed,
}

impl ConnectorCondition {
    /// All conditions, the worst first.
    pub const ALL: [Self; 6] = [
        Self::Failed,
        Self::Degraded,
        Self::Unknown,
        Self::Starting,
        Self::Paused,
        Self::Running,
    ];

    /// Derives the condition from a status (docs/reference/connect.md#connector-states).
    pub fn from_status(status: &ConnectorStatus) -> Self {
        let failed = status.failed_tasks().count();
        match &status.connector.state {
            ConnectorState::Failed => Self::Failed,
            // The connector state can lag behind the task states, so the rule of Confluent Cloud is applied here.
            ConnectorState::Running if failed > 0 && failed == status.tasks.len() => Self::Failed,
            // Applies in any state, so that `status` and `connector explain` agree on unhealthy connectors.
            _ if health(status) == ConnectorHealth::Unhealthy => Self::Degraded,
            ConnectorState::Running => Self::Running,
            state if state.is_stopped() => Self::Paused,
            ConnectorState::NotStarted
            | ConnectorState::Provisioning
            | ConnectorState::Restarting
            | ConnectorState::Unassigned => Self::Starting,
            _ => Self::Unknown,
        }
    }

    /// Returns the word for the condition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Starting => "starting",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }

    /// Returns whether the connector needs attention.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Degraded | Self::Failed)
    }
}

/// Number of connectors per condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConditionCounts {
    failed: u32,
    degraded: u32,
    unknown: u32,
    starting: u32,
    paused: u32,
    running: u32,
    total: u32,
}

impl ConditionCounts {
    /// Adds a connector.
    pub fn add(&mut self, condition: ConnectorCondition) {
        *self.counter(condition) += 1;
        self.total += 1;
    }

    /// Returns the number of connectors in this condition.
    pub fn get(mut self, condition: ConnectorCondition) -> u32 {
        *self.counter(condition)
    }

    /// Returns the number of all connectors.
    pub fn total(self) -> u32 {
        self.total
    }

    /// Returns the worst condition.
    pub fn worst(self) -> Option<ConnectorCondition> {
        ConnectorCondition::ALL
            .into_iter()
            .find(|condition| self.get(*condition) > 0)
    }

    /// Returns a summary such as `2 failed, 1 paused, 9 running`.
    pub fn summary(self) -> String {
        let some = ConnectorCondition::ALL
            .into_iter()
            .filter(|condition| self.get(*condition) > 0);
        let some: Vec<String> = some
            .map(|condition| format!("{} {}", self.get(condition), condition.as_str()))
            .collect();
        some.join(", ")
    }

    fn counter(&mut self, condition: ConnectorCondition) -> &mut u32 {
        match condition {
            ConnectorCondition::Failed => &mut self.failed,
            ConnectorCondition::Degraded => &mut self.degraded,
            ConnectorCondition::Unknown => &mut self.unknown,
            ConnectorCondition::Starting => &mut self.starting,
            ConnectorCondition::Paused => &mut self.paused,
            ConnectorCondition::Running => &mut self.running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connect::TaskStatus;

    fn condition(state: &str, tasks: &[&str]) -> ConnectorCondition {
        let mut status = ConnectorStatus::default();
        status.connector.state = state.into();
        let task = |state: &&str| TaskStatus {
            state: (*state).into(),
            ..TaskStatus::default()
        };
        status.tasks = tasks.iter().map(task).collect();
        ConnectorCondition::from_status(&status)
    }

    // Source: docs/reference/connect.md#connector-states. All states, and their derivation from task states.
    #[test]
    fn every_state_has_a_condition_and_an_unrecognized_one_is_unknown() {
        for (state, expected) in [
            ("NONE", ConnectorCondition::Starting),
            ("PROVISIONING", ConnectorCondition::Starting),
            ("RUNNING", ConnectorCondition::Running),
            ("DEGRADED", ConnectorCondition::Degraded),
            ("FAILED", ConnectorCondition::Failed),
            ("PAUSED", ConnectorCondition::Paused),
            ("RESTARTING", ConnectorCondition::Starting),
            ("UNASSIGNED", ConnectorCondition::Starting),
            ("STOPPED", ConnectorCondition::Paused),
            ("", ConnectorCondition::Unknown),
            ("QUIESCED", ConnectorCondition::Unknown),
        ] {
            assert_eq!(condition(state, &[]), expected, "{state}");
        }
        assert_eq!(
            condition("RUNNING", &["RUNNING", "SYSTEM_ERROR"]),
            ConnectorCondition::Degraded
        );
        assert_eq!(
            condition("RUNNING", &["USER_ACTIONABLE_ERROR"]),
            ConnectorCondition::Failed
        );
        assert_eq!(
            condition("RUNNING", &["RUNNING", "UNASSIGNED"]),
            ConnectorCondition::Running
        );
    }

    // A healthy connector state does not hide a failed task.
    #[test]
    fn a_failed_task_is_trouble_in_every_connector_state() {
        for state in [
            "",
            "NONE",
            "PROVISIONING",
            "PAUSED",
            "STOPPED",
            "RESTARTING",
            "UNASSIGNED",
            "QUIESCED",
        ] {
            for failed in ["FAILED", "SYSTEM_ERROR", "USER_ACTIONABLE_ERROR"] {
                assert_eq!(
                    condition(state, &[failed]),
                    ConnectorCondition::Degraded,
                    "{state} {failed}"
                );
            }
        }
        assert_eq!(condition("PAUSED", &["PAUSED"]), ConnectorCondition::Paused);
        assert_eq!(condition("PROVISIONING", &["UNASSIGNED"]), ConnectorCondition::Starting);
    }

    // Source: docs/reference/connect.md#update-a-connector. A stored but invalid update leaves the previous
    // configuration running.
    #[test]
    fn a_rejected_stored_configuration_is_trouble() {
        for state in ["RUNNING", "PROVISIONING", "PAUSED", "RESTARTING", ""] {
            let mut status = ConnectorStatus::default();
            status.connector.state = state.into();
            status.validation_errors = Some(vec!["flush.size: too small".into()]);
            assert_eq!(
                ConnectorCondition::from_status(&status),
                ConnectorCondition::Degraded,
                "{state}"
            );
        }
    }

    #[test]
    fn the_worst_condition_decides_and_unknown_is_worse_than_running() {
        let mut counts = ConditionCounts::default();
        assert_eq!(counts.worst(), None);
        for condition in [
            ConnectorCondition::Running,
            ConnectorCondition::Unknown,
            ConnectorCondition::Running,
            ConnectorCondition::Paused,
        ] {
            counts.add(condition);
        }
        assert_eq!(counts.worst(), Some(ConnectorCondition::Unknown));
        assert_eq!((counts.get(ConnectorCondition::Running), counts.total()), (2, 4));
        assert_eq!(counts.summary(), "1 unknown, 1 paused, 2 running");
        let mut sorted = ConnectorCondition::ALL;
        sorted.sort();
        sorted.reverse();
        assert_eq!(sorted, ConnectorCondition::ALL);
    }
}
