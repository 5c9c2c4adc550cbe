//! One check: what was looked at, what it says, and what to do next; and many of them as a diagnosis.

use serde::Serialize;

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it must be.
    Ok,
    /// In the way.
    Problem,
    /// Not looked at, or not told: neither good nor bad.
    Unknown,
}

/// One check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What it says.
    pub state: CheckState,
    /// What was seen.
    pub detail: String,
    /// What to do next, a whole sentence; always there after a problem.
    pub fix: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: CheckState, detail: impl Into<String>) -> Self {
        Self {
            name,
            state,
            detail: detail.into(),
            fix: None,
        }
    }

    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckState::Ok, detail)
    }

    pub(super) fn problem(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name, CheckState::Problem, detail).then(fix)
    }

    pub(super) fn unknown(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckState::Unknown, detail)
    }

    /// The same check with what to do next.
    pub(super) fn then(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// What a check is about; also the order in which a diagnosis is read, from what stands below to what stands on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// How this program is installed as a plugin.
    Plugin,
    /// Folders and files of this computer.
    Computer,
    /// The profile, and the key that is acted with.
    Key,
    /// The way to the service.
    Network,
    /// The platform's files, and the stage that they or the profile name.
    Platform,
    /// What the caller may do.
    Rights,
}

impl Topic {
    /// The title above its checks.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Plugin => "Plugin",
            Self::Computer => "This Computer",
            Self::Key => "Profile and Key",
            Self::Network => "Network",
            Self::Platform => "Platform",
            Self::Rights => "Rights",
        }
    }
}

/// A check and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// What it is about.
    pub topic: Topic,
    /// The check.
    #[serde(flatten)]
    pub check: Check,
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// How many checks are as they must be.
    pub ok: usize,
    /// How many are in the way.
    pub problems: usize,
    /// How many were not looked at, or not told.
    pub unknown: usize,
    /// What to do first: what the first problem asks for.
    pub next: Option<String>,
    /// All of them, topic by topic.
    pub checks: Vec<Examined>,
}

impl Diagnosis {
    /// The diagnosis of `checks`, in the order of their topics.
    #[must_use]
    pub fn new(checks: impl IntoIterator<Item = (Topic, Check)>) -> Self {
        let examined = |(topic, check)| Examined { topic, check };
        let mut checks: Vec<Examined> = checks.into_iter().map(examined).collect();
        checks.sort_by_key(|examined| examined.topic);
        let count = |state| checks.iter().filter(|examined| examined.check.state == state).count();
        let problem = |examined: &&Examined| examined.check.state == CheckState::Problem;
        Self {
            ok: count(CheckState::Ok),
            problems: count(CheckState::Problem),
            unknown: count(CheckState::Unknown),
            next: checks
                .iter()
                .find(problem)
                .and_then(|examined| examined.check.fix.clone()),
            checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnosis_counts_orders_and_names_the_first_thing_to_do() {
        let diagnosis = Diagnosis::new([
            (Topic::Rights, Check::problem("roles", "none", "Ask EBS.")),
            (Topic::Plugin, Check::ok("help link", "none").then("`ln` makes one.")),
            (Topic::Key, Check::problem("key", "none", "Set it.")),
            (Topic::Network, Check::unknown("clock", "no answer")),
        ]);
        assert_eq!((diagnosis.ok, diagnosis.problems, diagnosis.unknown), (1, 2, 1));
        assert_eq!(diagnosis.next.as_deref(), Some("Set it."));
        let names: Vec<_> = diagnosis.checks.iter().map(|examined| examined.check.name).collect();
        assert_eq!(names, ["help link", "key", "clock", "roles"]);
        let json = serde_json::to_value(&diagnosis.checks[1]).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "topic": "key", "name": "key", "state": "problem", "detail": "none", "fix": "Set it."
            })
        );
    }
}
