//! Finds what should not be there: one rule for each way in which departments come too near to each other, or somebody
//! else to them (docs/reference/rbac.md#threats).
//!
//! - [`blueprint`]: what the organization is compared with
//! - [`sight`]: what the look could show; what it could not is *unknown*, never absent
//! - [`rules`]: the rules, one file each
//! - [`finding`]: what they answer
//! - [`acceptance`]: what somebody has decided to live with
//!
//! Pure: a snapshot and the files decide, and nothing else. What a template declares with its reason is information and
//! no finding; the provisioner and whoever `ebs.toml` names are none either.

pub mod baseline;
pub mod desired_state;
pub mod finding;
mod binding_location;
pub mod rules;
pub mod visibility;
mod context;
mod principal_class;

use std::collections::BTreeSet;

use serde::Serialize;

pub use baseline::{AcceptedFinding, BaselineEntry, apply_baseline};
pub use desired_state::{DesiredState, ExpectedDepartment, ExpectedPersona, KeyRecordStatus};
pub use finding::{AuditEvidence, AuditFinding};
pub use rules::{AuditRule, RULES};
pub use visibility::{MissingData, RequiredData};

use self::context::AuditContext;
use crate::{diag::Severity, model::Snapshot};

/// What a rule says about an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditVerdict {
    /// What it looks for is there.
    Present,
    /// It is not, and everything that would show it was seen.
    Absent,
    /// Nothing was found, but not everything could be looked at.
    Unknown,
}

/// What one rule has found.
#[derive(Debug)]
pub struct RuleResult {
    /// The rule.
    pub rule: &'static AuditRule,
    /// What it has found, in an order of its own.
    pub findings: Vec<AuditFinding>,
    /// What it could not look at, each with the reason.
    pub unknown: BTreeSet<MissingData>,
}

impl RuleResult {
    /// The verdict.
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

/// Compares what was seen with what is wanted; one ruling for each rule, in the order of [`RULES`].
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

/// Takes the findings of one rule.
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

    /// Somebody reaches or controls what is not theirs.
    fn error(&mut self, subject: &str, message: impl Into<String>) -> &mut AuditFinding {
        self.add(Severity::Error, subject, message.into())
    }

    /// Something that makes it easier, or is likely not meant.
    fn warning(&mut self, subject: &str, message: impl Into<String>) -> &mut AuditFinding {
        self.add(Severity::Warning, subject, message.into())
    }

    /// Something that is worth knowing, and as it should be.
    fn info(&mut self, subject: &str, message: impl Into<String>) -> &mut AuditFinding {
        self.add(Severity::Info, subject, message.into())
    }

    /// Something could not be looked at.
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

/// `1 account`, `2 accounts`.
fn count_noun(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
