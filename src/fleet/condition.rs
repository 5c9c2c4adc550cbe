//! How a connector is, in one word: the service's many states, and what its tasks and its configuration say besides.

use serde::{Deserialize, Serialize};

use crate::{
    api::connect::ConnectorStatus,
    resources::connector::diagnosis::{ConnectorHealth, health},
};

/// How a connector is; what is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorCondition {
    /// It does its work.
    Running,
    /// Somebody paused it.
    Paused,
    /// It is on its way.
    Starting,
    /// The service does not say, or says something new.
    Unknown,
    /// A part of it does not work, or what is stored for it is not in force.
    Degraded,
    /// It does not work.
    Failed,
}

impl ConnectorCondition {
    /// From the worst to the best.
    pub const ALL: [Self; 6] = [
        Self::Failed,
        Self::Degraded,
        Self::Unknown,
        Self::Starting,
        Self::Paused,
        Self::Running,
    ];

    /// Reads it out of a status (docs/reference/connect.md#connector-states).
    pub fn from_status(status: &ConnectorStatus) -> Self {
        let is_troubled = |state: &str| matches!(state, "FAILED" | "SYSTEM_ERROR" | "USER_ACTIONABLE_ERROR");
        let troubled = status.tasks.iter().filter(|task| is_troubled(&task.state)).count();
        match status.connector.state.as_str() {
            "FAILED" => Self::Failed,
            // The state of the whole can lag behind that of the tasks: the service's own rule decides.
            "RUNNING" if troubled > 0 && troubled == status.tasks.len() => Self::Failed,
            // In whichever state it is: what `connector explain` calls unhealthy is trouble here, too.
            _ if health(status) == ConnectorHealth::Unhealthy => Self::Degraded,
            "RUNNING" => Self::Running,
            "PAUSED" | "STOPPED" => Self::Paused,
            "NONE" | "PROVISIONING" | "RESTARTING" | "UNASSIGNED" => Self::Starting,
            _ => Self::Unknown,
        }
    }

    /// The word for it.
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

    /// Whether somebody has to look at it.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Degraded | Self::Failed)
    }
}

/// How many connectors are how.
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
    /// Counts one more.
    pub fn add(&mut self, condition: ConnectorCondition) {
        *self.counter(condition) += 1;
        self.total += 1;
    }

    /// So many are so.
    pub fn get(mut self, condition: ConnectorCondition) -> u32 {
        *self.counter(condition)
    }

    /// All of them.
    pub fn total(self) -> u32 {
        self.total
    }

    /// The worst there is.
    pub fn worst(self) -> Option<ConnectorCondition> {
        ConnectorCondition::ALL
            .into_iter()
            .find(|condition| self.get(*condition) > 0)
    }

    /// `2 failed, 1 paused, 9 running`.
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

    // Source: docs/reference/connect.md#connector-states. The states there are, and how the service derives them from
    // those of the tasks.
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

    // A state of the whole that says nothing bad does not hide a task that failed, whichever it is.
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

    // Source: docs/reference/connect.md#update-a-connector. An update that was stored and is not valid leaves the
    // former one running.
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
