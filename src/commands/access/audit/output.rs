//! What `access audit` answers, for people and for machines.

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

/// What was audited.
#[derive(Debug, Serialize)]
pub(crate) struct AuditHeader {
    /// The stage.
    pub(super) stage: String,
    /// Organization, environment, cluster, Schema Registry.
    #[serde(flatten)]
    pub(super) address: StageAddress,
    /// Who looked: a list shows only what its caller may see.
    pub(super) observed_by: String,
    /// When.
    pub(super) taken_at: Timestamp,
    /// The service account that onboards.
    pub(super) provisioner: String,
    /// The departments that were asked for; all when there is none.
    pub(super) departments: BTreeSet<DepartmentCode>,
    /// Where the snapshot was saved.
    pub(super) snapshot_file: Option<PathBuf>,
    /// Where the accepted findings were written.
    pub(super) baseline: Option<PathBuf>,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct AuditCounts {
    /// Findings of severity error.
    pub(super) errors: usize,
    /// Findings of severity warning, those about accepted ones among them.
    pub(super) warnings: usize,
    /// What is worth knowing and as it should be.
    information: usize,
    /// Findings that somebody accepted.
    accepted: usize,
    /// Rules that found nothing, and saw everything that they need.
    absent: usize,
    /// Rules that found nothing, and could not look at everything.
    pub(super) unknown: usize,
}

/// One rule.
#[derive(Debug, Serialize)]
struct AuditRuleRow {
    rule: &'static str,
    threat: &'static str,
    summary: &'static str,
    verdict: AuditVerdict,
    findings: Vec<AuditFinding>,
    /// What it could not look at, each with the reason.
    unknown: BTreeSet<MissingData>,
}

/// What the audit does not look at.
#[derive(Debug, Serialize)]
struct NotAudited {
    threat: &'static str,
    what: &'static str,
    instead: &'static str,
}

/// What `access audit` answers.
#[derive(Debug, Serialize)]
pub(crate) struct AccessAuditOutput {
    #[serde(flatten)]
    header: AuditHeader,
    counts: AuditCounts,
    rules: Vec<AuditRuleRow>,
    /// What is worth knowing and as it should be.
    information: Vec<AuditFinding>,
    accepted: Vec<AcceptedFinding>,
    /// What is to be said about accepted findings.
    acceptances: Vec<Finding>,
    not_audited: Vec<NotAudited>,
    /// What `--fix` removed, or would.
    fix: Option<AuditFixOutput>,
}

impl AccessAuditOutput {
    pub(super) fn new(
        setting: AuditHeader,
        results: Vec<RuleResult>,
        accepted: Vec<AcceptedFinding>,
        acceptances: Vec<Finding>,
        fix: Option<AuditFixOutput>,
    ) -> Self {
        let mut information = Vec::new();
        let mut rules = Vec::new();
        for result in results {
            let verdict = result.verdict();
            let (findings, more): (Vec<_>, Vec<_>) = result.findings.into_iter().partition(AuditFinding::is_problem);
            information.extend(more);
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
        let mut audited = Self {
            header: setting,
            counts: AuditCounts::default(),
            rules,
            information,
            accepted,
            acceptances,
            not_audited: not_audited.collect(),
            fix,
        };
        audited.counts = audited.count();
        audited
    }

    fn count(&self) -> AuditCounts {
        let verdicts = |desired| self.rules.iter().filter(|row| row.verdict == desired).count();
        let all = self.findings();
        let of = |severity| all.iter().filter(|finding| finding.severity == severity).count();
        AuditCounts {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            information: self.information.len(),
            accepted: self.accepted.len(),
            absent: verdicts(AuditVerdict::Absent),
            unknown: verdicts(AuditVerdict::Unknown),
        }
    }

    /// Why `--fix` did not remove everything that it wanted to.
    pub(super) fn fix_error(&self) -> Option<Error> {
        self.fix.as_ref().and_then(AuditFixOutput::error)
    }

    pub(super) fn counts(&self) -> AuditCounts {
        self.counts
    }

    /// Everything that somebody should act on, each with the id that it is accepted by.
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

    /// What could not be looked at, why, and which rules needed it.
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
        let lines = reasons.into_iter().flat_map(|(reason, hidden)| {
            let rows = hidden.into_iter();
            let rows = rows.map(|(what, rules)| format!("  {what} ({})", rules.join(", ")));
            std::iter::once(format!("{reason}:")).chain(rows).collect::<Vec<_>>()
        });
        titled_block("Not looked at", lines)
    }

    fn summary(&self) -> Vec<TextLine> {
        let counts = &self.counts;
        let found =
            [(counts.errors, "error"), (counts.warnings, "warning")].map(|(count, word)| text::count_noun(count, word));
        let codes: Vec<&str> = self.header.departments.iter().map(DepartmentCode::as_str).collect();
        let of = match codes.is_empty() {
            true => String::new(),
            false => format!(" for {}", text::join_list(&codes)),
        };
        let style = match (counts.errors, counts.warnings, counts.unknown) {
            (1.., ..) => Style::Error,
            (0, 1.., _) | (0, 0, 1..) => Style::Warning,
            (0, 0, 0) => Style::Ok,
        };
        let sentence = format!(
            "Audited stage {}{of} as {} sees it: {}; {} found nothing, {} could not look at everything.",
            self.header.stage,
            self.header.observed_by,
            text::join_list(&found),
            text::count_noun(counts.absent, "rule"),
            text::count_noun(counts.unknown, "rule"),
        );
        let mut lines = vec![TextLine::new().with_styled_text(style, sentence)];
        if let Some(file) = &self.header.snapshot_file {
            lines.push(TextLine::from(format!("What was seen is in {}.", file.display())));
        }
        if let Some(file) = &self.header.baseline {
            let text = format!(
                "The findings are in {}: write the reasons, then pass it as `--baseline`.",
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
        blocks.extend(titled_block("Worth knowing, and as it should be", information));
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
