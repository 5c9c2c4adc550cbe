//! What `access audit` answers, for people and for machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{Found, Ruling, Verdict, fix::Fixed};
use crate::{
    access::audit::{Accepted, Hidden, rules::NOT_AUDITED},
    diag::{Finding, Severity},
    error::Error,
    model::{Address, DepartmentCode},
    render::{Block, Cell, Line, Style, Table, Viewable, words},
};

/// What was audited.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    /// The stage.
    pub(super) stage: String,
    /// Organization, environment, cluster, Schema Registry.
    #[serde(flatten)]
    pub(super) address: Address,
    /// Who looked: a list shows only what its caller may see.
    pub(super) seen_by: String,
    /// When.
    pub(super) taken_at: Timestamp,
    /// The service account that onboards.
    pub(super) provisioner: String,
    /// The departments that were asked for; all when there is none.
    pub(super) departments: BTreeSet<DepartmentCode>,
    /// Where the snapshot was saved.
    pub(super) saved: Option<PathBuf>,
    /// Where the accepted findings were written.
    pub(super) baseline: Option<PathBuf>,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
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
struct RuleRow {
    rule: &'static str,
    threat: &'static str,
    summary: &'static str,
    verdict: Verdict,
    findings: Vec<Found>,
    /// What it could not look at, each with the reason.
    unknown: BTreeSet<Hidden>,
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
pub(crate) struct Audited {
    #[serde(flatten)]
    setting: Setting,
    counts: Counts,
    rules: Vec<RuleRow>,
    /// What is worth knowing and as it should be.
    information: Vec<Found>,
    accepted: Vec<Accepted>,
    /// What is to be said about accepted findings.
    acceptances: Vec<Finding>,
    not_audited: Vec<NotAudited>,
    /// What `--fix` removed, or would.
    fix: Option<Fixed>,
}

impl Audited {
    pub(super) fn new(
        setting: Setting,
        rulings: Vec<Ruling>,
        accepted: Vec<Accepted>,
        acceptances: Vec<Finding>,
        fixed: Option<Fixed>,
    ) -> Self {
        let mut information = Vec::new();
        let mut rules = Vec::new();
        for ruling in rulings {
            let verdict = ruling.verdict();
            let (findings, more): (Vec<_>, Vec<_>) = ruling.findings.into_iter().partition(Found::counts);
            information.extend(more);
            rules.push(RuleRow {
                rule: ruling.rule.id,
                threat: ruling.rule.threat,
                summary: ruling.rule.summary,
                verdict,
                findings,
                unknown: ruling.unknown,
            });
        }
        let not_audited = NOT_AUDITED
            .iter()
            .map(|(threat, what, instead)| NotAudited { threat, what, instead });
        let mut audited = Self {
            setting,
            counts: Counts::default(),
            rules,
            information,
            accepted,
            acceptances,
            not_audited: not_audited.collect(),
            fix: fixed,
        };
        audited.counts = audited.count();
        audited
    }

    fn count(&self) -> Counts {
        let verdicts = |wanted| self.rules.iter().filter(|row| row.verdict == wanted).count();
        let all = self.findings();
        let of = |severity| all.iter().filter(|finding| finding.severity == severity).count();
        Counts {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            information: self.information.len(),
            accepted: self.accepted.len(),
            absent: verdicts(Verdict::Absent),
            unknown: verdicts(Verdict::Unknown),
        }
    }

    /// Why `--fix` did not remove everything that it wanted to.
    pub(super) fn unfixed(&self) -> Option<Error> {
        self.fix.as_ref().and_then(Fixed::error)
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Everything that somebody should act on, each with the id that it is accepted by.
    fn findings(&self) -> Vec<Finding> {
        let shown = |found: &Found| {
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
                Verdict::Present => "present",
                Verdict::Absent => "absent",
                Verdict::Unknown => "unknown",
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
    fn hidden(&self) -> Option<Block> {
        let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for row in &self.rules {
            for Hidden { what, reason } in &row.unknown {
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
        section("Not looked at", lines)
    }

    fn summary(&self) -> Vec<Line> {
        let counts = &self.counts;
        let found =
            [(counts.errors, "error"), (counts.warnings, "warning")].map(|(count, word)| words::count(count, word));
        let codes: Vec<&str> = self.setting.departments.iter().map(DepartmentCode::as_str).collect();
        let of = match codes.is_empty() {
            true => String::new(),
            false => format!(" for {}", words::list(&codes)),
        };
        let style = match (counts.errors, counts.warnings, counts.unknown) {
            (1.., ..) => Style::Error,
            (0, 1.., _) | (0, 0, 1..) => Style::Warning,
            (0, 0, 0) => Style::Ok,
        };
        let sentence = format!(
            "Audited stage {}{of} as {} sees it: {}; {} found nothing, {} could not look at everything.",
            self.setting.stage,
            self.setting.seen_by,
            words::list(&found),
            words::count(counts.absent, "rule"),
            words::count(counts.unknown, "rule"),
        );
        let mut lines = vec![Line::new().styled(style, sentence)];
        if let Some(file) = &self.setting.saved {
            lines.push(Line::from(format!("What was seen is in {}.", file.display())));
        }
        if let Some(file) = &self.setting.baseline {
            let text = format!(
                "The findings are in {}: write the reasons, then pass it as `--baseline`.",
                file.display()
            );
            lines.push(Line::from(text));
        }
        lines
    }
}

fn section(title: &str, lines: impl Iterator<Item = String>) -> Option<Block> {
    let lines: Vec<Line> = lines.map(|line| Line::from(format!("  {line}")).hang(4)).collect();
    (!lines.is_empty()).then(|| Block::titled(title, [Block::Lines(lines)]))
}

impl Viewable for Audited {
    fn view(&self) -> Vec<Block> {
        let mut blocks = self.fix.as_ref().map(Fixed::blocks).unwrap_or_default();
        blocks.push(self.table());
        let findings = self.findings();
        if !findings.is_empty() {
            blocks.push(Block::Findings(findings));
        }
        blocks.extend(self.hidden());
        let information = self
            .information
            .iter()
            .map(|found| format!("{}: {}", found.finding.rule, found.finding.message));
        blocks.extend(section("Worth knowing, and as it should be", information));
        let accepted = self.accepted.iter().map(|accepted| {
            let finding = &accepted.found.finding;
            format!(
                "{}: {} (until {}: {})",
                finding.rule, finding.message, accepted.until, accepted.reason
            )
        });
        blocks.extend(section("Accepted", accepted));
        blocks.push(Block::Lines(self.summary()));
        blocks
    }
}
