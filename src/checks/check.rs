//! Result of one check, and the report of all checks.

use serde::Serialize;

/// State of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// Passed.
    Ok,
    /// Blocks the work.
    Problem,
    /// Not checked, or the service did not report it.
    Unknown,
}

/// Check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Subject of the check.
    pub name: &'static str,
    /// State.
    pub state: CheckState,
    /// Observation, for people.
    pub detail: String,
    /// Suggestion, a whole sentence; always present for a problem.
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

    /// Returns the same check with a suggestion.
    pub(super) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Topic of a check. The order is that of the report: each topic depends on the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckTopic {
    /// Installation of this program as a plugin.
    Plugin,
    /// Folders and files of this computer.
    Computer,
    /// Profile and API key.
    Key,
    /// Connection to the service.
    Network,
    /// Files of the platform and the selected stage.
    Platform,
    /// Allowed operations of the caller.
    Rights,
}

impl CheckTopic {
    /// Returns the heading of the topic.
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

/// Check with its topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopicCheck {
    /// Topic.
    pub topic: CheckTopic,
    /// Check.
    #[serde(flatten)]
    pub check: CheckResult,
}

/// Report of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// Number of passed checks.
    pub ok: usize,
    /// Number of problems.
    pub problems: usize,
    /// Number of unknown results.
    pub unknown: usize,
    /// Suggestion of the first problem.
    pub next: Option<String>,
    /// All checks, sorted by topic.
    pub checks: Vec<TopicCheck>,
}

/// Checks without which no command works: their problem is the first to fix.
const BLOCKING: [&str; 3] = ["key", "service reachable", "key accepted"];

impl DoctorReport {
    /// Builds the report of `checks`, sorted by topic.
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
                .filter(problem)
                .min_by_key(|examined| !BLOCKING.contains(&examined.check.name))
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
        let risk = CheckResult::problem("profile file", "readable by others", "Run `chmod 600`.");
        let stop = CheckResult::problem("key accepted", "revoked", "Ask for a new key.");
        let diagnosis = DoctorReport::new([(CheckTopic::Key, risk), (CheckTopic::Key, stop)]);
        assert_eq!(diagnosis.next.as_deref(), Some("Ask for a new key."));
        let diagnosis = DoctorReport::new([
            (
                CheckTopic::Rights,
                CheckResult::problem("roles", "none", "Ask the platform team."),
            ),
            (
                CheckTopic::Plugin,
                CheckResult::ok("help link", "none").with_fix("Create one with `ln`."),
            ),
            (CheckTopic::Key, CheckResult::problem("key", "none", "Set it.")),
            (CheckTopic::Network, CheckResult::unknown("clock", "no response")),
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
