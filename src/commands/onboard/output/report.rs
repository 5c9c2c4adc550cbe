//! View of an onboarding result.

use super::{
    OnboardDepartmentRow, OnboardOutput,
    plan::{note_blocks, plan_blocks},
};
use crate::{
    apply::FinishedProfile,
    commands::provisioning::{delivery_lines, probe_line},
    plan::{DepartmentStatus, Plan},
    probe::ProbeVerdict,
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text::count_noun,
};

/// Readers of an unencrypted profile. Windows has no file modes, so the permissions of the folder apply.
const PRIVATE_FILE_NOTE: &str = if cfg!(unix) {
    "readable only by you"
} else {
    "readable with the permissions of the folder"
};

fn is_encrypted(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|ending| ending == "age")
}

fn outcome_label(row: &OnboardDepartmentRow) -> &'static str {
    match (row.remaining > 0, row.failed > 0, row.plan.status) {
        (_, true, _) => "FAILED",
        (true, ..) => "incomplete",
        (.., DepartmentStatus::Complete) => "complete",
        (.., DepartmentStatus::New) => "onboarded",
        (.., DepartmentStatus::Changed) => "updated",
        (.., DepartmentStatus::Refused) => "refused",
    }
}

impl OnboardOutput {
    fn headline(&self) -> TextLine {
        let departments = count_noun(self.departments.len(), "department");
        let stage = &self.header.stage;
        let Some(report) = &self.report else {
            let verb = if self.departments.len() == 1 { "is" } else { "are" };
            return TextLine::new().with_styled_text(
                Style::Ok,
                format!("{departments} {verb} up to date in stage `{stage}`."),
            );
        };
        let writes = report
            .done
            .iter()
            .filter(|step| self.plan.changes[step.change].operation.is_remote())
            .count();
        let seconds = self.elapsed_ms / 1000;
        let tenths = self.elapsed_ms % 1000 / 100;
        let took = format!("{} in {seconds}.{tenths} s", count_noun(writes, "change"));
        if report.is_complete() {
            let text = format!("Onboarded {departments} to stage `{stage}`: {took}.");
            TextLine::new().with_styled_text(Style::Ok, text)
        } else {
            let text = format!("Onboarding of {departments} to stage `{stage}` is incomplete: {took}.");
            TextLine::new().with_styled_text(Style::Error, text)
        }
    }

    fn table(&self) -> Block {
        let mut table = Table::new([
            "Department",
            "Accounts",
            "Role Bindings",
            "API Keys",
            "Probes",
            "Status",
        ]);
        for row in &self.departments {
            let probes = row.passed + row.failed + row.inconclusive;
            table.push([
                Cell::text(&row.plan.code),
                row.accounts.into(),
                row.role_bindings.into(),
                row.api_keys.into(),
                Cell::Text(if probes == 0 {
                    String::new()
                } else {
                    format!("{}/{probes}", row.passed)
                }),
                outcome_label(row).into(),
            ]);
        }
        Block::Table(table)
    }

    fn probe_lines(&self) -> Vec<TextLine> {
        let mut lines = Vec::new();
        if let Some(report) = &self.report {
            lines.extend(probe_line(report));
            for (account, outcomes) in &report.proofs {
                for outcome in outcomes {
                    let (word, reason) = match &outcome.verdict {
                        ProbeVerdict::Passed => continue,
                        ProbeVerdict::Failed { reason } => ("FAILED", reason),
                        ProbeVerdict::Inconclusive { reason } => ("inconclusive", reason),
                    };
                    let text = format!("  {account}: {word}: {}: {reason}", outcome.probe.label());
                    lines.push(TextLine::from(text).with_hanging_indent(4));
                }
            }
        }
        if let Some(isolation) = &self.isolation {
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
            lines.push(TextLine::from(verdict).with_hanging_indent(2));
            lines.extend(
                isolation
                    .violations
                    .iter()
                    .map(|text| TextLine::from(format!("  {text}")).with_hanging_indent(4)),
            );
            if !isolation.shared_names.is_empty() {
                let shared = format!(
                    "  Shared by all departments by design of Confluent Cloud: {}.",
                    isolation.shared_names.join(", ")
                );
                lines.push(
                    TextLine::new()
                        .with_styled_text(Style::Muted, shared)
                        .with_hanging_indent(4),
                );
            }
        }
        lines
    }

    /// Returns the profiles that the run wrote.
    fn finished_profiles(&self) -> &[FinishedProfile] {
        self.report.as_ref().map_or(&[], |report| &report.profiles)
    }

