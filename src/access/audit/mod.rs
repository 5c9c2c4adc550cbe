//! Access audit: finds unwanted access, with one rule for each threat (docs/reference/rbac.md#threats).
//!
//! - [`desired_state`]: the state that the organization is compared with
//! - [`visibility`]: completeness of the snapshot; missing data is *unknown*, never absent
//! - [`rules`]: the rules, one file each
//! - [`finding`]: findings of the rules
//! - [`baseline`]: accepted findings
//!
//! Pure: the result depends only on the snapshot and the files. A grant that a template declares with a reason is an
//! info finding. The roles of the provisioner and of the principals that `ebs.toml` names cause no findings; their keys
//! and connectors do.

pub mod baseline;
pub mod desired_state;
pub mod finding;
mod binding_location;
mod lookalike;
mod privileged;
pub mod rules;
pub mod visibility;
mod context;
mod principal_class;

use std::collections::BTreeSet;

use serde::Serialize;

pub use baseline::{AcceptedFinding, BaselineEntry, apply_baseline};
pub use desired_state::{
    DesiredState, ExpectedDepartment, ExpectedPersona, KeyRecordStatus, RejectedKeyRecord, TransformOutside,
};
pub use finding::{AuditEvidence, AuditFinding};
pub use rules::{AuditRule, RULES};
pub use visibility::{MissingData, RequiredData};

use self::context::AuditContext;
use crate::{diag::Severity, model::Snapshot};

/// Verdict of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditVerdict {
    /// The rule found a problem.
    Present,
    /// The rule found no problem, and its data was complete.
    Absent,
    /// The rule found no problem, but its data was incomplete.
    Unknown,
}

/// Result of one rule.
#[derive(Debug)]
pub struct RuleResult {
    /// Rule that was evaluated.
    pub rule: &'static AuditRule,
    /// Findings, sorted by severity and subject.
    pub findings: Vec<AuditFinding>,
    /// Incomplete data, with the reasons.
    pub unknown: BTreeSet<MissingData>,
}

impl RuleResult {
    /// Returns the verdict.
    #[must_use]
    pub fn verdict(&self) -> AuditVerdict {
        if self.findings.iter().any(AuditFinding::is_problem) {
            AuditVerdict::Present
        } else if self.unknown.is_empty() {
            AuditVerdict::Absent
        } else {
            AuditVerdict::Unknown
        }
    }
}

/// Compares a snapshot with the desired state. Returns one result per rule, in the order of [`RULES`].
#[must_use]
pub fn audit(blueprint: &DesiredState<'_>, snapshot: &Snapshot) -> Vec<RuleResult> {
    let context = AuditContext::new(blueprint, snapshot);
    let rule_by_rule = RULES.iter().map(|rule| {
        let mut report = RuleReport {
            rule,
            findings: Vec::new(),
            unknown: rule.needs.iter().filter_map(|need| context.missing(*need)).collect(),
        };
        (rule.check)(&context, &mut report);
        report.into_result()
    });
    rule_by_rule.collect()
}

/// Collects the findings of one rule.
pub struct RuleReport {
    rule: &'static AuditRule,
    findings: Vec<AuditFinding>,
    unknown: BTreeSet<MissingData>,
}

impl RuleReport {
    fn add(&mut self, severity: Severity, subject: &str, message: String) -> &mut AuditFinding {
        let index = self.findings.len();
        self.findings
            .push(AuditFinding::new(self.rule, severity, subject, message));
        &mut self.findings[index]
    }

    /// Adds an error: a principal has or controls access to foreign resources.
    fn error(&mut self, subject: &str, message: impl Into<String>) -> &mut AuditFinding {
        self.add(Severity::Error, subject, message.into())
    }

    /// Adds a warning: a likely mistake, or a condition that makes unwanted access easier.
    fn warning(&mut self, subject: &str, message: impl Into<String>) -> &mut AuditFinding {
        self.add(Severity::Warning, subject, message.into())
    }

    /// Adds an info finding: expected and worth knowing.
    fn info(&mut self, subject: &str, message: impl Into<String>) -> &mut AuditFinding {
        self.add(Severity::Info, subject, message.into())
    }

    /// Adds incomplete data.
    fn unknown(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.unknown.insert(MissingData::new(what, reason));
    }

    fn into_result(mut self) -> RuleResult {
        self.findings.sort_by(|a, b| {
            let order = |found: &AuditFinding| (std::cmp::Reverse(found.finding.severity), found.subject.clone());
            order(a).cmp(&order(b))
        });
        RuleResult {
            rule: self.rule,
            findings: self.findings,
            unknown: self.unknown,
        }
    }
}

/// Formats a count: `1 account`, `2 accounts`.
fn count_noun(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
pub(in crate::access) mod fixture;
#[cfg(test)]
mod tests;
