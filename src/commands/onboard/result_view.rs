//! View of an onboarding result.

use super::plan_view::{finding_blocks, plan_blocks, plan_summary};
use crate::{
    commands::provisioning::{delivery_lines, probe_line},
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

/// Readers of an unencrypted profile. Windows has no file modes, so the permissions of the folder apply.
const PRIVATE_FILE_NOTE: &str = if cfg!(unix) {
    "readable only by you"
} else {
    "readable with the permissions of the folder"
};

impl Viewable for OnboardOutcome {
    fn shows_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

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
    let verdict = match (isolation.pairs, isolation.violations.len()) {
        (0, 0) => "Isolation by name prefix: no other department is onboarded yet.".to_owned(),
        (pairs, 0) => format!(
            "Isolation by name prefix: passed for {} of departments.",
            count_noun(pairs, "ordered pair")
        ),
        (_, overlaps) => format!(
            "Isolation by name prefix: FAILED ({}).",
            count_noun(overlaps, "overlap")
        ),
    };
    let mut lines = vec![TextLine::from(verdict).with_hanging_indent(2)];
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

fn is_encrypted(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|ending| ending == "age")
}

fn profile_lines(outcome: &OnboardOutcome) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let kept = outcome.deliveries.profiles_on_disk(outcome.finished_profiles());
    if !kept.is_empty() {
        let how = match kept.iter().filter(|profile| is_encrypted(&profile.path)).count() {
            0 => PRIVATE_FILE_NOTE.to_owned(),
            encrypted if encrypted == kept.len() => "encrypted to their recipients".to_owned(),
            encrypted => format!("{encrypted} encrypted to their recipients, the others {PRIVATE_FILE_NOTE}"),
        };
        let text = format!(
            "Profiles: {} in `{}`, {how}.",
            count_noun(kept.len(), "profile"),
            outcome.credentials_dir.display()
        );
        lines.push(TextLine::from(text).with_hanging_indent(2));
    }
    lines.extend(delivery_lines(&outcome.deliveries, outcome.count_delivered()));
    lines
}

/// Returns the lines about reissued profiles, the evidence and fallback roles.
fn record_lines(outcome: &OnboardOutcome) -> Vec<TextLine> {
    let Some(report) = &outcome.report else {
        return Vec::new();
    };
    let reissued = report.reissued.iter().map(|reissued| {
        let path = reissued.path.display();
        let what = format!(
            "  The profile of `{}` of department `{}` changed; its key stays",
            reissued.persona, reissued.department
        );
        let text = match reissued.delivered {
            true => format!("{what}. Delivered: `{path}`, which contains no key."),
            false => format!(
                "{what}. Send `{path}`, which contains no key: `confluent ebs profile import` adds the stored key."
            ),
        };
        TextLine::from(text).with_hanging_indent(4)
    });
    let evidence = outcome.evidence.first().map(|first| {
        let folder = first.parent().unwrap_or(first).display();
        let files = count_noun(outcome.evidence.len(), "file");
        TextLine::from(format!("Evidence: {files} in `{folder}`.")).with_hanging_indent(2)
    });
    let fallbacks = report.fallbacks.iter().map(|fallback| {
        TextLine::from(format!("  Confluent Cloud rejected a role: {fallback}")).with_hanging_indent(4)
    });
    reissued.chain(evidence).chain(fallbacks).collect()
}

fn next_step(outcome: &OnboardOutcome) -> Option<Block> {
    let first = outcome
        .finished_profiles()
        .first()
        .filter(|_| !outcome.deliveries.is_automatic())?;
    let path = first.path.display();
    let text = if is_encrypted(&first.path) {
        format!(
            "Next: send each profile to its department, which imports it with `confluent ebs profile import {path} \
             --identity KEYFILE`."
        )
    } else {
        format!("Next: send each profile to its department, which uses it with `--profile {path}`.")
    };
    let line = TextLine::new().with_styled_text(Style::Muted, text);
    Some(Block::Lines(vec![line.with_hanging_indent(2)]))
}
