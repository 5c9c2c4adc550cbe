//! Outcome of an audit.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::AuditRemoval;
use crate::{
    access::audit::{AcceptedFinding, AuditFinding, AuditVerdict, MissingData, RuleResult, rules::NOT_AUDITED},
    diag::{Finding, Severity},
    error::Error,
    manifest::Workspace,
    model::{DepartmentCode, StageAddress},
    text,
};

/// Header of an audit report.
#[derive(Debug, Serialize)]
pub struct AuditHeader {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Organization, environment, cluster and Schema Registry.
    #[serde(flatten)]
    pub address: StageAddress,
    /// Principal that observed the organization; lists contain only the entries visible to it.
    pub observed_by: String,
    /// Time of the observation.
    pub taken_at: Timestamp,
    /// Service account of the provisioner.
    pub provisioner: String,
    /// Selected departments; empty for all.
    pub departments: BTreeSet<DepartmentCode>,
    /// File of the saved snapshot.
    pub snapshot_file: Option<PathBuf>,
    /// File of the drafted baseline.
    pub baseline: Option<PathBuf>,
}

/// Numbers of findings and of rules.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct AuditCounts {
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning, including findings about the baseline.
    pub warnings: usize,
    /// Findings that need no action.
    pub information: usize,
    /// Findings that the baseline accepts.
    pub accepted: usize,
    /// Rules without findings whose data was complete.
    pub absent: usize,
    /// Rules without findings whose data was incomplete.
    pub unknown: usize,
}

/// Result of one rule.
#[derive(Debug, Serialize)]
pub struct AuditRuleRow {
    /// Id of the rule, such as `key-unrecorded`.
    pub rule: &'static str,
    /// Threat that the rule covers.
    pub threat: &'static str,
    /// What the rule finds.
    pub summary: &'static str,
    /// Whether the rule has findings, has none, or is unknown because data is missing.
    pub verdict: AuditVerdict,
    /// Findings that need action.
    pub findings: Vec<AuditFinding>,
    /// Data that the rule needs and that could not be read; empty if all data was read.
    pub unknown: BTreeSet<MissingData>,
}

/// Threat that the audit does not cover.
#[derive(Debug, Serialize)]
pub struct UnauditedThreat {
    threat: &'static str,
    what: &'static str,
    instead: &'static str,
}

/// Result of an audit.
#[derive(Debug, Serialize)]
pub struct AuditOutcome {
    /// Audited stage and selected departments.
    #[serde(flatten)]
    pub header: AuditHeader,
    /// Numbers of findings and of rules.
    pub counts: AuditCounts,
    /// Results by rule.
    pub rules: Vec<AuditRuleRow>,
    /// Findings that need no action.
    pub information: Vec<AuditFinding>,
    /// Findings that the baseline accepts.
    pub accepted: Vec<AcceptedFinding>,
    /// Findings about the baseline.
    pub acceptances: Vec<Finding>,
    /// Threats that the audit does not cover.
    pub not_audited: Vec<UnauditedThreat>,
    /// Removal of findings before the audit.
    pub fix: Option<AuditRemoval>,
    /// Whether an unknown verdict is an error.
    #[serde(skip)]
    pub strict: bool,
    /// Maximum age of an API key in days.
    #[serde(skip)]
    pub max_key_age_days: u16,
}

fn with_subject(found: &AuditFinding) -> Finding {
    let mut finding = found.finding.clone();
    if !finding.message.contains(&found.subject) {
        finding.message = format!("{} [{}]", finding.message, found.subject);
    }
    finding
}

impl AuditOutcome {
    pub(super) fn new(
        header: AuditHeader,
        results: Vec<RuleResult>,
        accepted: Vec<AcceptedFinding>,
        acceptances: Vec<Finding>,
    ) -> Self {
        let mut information = Vec::new();
        let mut rules = Vec::new();
        for result in results {
            let verdict = result.verdict();
            let (findings, others): (Vec<_>, Vec<_>) = result.findings.into_iter().partition(AuditFinding::is_problem);
            information.extend(others);
            rules.push(AuditRuleRow {
                rule: result.rule.id,
                threat: result.rule.threat,
                summary: result.rule.summary,
                verdict,
                findings,
                unknown: result.unknown,
            });
        }
        let not_audited = NOT_AUDITED
            .iter()
            .map(|(threat, what, instead)| UnauditedThreat { threat, what, instead });
        let mut outcome = Self {
            header,
            counts: AuditCounts::default(),
            rules,
            information,
            accepted,
            acceptances,
            not_audited: not_audited.collect(),
            fix: None,
            strict: false,
            max_key_age_days: 0,
        };
        outcome.counts = outcome.count();
        outcome
    }

    fn count(&self) -> AuditCounts {
        let verdicts = |desired| self.rules.iter().filter(|row| row.verdict == desired).count();
        let all = self.findings();
        let count = |severity| all.iter().filter(|finding| finding.severity == severity).count();
        AuditCounts {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            information: self.information.len(),
            accepted: self.accepted.len(),
            absent: verdicts(AuditVerdict::Absent),
            unknown: verdicts(AuditVerdict::Unknown),
        }
    }

    /// Returns the findings that need action. Each message contains the subject, by which a baseline accepts the
    /// finding.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let found = self.rules.iter().flat_map(|row| &row.findings).map(with_subject);
        found.chain(self.acceptances.iter().cloned()).collect()
    }

    /// Returns the findings that need action with the files of `workspace` that they belong to, for code scanners, which
    /// show no finding without a file.
    #[must_use]
    pub fn located_findings(&self, workspace: &Workspace) -> Vec<Finding> {
        let located = self.rules.iter().flat_map(|row| &row.findings).map(|found| {
            // A finding about several departments belongs to none of their files.
            let only = found.departments.first().filter(|_| found.departments.len() == 1);
            workspace.locate(with_subject(found), only)
        });
        let acceptances = self.acceptances.iter().cloned();
        located
            .chain(acceptances.map(|finding| workspace.locate(finding, None)))
            .collect()
    }

    /// Returns the error of an incomplete removal, else the error about findings and unknown verdicts.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let incomplete = self.fix.as_ref().and_then(AuditRemoval::error);
        incomplete.or_else(|| self.verdict_error())
    }

    fn verdict_error(&self) -> Option<Error> {
        let counts = &self.counts;
        let found = [(counts.errors, "error"), (counts.warnings, "warning")];
        let mut parts: Vec<String> = found
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| text::count_noun(count, word))
            .collect();
        if self.strict && counts.unknown > 0 {
            parts.push(format!(
                "{} with an unknown verdict",
                text::count_noun(counts.unknown, "rule")
            ));
        }
        if parts.is_empty() {
            return None;
        }
        let error = Error::refused(format!("the audit found {}", text::join_list(&parts)));
        Some(
            match (counts.errors + counts.warnings, self.header.baseline.is_some()) {
                (0, _) => error.with_hint(
                    "Audit with an administrator's API key, which sees more. docs/audit.md lists the data of each rule.",
                ),
                (_, true) => error,
                (_, false) => error.with_hint("Accept intended findings with `--write-baseline` and `--baseline`."),
            },
        )
    }
}
