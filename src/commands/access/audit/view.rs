//! View of `access audit`.

use std::collections::BTreeMap;

use super::AccessAuditOutput;
use crate::{
    access::audit::{AuditVerdict, MissingData},
    commands::{
        global_args::OutputFormat,
        provisioning::plan_view::{change_blocks, titled_lines},
    },
    diag::{Finding, Severity},
    model::DepartmentCode,
    provisioning::audit::{AuditOutcome, AuditRemoval},
    render::{Block, Cell, Style, Table, TextLine, Viewable, sarif_text},
    text,
};

/// Returns a removal as blocks.
pub(super) fn removal_blocks(removal: &AuditRemoval) -> Vec<Block> {
    let mut blocks = change_blocks(&removal.changes);
    blocks.extend(titled_lines("Unchanged", &removal.notices));
    blocks
}

/// Number of findings of one rule from which they are summarized.
const MANY: usize = 10;

impl Viewable for AccessAuditOutput {
    fn view(&self) -> Vec<Block> {
        match self.output {
            OutputFormat::Sarif => vec![Block::Verbatim(sarif_text(&self.outcome.findings()))],
            _ => outcome_blocks(&self.outcome, self.verbose),
        }
    }
}

/// Returns the findings to list, and a sentence for each rule with too many findings.
fn summarize_findings(outcome: &AuditOutcome, verbose: bool) -> (Vec<Finding>, Vec<String>) {
    let mut shown = outcome.findings();
    let mut counts: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    for finding in &shown {
        *counts.entry((finding.rule, finding.severity)).or_default() += 1;
    }
    counts.retain(|_, count| *count > MANY && !verbose);
    let mut seen: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    shown.retain(|finding| {
        let key = (finding.rule, finding.severity);
        let place = seen.entry(key).or_default();
        *place += 1;
        !counts.contains_key(&key) || *place == 1
    });
    let sentences = counts.into_iter().map(|((rule, _), count)| {
        let others = text::count_noun(count - 1, "finding");
        format!("{rule}: {others} more like the one above; `-v` lists all of them.")
    });
    (shown, sentences.collect())
}

fn outcome_blocks(outcome: &AuditOutcome, verbose: bool) -> Vec<Block> {
    let mut blocks = outcome.fix.as_ref().map(removal_blocks).unwrap_or_default();
    blocks.push(rule_table(outcome));
    let (findings, summaries) = summarize_findings(outcome, verbose);
    if !findings.is_empty() {
        blocks.push(Block::Findings(findings));
    }
    blocks.extend(titled_lines("Repeated findings", summaries));
    blocks.extend(missing_data(outcome));
    let information = outcome
        .information
        .iter()
        .map(|found| format!("{}: {}", found.finding.rule, found.finding.message));
    blocks.extend(titled_lines("Information", information));
    let accepted = outcome.accepted.iter().map(|accepted| {
        let finding = &accepted.finding.finding;
        format!(
            "{}: {} (until {}: {})",
            finding.rule, finding.message, accepted.until, accepted.reason
        )
    });
    blocks.extend(titled_lines("Accepted", accepted));
    blocks.push(Block::Lines(summary(outcome)));
    blocks
}

fn rule_table(outcome: &AuditOutcome) -> Block {
    let mut table = Table::new(["Rule", "Threat", "Verdict", "Findings"]);
    for row in &outcome.rules {
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
fn missing_data(outcome: &AuditOutcome) -> Option<Block> {
    let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for row in &outcome.rules {
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
    titled_lines("Missing data", lines)
}

fn summary(outcome: &AuditOutcome) -> Vec<TextLine> {
    let counts = &outcome.counts;
    let found =
        [(counts.errors, "error"), (counts.warnings, "warning")].map(|(count, word)| text::count_noun(count, word));
    let codes: Vec<&str> = outcome.header.departments.iter().map(DepartmentCode::as_str).collect();
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
        outcome.header.stage,
        outcome.header.observed_by,
        text::join_list(&found),
        text::count_noun(counts.absent, "rule"),
        text::count_noun(counts.unknown, "rule"),
    );
    let mut lines = vec![TextLine::new().with_styled_text(style, sentence)];
    if let Some(file) = &outcome.header.snapshot_file {
        lines.push(TextLine::from(format!("Saved the snapshot to `{}`.", file.display())));
    }
    if let Some(file) = &outcome.header.baseline {
        let text = format!(
            "Wrote the baseline to `{}`. Fill in the reasons, then pass it with `--baseline`.",
            file.display()
        );
        lines.push(TextLine::from(text));
    }
    lines
}
