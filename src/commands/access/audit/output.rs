//! Output of `access audit`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{AuditFinding, AuditVerdict, RuleResult, fix::AuditFixOutput};
use crate::{
    access::audit::{AcceptedFinding, MissingData, rules::NOT_AUDITED},
    diag::{Finding, Severity},
    error::Error,
    model::{DepartmentCode, StageAddress},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

/// Header of an audit report.
#[derive(Debug, Serialize)]
pub(crate) struct AuditHeader {
    /// Stage.
    pub(super) stage: String,
    /// Organization, environment, cluster and Schema Registry.
    #[serde(flatten)]
    pub(super) address: StageAddress,
    /// Principal that observed the organization; lists contain only the entries visible to it.
    pub(super) observed_by: String,
    /// Time of the observation.
    pub(super) taken_at: Timestamp,
    /// Service account of the provisioner.
    pub(super) provisioner: String,
    /// Selected departments; empty for all.
    pub(super) departments: BTreeSet<DepartmentCode>,
    /// File of the saved snapshot.
    pub(super) snapshot_file: Option<PathBuf>,
    /// File of the written baseline.
    pub(super) baseline: Option<PathBuf>,
}

/// Numbers of findings and of rules.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct AuditCounts {
    /// Findings of severity error.
    pub(super) errors: usize,
    /// Findings of severity warning, including findings about the baseline.
    pub(super) warnings: usize,
    /// Findings that need no action.
    information: usize,
    /// Findings that the baseline accepts.
    accepted: usize,
    /// Rules without findings whose data was complete.
    absent: usize,
    /// Rules without findings whose data was incomplete.
    pub(super) unknown: usize,
}

/// Result of one rule.
#[derive(Debug, Serialize)]
struct AuditRuleRow {
    rule: &'static str,
    threat: &'static str,
    summary: &'static str,
    verdict: AuditVerdict,
    findings: Vec<AuditFinding>,
    /// Missing data.
    unknown: BTreeSet<MissingData>,
}

/// Threat that the audit does not cover.
#[derive(Debug, Serialize)]
struct NotAudited {
    threat: &'static str,
    what: &'static str,
    instead: &'static str,
}

/// Output of `access audit`.
#[derive(Debug, Serialize)]
pub(crate) struct AccessAuditOutput {
    #[serde(flatten)]
    header: AuditHeader,
    counts: AuditCounts,
    rules: Vec<AuditRuleRow>,
    /// Findings that need no action.
    information: Vec<AuditFinding>,
    accepted: Vec<AcceptedFinding>,
    /// Findings about the baseline.
    acceptances: Vec<Finding>,
    not_audited: Vec<NotAudited>,
    /// Removals of `--fix`.
    fix: Option<AuditFixOutput>,
}