    fn profile_lines(&self) -> Vec<TextLine> {
        let mut lines = Vec::new();
        let kept = self.deliveries.profiles_on_disk(self.finished_profiles());
        if !kept.is_empty() {
            let how = match kept.iter().filter(|profile| is_encrypted(&profile.path)).count() {
                0 => PRIVATE_FILE_NOTE.to_owned(),
                encrypted if encrypted == kept.len() => "encrypted to their recipients".to_owned(),
                encrypted => format!("{encrypted} encrypted to their recipients, the others {PRIVATE_FILE_NOTE}"),
            };
            let text = format!(
                "Profiles: {} in `{}`, {how}.",
                count_noun(kept.len(), "profile"),
                self.credentials_dir.display()
            );
            lines.push(TextLine::from(text).with_hanging_indent(2));
        }
        lines.extend(delivery_lines(&self.deliveries, self.finished_profiles()));
        lines
    }

    fn delivery_lines(&self) -> Vec<TextLine> {
        let mut lines = self.profile_lines();
        let Some(report) = &self.report else { return lines };
        for reissued in &report.reissued {
            let text = format!(
                "  Replace the profile of `{}` of department `{}` with `{}` (the key is unchanged).",
                reissued.persona,
                reissued.department,
                reissued.path.display()
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        if let [first, ..] = self.evidence.as_slice() {
            let folder = first.parent().unwrap_or(first).display().to_string();
            lines.push(
                TextLine::from(format!(
                    "Evidence: {} in `{folder}`.",
                    count_noun(self.evidence.len(), "file")
                ))
                .with_hanging_indent(2),
            );
        }
        for fallback in &report.fallbacks {
            lines.push(TextLine::from(format!("  Confluent Cloud rejected a role: {fallback}")).with_hanging_indent(4));
        }
        lines
    }

    fn failure_block(&self) -> Option<Block> {
        let report = self.report.as_ref().filter(|report| !report.is_complete())?;
        let mut lines: Vec<TextLine> = Vec::new();
        for failure in report.failures.iter().take(20) {
            let label = TextLine::new()
                .with_styled_text(Style::Error, "failed")
                .with_text(format!("  {}", failure.label));
            lines.push(label.with_hanging_indent(8));
            lines.push(TextLine::from(format!("        {}", failure.reason)).with_hanging_indent(8));
        }
        if report.failures.len() > 20 {
            lines.push(TextLine::from(format!(
                "        and {} more",
                report.failures.len() - 20
            )));
        }
        let rest = [(report.skipped, "skipped"), (report.not_started, "pending")];
        for (count, word) in rest.into_iter().filter(|(count, _)| *count > 0) {
            lines.push(TextLine::from(format!("{word}  {}", count_noun(count, "change"))));
        }
        Some(Block::Lines(lines))
    }

    fn next_step_block(&self) -> Option<Block> {
        let first = self
            .finished_profiles()
            .first()
            .filter(|_| !self.deliveries.is_automatic())?;
        let path = first.path.display();
        let text = if is_encrypted(&first.path) {
            format!(
                "Next: send each profile to its department, which imports it with `confluent ebs profile import {path} \
                 --identity KEYFILE`."
            )
        } else {
            format!("Next: send each profile to its department, which uses it with `--profile {path}`.")
        };
        Some(Block::Lines(vec![
            TextLine::new()
                .with_styled_text(Style::Muted, text)
                .with_hanging_indent(2),
        ]))
    }
}

impl Viewable for OnboardOutput {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            // A dry run shows the full plan.
            let plan = Plan {
                departments: self.departments.iter().map(|row| row.plan.clone()).collect(),
                changes: self.plan.changes.clone(),
                surplus: self.plan.surplus.clone(),
                unmanaged: self.plan.unmanaged.clone(),
                orphans: self.plan.orphans.clone(),
                notices: self.plan.notices.clone(),
                refusals: Vec::new(),
            };
            let mut blocks = plan_blocks(&self.header, &plan, &self.quotas, &self.checks);
            let lines = self.probe_lines();
            if !lines.is_empty() {
                blocks.push(Block::Lines(lines));
            }
            return blocks;
        }
        let mut blocks = vec![Block::Lines(vec![self.headline()]), self.table()];
        blocks.extend(self.failure_block());
        let mut lines = self.probe_lines();
        lines.extend(self.delivery_lines());
        if !lines.is_empty() {
            blocks.push(Block::Lines(lines));
        }
        blocks.extend(note_blocks(&self.plan));
        if !self.secrets.is_empty() {
            // A table could wrap a secret, which prevents copying it.
            let lines = self.secrets.iter().flat_map(|shown| {
                [
                    shown.account.clone(),
                    format!("  API Key     {}", shown.api_key),
                    format!("  API Secret  {}", shown.api_secret),
                ]
            });
            blocks.push(Block::Lines(lines.map(TextLine::from).collect()));
        }
        blocks.extend(self.next_step_block());
        blocks
    }
}
