//! Finds what should not be there: one rule for each way in which departments come too near to each other, or somebody
//! else to them (dossier `rbac.md` §7).
//!
//! - [`blueprint`]: what the organization is compared with
//! - [`sight`]: what the look could show; what it could not is *unknown*, never absent
//! - [`rules`]: the rules, one file each
//! - [`finding`]: what they answer
//! - [`acceptance`]: what somebody has decided to live with
//!
//! Pure: a snapshot and the files decide, and nothing else. What a template declares with its reason is information and
//! no finding; the provisioner and whoever `ebs.toml` names are none either.

pub mod acceptance;
pub mod blueprint;
pub mod finding;
mod place;
pub mod rules;
pub mod sight;
mod subject;
mod whose;

use std::collections::BTreeSet;

use serde::Serialize;

pub use acceptance::{Acceptance, Accepted, accept};
pub use blueprint::{Blueprint, Expected, ExpectedPersona, KeyStanding};
pub use finding::{Evidence, Found};
pub use rules::{RULES, Rule};
pub use sight::{Hidden, Need};

use self::subject::Subject;
use crate::{diag::Severity, model::Snapshot};

/// What a rule says about an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// What it looks for is there.
    Present,
    /// It is not, and everything that would show it was seen.
    Absent,
    /// Nothing was found, but not everything could be looked at.
    Unknown,
}

/// What one rule has found.
#[derive(Debug)]
pub struct Ruling {
    /// The rule.
    pub rule: &'static Rule,
    /// What it has found, in an order of its own.
    pub findings: Vec<Found>,
    /// What it could not look at, each with the reason.
    pub unknown: BTreeSet<Hidden>,
}

impl Ruling {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().any(Found::counts) {
            Verdict::Present
        } else if self.unknown.is_empty() {
            Verdict::Absent
        } else {
            Verdict::Unknown
        }
    }
}

/// Compares what was seen with what is wanted; one ruling for each rule, in the order of [`RULES`].
#[must_use]
pub fn audit(blueprint: &Blueprint<'_>, seen: &Snapshot) -> Vec<Ruling> {
    let subject = Subject::new(blueprint, seen);
    let rule_by_rule = RULES.iter().map(|rule| {
        let mut report = Report {
            rule,
            findings: Vec::new(),
            unknown: rule.needs.iter().filter_map(|need| subject.hidden(*need)).collect(),
        };
        (rule.check)(&subject, &mut report);
        report.ruling()
    });
    rule_by_rule.collect()
}

/// Takes the findings of one rule.
pub struct Report {
    rule: &'static Rule,
    findings: Vec<Found>,
    unknown: BTreeSet<Hidden>,
}

impl Report {
    fn add(&mut self, severity: Severity, subject: &str, message: String) -> &mut Found {
        let index = self.findings.len();
        self.findings.push(Found::new(self.rule, severity, subject, message));
        &mut self.findings[index]
    }

    /// Somebody reaches or controls what is not theirs.
    fn error(&mut self, subject: &str, message: impl Into<String>) -> &mut Found {
        self.add(Severity::Error, subject, message.into())
    }

    /// Something that makes it easier, or is likely not meant.
    fn warning(&mut self, subject: &str, message: impl Into<String>) -> &mut Found {
        self.add(Severity::Warning, subject, message.into())
    }

    /// Something that is worth knowing, and as it should be.
    fn info(&mut self, subject: &str, message: impl Into<String>) -> &mut Found {
        self.add(Severity::Info, subject, message.into())
    }

    /// Something could not be looked at.
    fn unknown(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.unknown.insert(Hidden::new(what, reason));
    }

    fn ruling(mut self) -> Ruling {
        self.findings.sort_by(|a, b| {
            let order = |found: &Found| (std::cmp::Reverse(found.finding.severity), found.subject.clone());
            order(a).cmp(&order(b))
        });
        Ruling {
            rule: self.rule,
            findings: self.findings,
            unknown: self.unknown,
        }
    }
}

/// `1 account`, `2 accounts`.
fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