impl AccessAuditOutput {
    pub(super) fn new(
        header: AuditHeader,
        results: Vec<RuleResult>,
        accepted: Vec<AcceptedFinding>,
        acceptances: Vec<Finding>,
        fix: Option<AuditFixOutput>,
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
            .map(|(threat, what, instead)| NotAudited { threat, what, instead });
        let mut output = Self {
            header,
            counts: AuditCounts::default(),
            rules,
            information,
            accepted,
            acceptances,
            not_audited: not_audited.collect(),
            fix,
        };
        output.counts = output.count();
        output
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

    /// Returns the error of an incomplete `--fix`.
    pub(super) fn fix_error(&self) -> Option<Error> {
        self.fix.as_ref().and_then(AuditFixOutput::error)
    }

    pub(super) fn counts(&self) -> AuditCounts {
        self.counts
    }

    /// Returns the findings that need action. Each message contains the subject, by which a baseline accepts the
    /// finding.
    fn findings(&self) -> Vec<Finding> {
        let shown = |found: &AuditFinding| {
            let mut finding = found.finding.clone();
            if !finding.message.contains(&found.subject) {
                finding.message = format!("{} [{}]", finding.message, found.subject);
            }
            finding
        };
        let found = self.rules.iter().flat_map(|row| &row.findings).map(shown);
        found.chain(self.acceptances.iter().cloned()).collect()
    }

    fn table(&self) -> Block {
        let mut table = Table::new(["Rule", "Threat", "Verdict", "Findings"]);
        for row in &self.rules {
            let verdict = match row.verdict {
                AuditVerdict::Present => "present",
                AuditVerdict::Absent => "absent",
                AuditVerdict::Unknown => "unknown",
            };
            table.push([
                row.rule.into(),
                row.threat.into(),
                verdict.into(),
                Cell::from(row.findings.len()),
            ]);
        }
        Block::Table(table)
    }

    /// Returns the missing data, grouped by reason, with the rules that need it.
    fn missing_data(&self) -> Option<Block> {
        let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for row in &self.rules {
            for MissingData { what, reason } in &row.unknown {
                reasons
                    .entry(reason)
                    .or_default()
                    .entry(what)
                    .or_default()
                    .push(row.rule);
            }
        }
        let lines = reasons.into_iter().flat_map(|(reason, missing)| {
            let rows = missing.into_iter();
            let rows = rows.map(|(what, rules)| format!("  {what} ({})", rules.join(", ")));
            std::iter::once(format!("{reason}:")).chain(rows).collect::<Vec<_>>()
        });
        titled_block("Missing data", lines)
    }

    fn summary(&self) -> Vec<TextLine> {
        let counts = &self.counts;
        let found =
            [(counts.errors, "error"), (counts.warnings, "warning")].map(|(count, word)| text::count_noun(count, word));
        let codes: Vec<&str> = self.header.departments.iter().map(DepartmentCode::as_str).collect();
        let selection = if codes.is_empty() {
            String::new()
        } else {
            format!(" for {}", text::join_code(&codes))
        };
        let style = match (counts.errors, counts.warnings, counts.unknown) {
            (1.., ..) => Style::Error,
            (0, 1.., _) | (0, 0, 1..) => Style::Warning,
            (0, 0, 0) => Style::Ok,
        };
        let sentence = format!(
            "Audited stage `{}`{selection} with the data visible to `{}`: {}; {} without findings, {} with missing \
             data.",
            self.header.stage,
            self.header.observed_by,
            text::join_list(&found),
            text::count_noun(counts.absent, "rule"),
            text::count_noun(counts.unknown, "rule"),
        );
        let mut lines = vec![TextLine::new().with_styled_text(style, sentence)];
        if let Some(file) = &self.header.snapshot_file {
            lines.push(TextLine::from(format!("Saved the snapshot to `{}`.", file.display())));
        }
        if let Some(file) = &self.header.baseline {
            let text = format!(
                "Wrote the baseline to `{}`. Fill in the reasons, then pass it with `--baseline`.",
                file.display()
            );
            lines.push(TextLine::from(text));
        }
        lines
    }
}

fn titled_block(title: &str, lines: impl Iterator<Item = String>) -> Option<Block> {
    let lines: Vec<TextLine> = lines
        .map(|line| TextLine::from(format!("  {line}")).with_hanging_indent(4))
        .collect();
    (!lines.is_empty()).then(|| Block::titled(title, [Block::Lines(lines)]))
}

impl Viewable for AccessAuditOutput {
    fn view(&self) -> Vec<Block> {
        let mut blocks = self.fix.as_ref().map(AuditFixOutput::plan_blocks).unwrap_or_default();
        blocks.push(self.table());
        let findings = self.findings();
        if !findings.is_empty() {
            blocks.push(Block::Findings(findings));
        }
        blocks.extend(self.missing_data());
        let information = self
            .information
            .iter()
            .map(|found| format!("{}: {}", found.finding.rule, found.finding.message));
        blocks.extend(titled_block("Information", information));
        let accepted = self.accepted.iter().map(|accepted| {
            let finding = &accepted.finding.finding;
            format!(
                "{}: {} (until {}: {})",
                finding.rule, finding.message, accepted.until, accepted.reason
            )
        });
        blocks.extend(titled_block("Accepted", accepted));
        blocks.push(Block::Lines(self.summary()));
        blocks
    }
}
