//! How a connector is, in one word: the service's many states, and what its tasks and its configuration say besides.

use serde::{Deserialize, Serialize};

use crate::{
    api::connect::Status,
    resources::connector::diagnosis::{Health, health},
};

/// How a connector is; what is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::commands) enum Condition {
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

impl Condition {
    /// From the worst to the best.
    pub(in crate::commands) const ALL: [Self; 6] = [
        Self::Failed,
        Self::Degraded,
        Self::Unknown,
        Self::Starting,
        Self::Paused,
        Self::Running,
    ];

    /// Reads it out of a status (dossier `connect.md` §3.1).
    pub(in crate::commands) fn of(status: &Status) -> Self {
        let is_troubled = |state: &str| matches!(state, "FAILED" | "SYSTEM_ERROR" | "USER_ACTIONABLE_ERROR");
        let troubled = status.tasks.iter().filter(|task| is_troubled(&task.state)).count();
        match status.connector.state.as_str() {
            "FAILED" => Self::Failed,
            // The state of the whole can lag behind that of the tasks: the service's own rule decides.
            "RUNNING" if troubled > 0 && troubled == status.tasks.len() => Self::Failed,
            // In whichever state it is: what `connector explain` calls unhealthy is trouble here, too.
            _ if health(status) == Health::Unhealthy => Self::Degraded,
            "RUNNING" => Self::Running,
            "PAUSED" | "STOPPED" => Self::Paused,
            "NONE" | "PROVISIONING" | "RESTARTING" | "UNASSIGNED" => Self::Starting,
            _ => Self::Unknown,
        }
    }

    /// The word for it.
    pub(in crate::commands) const fn word(self) -> &'static str {
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
    pub(in crate::commands) const fn is_trouble(self) -> bool {
        matches!(self, Self::Degraded | Self::Failed)
    }
}

/// How many connectors are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Counts {
    failed: u32,
    degraded: u32,
    unknown: u32,
    starting: u32,
    paused: u32,
    running: u32,
    total: u32,
}

impl Counts {
    /// Counts one more.
    pub(in crate::commands) fn add(&mut self, condition: Condition) {
        *self.slot(condition) += 1;
        self.total += 1;
    }

    /// So many are so.
    pub(in crate::commands) fn of(mut self, condition: Condition) -> u32 {
        *self.slot(condition)
    }

    /// All of them.
    pub(in crate::commands) fn total(self) -> u32 {
        self.total
    }

    /// The worst there is.
    pub(in crate::commands) fn worst(self) -> Option<Condition> {
        Condition::ALL.into_iter().find(|condition| self.of(*condition) > 0)
    }

    /// `2 failed, 1 paused, 9 running`.
    pub(in crate::commands) fn words(self) -> String {
        let some = Condition::ALL.into_iter().filter(|condition| self.of(*condition) > 0);
        let some: Vec<String> = some
            .map(|condition| format!("{} {}", self.of(condition), condition.word()))
            .collect();
        some.join(", ")
    }

    fn slot(&mut self, condition: Condition) -> &mut u32 {
        match condition {
            Condition::Failed => &mut self.failed,
            Condition::Degraded => &mut self.degraded,
            Condition::Unknown => &mut self.unknown,
            Condition::Starting => &mut self.starting,
            Condition::Paused => &mut self.paused,
            Condition::Running => &mut self.running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connect::TaskStatus;

    fn of(state: &str, tasks: &[&str]) -> Condition {
        let mut status = Status::default();
        status.connector.state = state.into();
        let task = |state: &&str| TaskStatus {
            state: (*state).into(),
            ..TaskStatus::default()
        };
        status.tasks = tasks.iter().map(task).collect();
        Condition::of(&status)
    }

    // Dossier `connect.md` §3.1: the states there are, and how the service derives them from those of the tasks.
    #[test]
    fn every_state_has_a_condition_and_a_new_one_is_unknown() {
        for (state, expected) in [
            ("NONE", Condition::Starting),
            ("PROVISIONING", Condition::Starting),
            ("RUNNING", Condition::Running),
            ("DEGRADED", Condition::Degraded),
            ("FAILED", Condition::Failed),
            ("PAUSED", Condition::Paused),
            ("RESTARTING", Condition::Starting),
            ("UNASSIGNED", Condition::Starting),
            ("STOPPED", Condition::Paused),
            ("", Condition::Unknown),
            ("QUIESCED", Condition::Unknown),
        ] {
            assert_eq!(of(state, &[]), expected, "{state}");
        }
        assert_eq!(of("RUNNING", &["RUNNING", "SYSTEM_ERROR"]), Condition::Degraded);
        assert_eq!(of("RUNNING", &["USER_ACTIONABLE_ERROR"]), Condition::Failed);
        assert_eq!(of("RUNNING", &["RUNNING", "UNASSIGNED"]), Condition::Running);
    }

    // A state of the whole that says nothing bad does not hide a task that failed, whichever it is.
    #[test]
    fn a_task_that_failed_is_trouble_in_every_state() {
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
                assert_eq!(of(state, &[failed]), Condition::Degraded, "{state} {failed}");
            }
        }
        assert_eq!(of("PAUSED", &["PAUSED"]), Condition::Paused);
        assert_eq!(of("PROVISIONING", &["UNASSIGNED"]), Condition::Starting);
    }

    // Dossier `connect.md` §2.4: an update that was stored and is not valid leaves the former one running.
    #[test]
    fn a_stored_configuration_that_is_not_in_force_is_trouble() {
        for state in ["RUNNING", "PROVISIONING", "PAUSED", "RESTARTING", ""] {
            let mut status = Status::default();
            status.connector.state = state.into();
            status.validation_errors = Some(vec!["flush.size: too small".into()]);
            assert_eq!(Condition::of(&status), Condition::Degraded, "{state}");
        }
    }

    #[test]
    fn the_worst_decides_and_what_is_not_known_is_worse_than_what_runs() {
        let mut counts = Counts::default();
        assert_eq!(counts.worst(), None);
        for condition in [
            Condition::Running,
            Condition::Unknown,
            Condition::Running,
            Condition::Paused,
        ] {
            counts.add(condition);
        }
        assert_eq!(counts.worst(), Some(Condition::Unknown));
        assert_eq!((counts.of(Condition::Running), counts.total()), (2, 4));
        assert_eq!(counts.words(), "1 unknown, 1 paused, 2 running");
        let mut sorted = Condition::ALL;
        sorted.sort();
        sorted.reverse();
        assert_eq!(sorted, Condition::ALL);
    }
}
