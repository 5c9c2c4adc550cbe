//! View of `access audit`.

use std::collections::BTreeMap;

use super::AccessAuditOutput;
use crate::{
    access::audit::{AuditVerdict, MissingData},
    commands::provisioning::plan_view::{change_blocks, titled_lines},
    diag::Finding,
    model::DepartmentCode,
    provisioning::audit::{AuditOutcome, AuditRemoval},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

/// Maximum number of listed findings of a rule; `-v`, JSON and YAML list all of them.
const MAX_LISTED_FINDINGS: usize = 10;

/// Returns a removal as blocks.
pub(super) fn removal_blocks(removal: &AuditRemoval) -> Vec<Block> {
    let mut blocks = change_blocks(&removal.changes);
    blocks.extend(titled_lines("Unchanged", &removal.notices));
    blocks
}

impl Viewable for AccessAuditOutput {
    fn view(&self) -> Vec<Block> {
        match &self.sarif {
            Some(sarif) => vec![Block::Verbatim(sarif.clone())],
            None => outcome_blocks(&self.outcome, self.verbose),
        }
    }
}

/// Returns the findings to list, and one line for each rule with more of them.
fn listed_findings(outcome: &AuditOutcome, verbose: bool) -> (Vec<Finding>, Vec<String>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut listed = outcome.findings();
    if verbose {
        return (listed, Vec::new());
    }
    listed.retain(|finding| {
        let count = counts.entry(finding.rule).or_default();
        *count += 1;
        *count <= MAX_LISTED_FINDINGS
    });
    let rules = counts.into_iter().filter(|(_, count)| *count > MAX_LISTED_FINDINGS);
    let further = rules.map(|(rule, count)| {
        let more = format!("{rule}: {} more", count - MAX_LISTED_FINDINGS);
        match rule {
            // One command for all of them.
            "key-age" => format!(
                "{more}. Replace all old keys of departments with `confluent ebs keys rotate --all --older-than {}d`.",
                outcome.max_key_age_days
            ),
            _ => more,
        }
    });
    (listed, further.collect())
}

fn outcome_blocks(outcome: &AuditOutcome, verbose: bool) -> Vec<Block> {
    let mut blocks = outcome.fix.as_ref().map(removal_blocks).unwrap_or_default();
    blocks.push(rule_table(outcome));
    let (findings, summaries) = listed_findings(outcome, verbose);
    if !findings.is_empty() {
        blocks.push(Block::Findings(findings));
    }
    blocks.extend(titled_lines("Further findings (`-v` lists them)", summaries));
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
