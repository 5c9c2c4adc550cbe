//! What a connector's errors mean: a rule for each that is known, by the words of the service (dossier `connect.md` §10).
//!
//! - [`rules`](fn@rules): the rules, the most specific first
//! - [`diagnose`]: from what a connector says to the rules that it meets
//! - [`quiet`]: a connector that runs and moves nothing
//!
//! To add a rule: write it into the file of its subject below `rules/`. `docs/causes.md` is made from them.

mod diagnose;
mod pattern;
mod quiet;
mod rules;

use std::fmt;

use serde::{Serialize, Serializer};

pub use diagnose::{Diagnosis, Found, Health, TaskError, diagnose, health, in_text, of_message};
pub use quiet::quiet;
pub use rules::{NO_RECORDS, PROVISIONING, UNKNOWN, find, rules};

/// One thing that goes wrong with connectors.
#[derive(Debug)]
pub struct Rule {
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
    pub then: &'static [Step],
    /// Who can do something about it.
    pub owner: Owner,
    /// How the service, or what it speaks to, words it.
    pub example: &'static str,
    /// How sure the words are.
    pub mark: Mark,
    /// Where they are known from.
    pub source: &'static str,
    /// It says that something failed, and hardly what: any other rule that is met says more, and log lines may.
    pub is_vague: bool,
}

/// A rule is its id.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

/// Who can do something about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Whoever owns the connector, and the system that it speaks to.
    Department,
    /// The platform team: grants, quotas, keys.
    Ebs,
    /// Whoever sees to names, routes and firewalls.
    Network,
    /// The vendor.
    Confluent,
}

impl Owner {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Ebs => "ebs",
            Self::Network => "network",
            Self::Confluent => "confluent",
        }
    }

    /// Who that is, in a sentence.
    #[must_use]
    pub const fn who(self) -> &'static str {
        match self {
            Self::Department => "the department",
            Self::Ebs => "EBS",
            Self::Network => "the network team",
            Self::Confluent => "Confluent",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

/// How sure the words of a rule are (dossier `connect.md`, confidence marks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Seen in source code, a specification or a recording.
    Verified,
    /// Documented, or told in an issue.
    Documented,
    /// Not seen yet: the words of the other system, or concluded.
    Inferred,
}

impl Mark {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Documented => "documented",
            Self::Inferred => "inferred",
        }
    }
}

/// One step of what is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it is, as a sentence.
    pub text: &'static str,
    /// What to type after `confluent ebs`; `{name}` is the connector, `{plugin}` its plugin.
    pub command: Option<&'static str>,
    /// Who may, in every template.
    pub by: Hand,
}

impl Step {
    /// Whether it sends the connector's file.
    #[must_use]
    pub fn is_update(&self) -> bool {
        self.command
            .is_some_and(|command| command.starts_with("connector update "))
    }
}

/// Who may do a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hand {
    /// Whoever sees the connector.
    Viewer,
    /// Whoever looks after it: logs, pause, resume, restart.
    Operator,
    /// Whoever makes and changes it.
    Deployer,
}

impl Hand {
    /// The persona.
    #[must_use]
    pub const fn persona(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Deployer => "deployer",
        }
    }
}

const fn say(text: &'static str) -> Step {
    Step {
        text,
        command: None,
        by: Hand::Viewer,
    }
}

const fn look(text: &'static str, command: &'static str) -> Step {
    Step {
        text,
        command: Some(command),
        by: Hand::Viewer,
    }
}

const fn operate(text: &'static str, command: &'static str) -> Step {
    Step {
        text,
        command: Some(command),
        by: Hand::Operator,
    }
}

const fn deploy(text: &'static str, command: &'static str) -> Step {
    Step {
        text,
        command: Some(command),
        by: Hand::Deployer,
    }
}

/// After a change of the file.
const UPDATE: Step = deploy("Send the corrected file", "connector update {name} --config-file FILE");
/// After a change of something else.
const RESTART: Step = operate("Start it again", "connector restart {name}");
/// What its tasks wrote.
const LOGS: Step = operate(
    "Read what its tasks wrote",
    "connector logs {name} --since 2h --level ERROR",
);
/// Its configuration.
const DESCRIBE: Step = look("Look at its configuration", "connector describe {name}");
/// Something for the platform team.
const TELL_EBS: Step = say("Give EBS this screen.");

#[cfg(test)]
mod tests;
