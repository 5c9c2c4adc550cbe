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
pub struct CheckResult {
    /// What was looked at.
    pub name: &'static str,
    /// What it says.
    pub state: CheckState,
    /// What was seen.
    pub detail: String,
    /// What to do next, a whole sentence; always there after a problem.
    pub fix: Option<String>,
}

impl CheckResult {
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
        Self::new(name, CheckState::Problem, detail).with_fix(fix)
    }

    pub(super) fn unknown(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckState::Unknown, detail)
    }

    /// The same check with what to do next.
    pub(super) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// What a check is about; also the order in which a diagnosis is read, from what stands below to what stands on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckTopic {
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

impl CheckTopic {
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
pub struct TopicCheck {
    /// What it is about.
    pub topic: CheckTopic,
    /// The check.
    #[serde(flatten)]
    pub check: CheckResult,
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// How many checks are as they must be.
    pub ok: usize,
    /// How many are in the way.
    pub problems: usize,
    /// How many were not looked at, or not told.
    pub unknown: usize,
    /// What to do first: what the first problem asks for.
    pub next: Option<String>,
    /// All of them, topic by topic.
    pub checks: Vec<TopicCheck>,
}

impl DoctorReport {
    /// The diagnosis of `checks`, in the order of their topics.
    #[must_use]
    pub fn new(checks: impl IntoIterator<Item = (CheckTopic, CheckResult)>) -> Self {
        let examined = |(topic, check)| TopicCheck { topic, check };
        let mut checks: Vec<TopicCheck> = checks.into_iter().map(examined).collect();
        checks.sort_by_key(|examined| examined.topic);
        let count = |state| checks.iter().filter(|examined| examined.check.state == state).count();
        let problem = |examined: &&TopicCheck| examined.check.state == CheckState::Problem;
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
    fn a_report_counts_and_orders_its_checks_and_names_the_first_fix() {
        let diagnosis = DoctorReport::new([
            (CheckTopic::Rights, CheckResult::problem("roles", "none", "Ask EBS.")),
            (
                CheckTopic::Plugin,
                CheckResult::ok("help link", "none").with_fix("`ln` makes one."),
            ),
            (CheckTopic::Key, CheckResult::problem("key", "none", "Set it.")),
            (CheckTopic::Network, CheckResult::unknown("clock", "no answer")),
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
