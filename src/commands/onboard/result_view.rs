//! View of an onboarding result.

use serde::Serialize;

use super::{
    plan_view::{finding_blocks, plan_blocks, plan_summary},
    profile_view::{next_step, profile_lines, record_lines},
};
use crate::{
    commands::provisioning::probe_line,
    provisioning::{
        DepartmentStatus, IsolationSummary,
        onboarding::{OnboardOutcome, OnboardedDepartment},
    },
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text::count_noun,
};

/// Maximum number of departments whose changes a dry run lists one by one without `-v`.
const MAX_DETAILED_DEPARTMENTS: usize = 10;

/// Maximum number of listed failures; JSON and YAML contain all of them.
const MAX_LISTED_FAILURES: usize = 20;

/// Result of `onboard` in the selected format.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands) struct OnboardOutput {
    /// Planned or applied onboarding; `None` in Markdown.
    pub(super) outcome: Option<OnboardOutcome>,
    #[serde(skip)]
    pub(super) markdown: Option<String>,
}

impl OnboardOutput {
    pub(super) fn from_markdown(text: String) -> Self {
        Self {
            outcome: None,
            markdown: Some(text),
        }
    }
}

impl Viewable for OnboardOutput {
    fn shows_secrets(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| !outcome.secrets.is_empty())
    }

    fn view(&self) -> Vec<Block> {
        let markdown = self.markdown.iter().map(|text| Block::Verbatim(text.clone()));
        let outcome = self.outcome.iter().flat_map(Viewable::view);
        markdown.chain(outcome).collect()
    }
}

impl Viewable for OnboardOutcome {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            let mut blocks = match self.departments.len() > MAX_DETAILED_DEPARTMENTS && !self.lists_all {
                true => plan_summary(self),
                false => plan_blocks(self),
            };
            if !self.lists_all && self.departments.len() > MAX_DETAILED_DEPARTMENTS {
                blocks.push(Block::line("List the changes of each department with `-v`."));
            }
            blocks.extend(lines_block(proof_lines(self)));
            return blocks;
        }
        let mut blocks = vec![Block::Lines(vec![headline(self)]), department_table(self)];
        blocks.extend(failure_block(self));
        let mut lines = proof_lines(self);
        lines.extend(profile_lines(self));
        lines.extend(record_lines(self));
        blocks.extend(lines_block(lines));
        blocks.extend(finding_blocks(self));
        // A table could wrap a secret, which prevents copying it.
        let secrets = self.secrets.iter().flat_map(|issued| {
            [
                issued.account.clone(),
                format!("  API Key     {}", issued.api_key),
                format!("  API Secret  {}", issued.api_secret),
            ]
        });
        blocks.extend(lines_block(secrets.map(TextLine::from).collect()));
        blocks.extend(next_step(self));
        blocks
    }
}

fn lines_block(lines: Vec<TextLine>) -> Option<Block> {
    (!lines.is_empty()).then_some(Block::Lines(lines))
}

fn headline(outcome: &OnboardOutcome) -> TextLine {
    let departments = count_noun(outcome.departments.len(), "department");
    let stage = &outcome.header.stage;
    let Some(report) = &outcome.report else {
        let verb = if outcome.departments.len() == 1 { "is" } else { "are" };
        let text = format!("{departments} {verb} up to date in stage `{stage}`.");
        return TextLine::new().with_styled_text(Style::Ok, text);
    };
    let seconds = outcome.elapsed_ms / 1000;
    let tenths = outcome.elapsed_ms % 1000 / 100;
    let took = format!(
        "{} in {seconds}.{tenths} s",
        count_noun(outcome.count_applied(), "change")
    );
    if report.is_complete() {
        let text = format!("Onboarded {departments} to stage `{stage}`: {took}.");
        TextLine::new().with_styled_text(Style::Ok, text)
    } else {
        let text = format!("Onboarding of {departments} to stage `{stage}` is incomplete: {took}.");
        TextLine::new().with_styled_text(Style::Error, text)
    }
}

fn department_table(outcome: &OnboardOutcome) -> Block {
    let mut table = Table::new([
        "Department",
        "Accounts",
        "Role Bindings",
        "API Keys",
        "Probes",
        "Status",
    ]);
    for row in &outcome.departments {
        let probes = match row.passed + row.failed + row.inconclusive {
            0 => String::new(),
            all => format!("{}/{all}", row.passed),
        };
        table.push([
            Cell::text(&row.plan.code),
            row.accounts.into(),
            row.role_bindings.into(),
            row.api_keys.into(),
            Cell::Text(probes),
            result_label(row).into(),
        ]);
    }
    Block::Table(table)
}

fn result_label(row: &OnboardedDepartment) -> &'static str {
    match (row.remaining > 0, row.failed > 0, row.plan.status) {
        (_, true, _) => "FAILED",
        (true, ..) => "incomplete",
        (.., DepartmentStatus::Complete) => "complete",
        (.., DepartmentStatus::New) => "onboarded",
        (.., DepartmentStatus::Changed) => "updated",
        (.., DepartmentStatus::Refused) => "refused",
    }
}

fn failure_block(outcome: &OnboardOutcome) -> Option<Block> {
    let report = outcome.report.as_ref().filter(|report| !report.is_complete())?;
    let mut lines: Vec<TextLine> = Vec::new();
    for failure in report.failures.iter().take(MAX_LISTED_FAILURES) {
        let label = TextLine::new()
            .with_styled_text(Style::Error, "failed")
            .with_text(format!("  {}", failure.label));
        lines.push(label.with_hanging_indent(8));
        lines.push(TextLine::from(format!("        {}", failure.reason)).with_hanging_indent(8));
    }
    if report.failures.len() > MAX_LISTED_FAILURES {
        let more = report.failures.len() - MAX_LISTED_FAILURES;
        lines.push(TextLine::from(format!("        and {more} more")));
    }
    let rest = [(report.skipped, "skipped"), (report.not_started, "pending")];
    for (count, word) in rest.into_iter().filter(|(count, _)| *count > 0) {
        lines.push(TextLine::from(format!("{word}  {}", count_noun(count, "change"))));
    }
    Some(Block::Lines(lines))
}

/// Returns the lines about the probes and the isolation check.
fn proof_lines(outcome: &OnboardOutcome) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(report) = &outcome.report {
        lines.extend(probe_line(report.count_verdicts()));
        for (account, probes) in &report.proofs {
            for probe in probes {
                let Some(reason) = probe.verdict.reason() else { continue };
                let word = if probe.verdict.is_failed() {
                    "FAILED"
                } else {
                    "inconclusive"
                };
                let text = format!("  {account}: {word}: {}: {reason}", probe.probe.label());
                lines.push(TextLine::from(text).with_hanging_indent(4));
            }
        }
    }
    lines.extend(outcome.isolation.iter().flat_map(isolation_lines));
    lines
}

fn isolation_lines(isolation: &IsolationSummary) -> Vec<TextLine> {
    let mut lines = vec![TextLine::from(isolation.verdict()).with_hanging_indent(2)];
    let violations = isolation.violations.iter();
    lines.extend(violations.map(|text| TextLine::from(format!("  {text}")).with_hanging_indent(4)));
    if !isolation.shared_names.is_empty() {
        let names = isolation.shared_names.join(", ");
        let text = format!("  Shared by all departments by design of Confluent Cloud: {names}.");
        let line = TextLine::new().with_styled_text(Style::Muted, text);
        lines.push(line.with_hanging_indent(4));
    }
    lines
}
