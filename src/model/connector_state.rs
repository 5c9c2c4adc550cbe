//! States of connectors and tasks (docs/reference/connect.md#connector-states). The lists are open: an unlisted state
//! keeps the word of the service.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! states {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            /// No state, as right after creation (docs/reference/connect.md#status).
            #[default]
            Unreported,
            $($(#[$doc])* $variant,)+
            /// Unlisted state, as reported.
            Other(String),
        }

        impl $name {
            /// Listed states.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word of the service; empty if it reports no state.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Unreported => "",
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    "" => Self::Unreported,
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(String::deserialize(deserializer)?.as_str().into())
            }
        }
    };
}

states! {
    /// State of a connector.
    ConnectorState {
        /// Not started.
        NotStarted = "NONE",
        /// Starting for the first time.
        Provisioning = "PROVISIONING",
        /// All tasks run.
        Running = "RUNNING",
        /// Some tasks run, some do not.
        Degraded = "DEGRADED",
        /// All tasks failed.
        Failed = "FAILED",
        /// All tasks are stopped.
        Paused = "PAUSED",
        /// Restarting.
        Restarting = "RESTARTING",
        /// Deleted, but still listed (docs/reference/connect.md#delete-a-connector).
        Deleted = "DELETED",
        /// Without a worker.
        Unassigned = "UNASSIGNED",
        /// Stopped.
        Stopped = "STOPPED",
    }
}

states! {
    /// State of a task.
    TaskState {
        /// Running.
        Running = "RUNNING",
        /// Without a worker.
        Unassigned = "UNASSIGNED",
        /// Restarting.
        Restarting = "RESTARTING",
        /// Stopped, because the connector is paused.
        Stopped = "STOPPED",
        /// Failed; the owner of the connector can fix it.
        UserActionableError = "USER_ACTIONABLE_ERROR",
        /// Failed; Confluent has to fix it.
        SystemError = "SYSTEM_ERROR",
        /// Failed, in older answers.
        Failed = "FAILED",
        /// Paused, in older answers.
        Paused = "PAUSED",
    }
}

impl ConnectorState {
    /// Returns whether the connector runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        *self == Self::Running
    }

    /// Returns whether the connector is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        *self == Self::Paused
    }

    /// Returns whether a user stopped the connector.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Paused | Self::Stopped)
    }

    /// Returns whether the connector failed as a whole. The service may restart it
    /// (docs/reference/connect.md#timing-of-states).
    #[must_use]
    pub fn has_failed(&self) -> bool {
        *self == Self::Failed
    }

    /// Returns whether the state alone shows a failure, of the connector or of some of its tasks.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        matches!(self, Self::Failed | Self::Degraded)
    }

    /// Returns whether the connector has not started yet. Right after creation the state may be missing
    /// (docs/reference/connect.md#status).
    #[must_use]
    pub fn is_before_start(&self) -> bool {
        matches!(self, Self::Unreported | Self::NotStarted | Self::Provisioning)
    }

    /// Returns whether the connector is deleted; the service lists it for a while
    /// (docs/reference/connect.md#delete-a-connector).
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        *self == Self::Deleted
    }
}

impl TaskState {
    /// Returns whether the task runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        *self == Self::Running
    }

    /// Returns whether the task failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self, Self::Failed | Self::UserActionableError | Self::SystemError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFERENCE: &str = include_str!("../../docs/reference/connect.md");

    /// Returns the words in the first column of the table with the heading `column`.
    fn documented(column: &str) -> Vec<&'static str> {
        let heading = format!("| {column} | Meaning |");
        let rows = REFERENCE.lines().skip_while(|line| *line != heading).skip(2);
        rows.take_while(|line| line.starts_with('|'))
            .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split(','))
            .map(str::trim)
            .collect()
    }

    // Source: docs/reference/connect.md#connector-states, which lists every state.
    #[test]
    fn every_documented_state_is_a_variant() {
        let words: Vec<&str> = ConnectorState::KNOWN.iter().map(ConnectorState::as_str).collect();
        assert_eq!(words, documented("Connector"));
        let words: Vec<&str> = TaskState::KNOWN.iter().map(TaskState::as_str).collect();
        assert_eq!(words, documented("Task"));
    }

    // Source: docs/reference/connect.md#connector-states
    #[test]
    fn every_state_answers_each_question() {
        for (state, running, stopped, attention, before_start) in [
            ("", false, false, false, true),
            ("NONE", false, false, false, true),
            ("PROVISIONING", false, false, false, true),
            ("RUNNING", true, false, false, false),
            ("DEGRADED", false, false, true, false),
            ("FAILED", false, false, true, false),
            ("PAUSED", false, true, false, false),
            ("RESTARTING", false, false, false, false),
            ("DELETED", false, false, false, false),
            ("UNASSIGNED", false, false, false, false),
            ("STOPPED", false, true, false, false),
            ("running", false, false, false, false),
        ] {
            let known = ConnectorState::from(state);
            let answers = (
                known.is_running(),
                known.is_stopped(),
                known.needs_attention(),
                known.is_before_start(),
            );
            assert_eq!(answers, (running, stopped, attention, before_start), "{state}");
            assert_eq!(known.has_failed(), state == "FAILED", "{state}");
            assert_eq!(known.is_paused(), state == "PAUSED", "{state}");
            assert_eq!(known.is_deleted(), state == "DELETED", "{state}");
        }
        for (state, running, failed) in [
            ("", false, false),
            ("RUNNING", true, false),
            ("UNASSIGNED", false, false),
            ("RESTARTING", false, false),
            ("STOPPED", false, false),
            ("USER_ACTIONABLE_ERROR", false, true),
            ("SYSTEM_ERROR", false, true),
            ("FAILED", false, true),
            ("PAUSED", false, false),
            ("failed", false, false),
        ] {
            let known = TaskState::from(state);
            assert_eq!((known.is_running(), known.has_failed()), (running, failed), "{state}");
        }
    }

    fn word() -> impl Strategy<Value = String> {
        let documented = ["Connector", "Task"].into_iter().flat_map(documented);
        let documented: Vec<String> = documented.map(str::to_owned).collect();
        prop_oneof![prop::sample::select(documented), any::<String>()]
    }

    proptest! {
        #[test]
        fn every_word_is_kept(word in word()) {
            let json = serde_json::Value::String(word.clone());
            let state: ConnectorState = serde_json::from_value(json.clone()).unwrap();
            prop_assert_eq!(&state, &ConnectorState::from(word.as_str()));
            prop_assert_eq!(state.to_string(), word.as_str());
            prop_assert_eq!(serde_json::to_value(&state).unwrap(), json.clone());
            let state: TaskState = serde_json::from_value(json.clone()).unwrap();
            prop_assert_eq!(&state, &TaskState::from(word.as_str()));
            prop_assert_eq!(state.to_string(), word.as_str());
            prop_assert_eq!(serde_json::to_value(&state).unwrap(), json);
        }
    }
}
