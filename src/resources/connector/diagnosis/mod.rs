//! Diagnosis of connector failures: rules match the messages of the service (docs/reference/connect.md#error-messages).
//!
//! - [`rules`](fn@rules): all rules, most specific first
//! - [`diagnose`]: matches a status with the rules
//! - [`explain_no_records`]: reasons why a running connector moves no records
//!
//! To add a rule, add it to the file of its subject in `rules/`. `docs/causes.md` is generated from the rules.

mod codes;
mod diagnose;
mod family;
mod message;
mod no_records;
mod pattern;
mod rules;
mod speaker;

use std::fmt;

use serde::{Serialize, Serializer};

pub use diagnose::{
    ConnectorDiagnosis, ConnectorHealth, MatchedRule, TaskError, diagnose, diagnose_message, diagnose_text, health,
};
pub use family::ErrorFamily;
pub use no_records::explain_no_records;
pub use rules::{
    NO_RECORDS, PROVISIONING, PROVISIONING_STUCK, TOPIC_DENIED, TOPIC_FOREIGN_STEPS, UNKNOWN, find_rule, rules,
};
pub use speaker::Speaker;

use crate::model::PlatformTeam;

/// Rule that explains a failure of connectors.
#[derive(Debug)]
pub struct DiagnosisRule {
    /// Id, kebab-case and stable; the anchor in `docs/causes.md`.
    pub id: &'static str,
    /// Kind of error.
    pub family: ErrorFamily,
    /// Who has to have said it; empty for anybody.
    pub said_by: &'static [Speaker],
    /// Patterns, any of which matches: `*` matches anything within a line, a leading `^` the beginning of the line, and
    /// case is ignored. `http=`, `sqlstate=`, `mysql=` and `sqlserver=` stand for a code however it is written. A rule
    /// without patterns matches a state.
    pub patterns: &'static [&'static str],
    /// Explanation, one sentence.
    pub cause: &'static str,
    /// Fix, one sentence.
    pub fix: &'static str,
    /// Ordered steps after the fix.
    pub next_steps: &'static [RemedyStep],
    /// Owner of the fault.
    pub owner: FaultOwner,
    /// Example of a message that the rule matches.
    pub example: &'static str,
    /// Confidence in the patterns.
    pub confidence: Confidence,
    /// Source of the patterns.
    pub source: &'static str,
    /// Whether the rule only says that something failed; any other matching rule and log lines are more specific.
    pub is_generic: bool,
}

/// Rules are equal if their ids are equal.
impl PartialEq for DiagnosisRule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for DiagnosisRule {}

impl Serialize for DiagnosisRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

/// Owner of a fault: the party that can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultOwner {
    /// Owner of the connector and of the external system.
    Department,
    /// Platform team: grants, quotas, keys.
    Platform,
    /// Network team: DNS, routes and firewalls.
    Network,
    /// Confluent.
    Confluent,
    /// Nobody knows.
    Unknown,
}

impl FaultOwner {
    /// Returns the name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Platform => "platform",
            Self::Network => "network",
            Self::Confluent => "confluent",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the name for display.
    #[must_use]
    pub fn display_name(self, platform_team: &PlatformTeam) -> String {
        match self {
            Self::Department => "the department".to_owned(),
            Self::Platform => platform_team.label(),
            Self::Network => "the network team".to_owned(),
            Self::Confluent => "Confluent".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

impl fmt::Display for FaultOwner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// Confidence in the patterns of a rule (docs/reference/connect.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Seen in source code, a specification or a recording.
    Verified,
    /// Documented, or reported in an issue.
    Documented,
    /// Inferred, or the documented message of the external system.
    Inferred,
}

impl Confidence {
    /// Returns the name for display.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Documented => "documented",
            Self::Inferred => "inferred",
        }
    }
}

/// Step to fix a connector.
#[derive(Clone, Copy, Debug)]
pub struct RemedyStep {
    /// Instruction.
    pub text: &'static str,
    /// Arguments after `confluent ebs`; `{name}` is the connector, `{plugin}` its plugin.
    pub command: Option<&'static str>,
    /// Persona that every template allows to run the command.
    pub persona: RequiredPersona,
    /// Whether the step is an alternative or a condition instead of the next one in the sequence.
    pub is_alternative: bool,
}

impl RemedyStep {
    /// Returns whether the step updates the connector from a file.
    #[must_use]
    pub fn is_update(&self) -> bool {
        self.command
            .is_some_and(|command| command.starts_with("connector update "))
    }
}

/// Persona that a step requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequiredPersona {
    /// May read connectors.
    Viewer,
    /// May read logs, and pause, resume and restart connectors.
    Operator,
    /// May create, update and delete connectors.
    Deployer,
}

impl RequiredPersona {
    /// Returns the name of the persona.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Deployer => "deployer",
        }
    }
}

const fn text_step(text: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: None,
        persona: RequiredPersona::Viewer,
        is_alternative: false,
    }
}

/// Step that is not the next one in the sequence, but an alternative to the others or depends on a condition.
const fn alternative(text: &'static str) -> RemedyStep {
    RemedyStep {
        is_alternative: true,
        ..text_step(text)
    }
}

const fn viewer_step(text: &'static str, command: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: Some(command),
        persona: RequiredPersona::Viewer,
        is_alternative: false,
    }
}

const fn operator_step(text: &'static str, command: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: Some(command),
        persona: RequiredPersona::Operator,
        is_alternative: false,
    }
}

const fn deployer_step(text: &'static str, command: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: Some(command),
        persona: RequiredPersona::Deployer,
        is_alternative: false,
    }
}

/// Step after a change of the file.
const UPDATE: RemedyStep = deployer_step("Apply the corrected file", "connector update {name} --config-file FILE");
/// Step after a change outside of the file.
const RESTART: RemedyStep = operator_step("Restart the connector", "connector restart {name}");
/// Restart instead of an update, for rules whose fix may lie in the file or outside of it.
const RESTART_UNCHANGED: RemedyStep = RemedyStep {
    is_alternative: true,
    ..operator_step(
        "If the file is right as it is, restart the connector",
        "connector restart {name}",
    )
};
/// Step that shows the errors of the tasks.
const LOGS: RemedyStep = operator_step(
    "Read the errors of its tasks",
    "connector logs {name} --since 2h --level ERROR",
);
/// Step that shows the configuration.
const DESCRIBE: RemedyStep = viewer_step("Show its configuration", "connector describe {name}");
/// Step that involves the platform team.
const CONTACT_PLATFORM_TEAM: RemedyStep = text_step("Send this output to the platform team.");

#[cfg(test)]
mod tests;
