//! What a connector's errors mean: a rule for each that is known, by the words of the service
//! (docs/reference/connect.md#error-messages).
//!
//! - [`rules`](fn@rules): the rules, the most specific first
//! - [`diagnose`]: from what a connector says to the rules that it meets
//! - [`quiet`]: a connector that runs and moves nothing
//!
//! To add a rule: write it into the file of its subject below `rules/`. `docs/causes.md` is made from them.

mod diagnose;
mod pattern;
mod no_records;
mod rules;

use std::fmt;

use serde::{Serialize, Serializer};

pub use diagnose::{
    ConnectorDiagnosis, ConnectorHealth, MatchedRule, TaskError, diagnose, diagnose_message, diagnose_text, health,
};
pub use no_records::explain_no_records;
pub use rules::{NO_RECORDS, PROVISIONING, UNKNOWN, find_rule, rules};

/// One thing that goes wrong with connectors.
#[derive(Debug)]
pub struct DiagnosisRule {
    /// Its id, kebab-case and stable: the anchor in `docs/causes.md`.
    pub id: &'static str,
    /// What is said when it is met, any of these: `*` stands for anything within a line, `^` in front for its beginning, and
    /// case does not matter. Without one, a rule is met by a state.
    pub patterns: &'static [&'static str],
    /// What it means, in one sentence.
    pub cause: &'static str,
    /// What helps, in one sentence.
    pub fix: &'static str,
    /// What comes after it, in order.
    pub next_steps: &'static [RemedyStep],
    /// Who can do something about it.
    pub owner: FaultOwner,
    /// How the service, or what it speaks to, words it.
    pub example: &'static str,
    /// How sure the words are.
    pub confidence: Confidence,
    /// Where they are known from.
    pub source: &'static str,
    /// It says that something failed, and hardly what: any other rule that is met says more, and log lines may.
    pub is_generic: bool,
}

/// A rule is its id.
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

/// Who can do something about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultOwner {
    /// Whoever owns the connector, and the system that it speaks to.
    Department,
    /// The platform team: grants, quotas, keys.
    Platform,
    /// Whoever sees to names, routes and firewalls.
    Network,
    /// The vendor.
    Confluent,
}

impl FaultOwner {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Platform => "platform",
            Self::Network => "network",
            Self::Confluent => "confluent",
        }
    }

    /// Who that is, in a sentence.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Department => "the department",
            Self::Platform => "platform team",
            Self::Network => "the network team",
            Self::Confluent => "Confluent",
        }
    }
}

impl fmt::Display for FaultOwner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// How sure the words of a rule are (docs/reference/connect.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Seen in source code, a specification or a recording.
    Verified,
    /// Documented, or told in an issue.
    Documented,
    /// Not seen yet: the words of the other system, or concluded.
    Inferred,
}

impl Confidence {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Documented => "documented",
            Self::Inferred => "inferred",
        }
    }
}

/// One step of what is to be done.
#[derive(Clone, Copy, Debug)]
pub struct RemedyStep {
    /// What it is, as a sentence.
    pub text: &'static str,
    /// What to type after `confluent ebs`; `{name}` is the connector, `{plugin}` its plugin.
    pub command: Option<&'static str>,
    /// Who may, in every template.
    pub persona: RequiredPersona,
}

impl RemedyStep {
    /// Whether it sends the connector's file.
    #[must_use]
    pub fn is_update(&self) -> bool {
        self.command
            .is_some_and(|command| command.starts_with("connector update "))
    }
}

/// Who may do a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequiredPersona {
    /// Whoever sees the connector.
    Viewer,
    /// Whoever looks after it: logs, pause, resume, restart.
    Operator,
    /// Whoever makes and changes it.
    Deployer,
}

impl RequiredPersona {
    /// The persona.
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
    }
}

const fn viewer_step(text: &'static str, command: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: Some(command),
        persona: RequiredPersona::Viewer,
    }
}

const fn operator_step(text: &'static str, command: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: Some(command),
        persona: RequiredPersona::Operator,
    }
}

const fn deployer_step(text: &'static str, command: &'static str) -> RemedyStep {
    RemedyStep {
        text,
        command: Some(command),
        persona: RequiredPersona::Deployer,
    }
}

/// After a change of the file.
const UPDATE: RemedyStep = deployer_step("Send the corrected file", "connector update {name} --config-file FILE");
/// After a change of something else.
const RESTART: RemedyStep = operator_step("Start it again", "connector restart {name}");
/// What its tasks wrote.
const LOGS: RemedyStep = operator_step(
    "Read what its tasks wrote",
    "connector logs {name} --since 2h --level ERROR",
);
/// Its configuration.
const DESCRIBE: RemedyStep = viewer_step("Look at its configuration", "connector describe {name}");
/// Something for the platform team.
const CONTACT_PLATFORM_TEAM: RemedyStep = text_step("Give EBS this screen.");

#[cfg(test)]
mod tests;
