//! What came of an onboarding, for people.

use super::{
    DepartmentRow, Onboarding,
    plan::{plan_blocks, remarks},
};
use crate::{
    apply::Handed,
    commands::estate::shown::counted,
    plan::{DepartmentStatus, Plan},
    probe::Verdict,
    render::{Block, Cell, Line, Style, Table, Viewable},
};

/// Who can read a profile in clear. Windows has no modes: the rights of the folder are all there is.
const ALONE: &str = if cfg!(unix) {
    "readable by you alone"
} else {
    "readable by whoever the folder lets in"
};

fn is_sealed(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|ending| ending == "age")
}

fn outcome_word(row: &DepartmentRow) -> &'static str {
    match (row.left > 0, row.refuted > 0, row.plan.status) {
        (_, true, _) => "REFUTED",
        (true, ..) => "unfinished",
        (.., DepartmentStatus::Complete) => "complete",
        (.., DepartmentStatus::New) => "onboarded",
        (.., DepartmentStatus::Changed) => "updated",
        (.., DepartmentStatus::Refused) => "refused",
    }
}

impl Onboarding {
    fn headline(&self) -> Line {
        let departments = counted(self.departments.len(), "department");
        let stage = &self.setting.stage;
        let Some(report) = &self.report else {
            let all = if self.departments.len() == 1 { "is" } else { "are" };
            return Line::new().styled(
                Style::Ok,
                format!("{departments} {all} as wanted in stage {stage}: nothing to do."),
            );
        };
        let writes = report
            .done
            .iter()
            .filter(|step| self.plan.changes[step.change].operation.writes())
            .count();
        let seconds = self.elapsed_ms / 1000;
        let tenths = self.elapsed_ms % 1000 / 100;
        let took = format!("{} in {seconds}.{tenths} s", counted(writes, "change"));
        match report.is_complete() {
            true => Line::new().styled(Style::Ok, format!("{departments} onboarded to stage {stage}: {took}.")),
            false => Line::new().styled(
                Style::Error,
                format!("{departments} partly onboarded to stage {stage}: {took}; the same command does the rest."),
            ),
        }
    }

    fn table(&self) -> Block {
        let mut table = Table::new([
            "Department",
            "Accounts",
            "Role Bindings",
            "API Keys",
            "Proved",
            "Status",
        ]);
        for row in &self.departments {
            let probes = row.proved + row.refuted + row.not_provable;
            table.push([
                Cell::text(&row.plan.code),
                row.accounts.into(),
                row.role_bindings.into(),
                row.api_keys.into(),
                Cell::Text(if probes == 0 {
                    String::new()
                } else {
                    format!("{}/{probes}", row.proved)
                }),
                outcome_word(row).into(),
            ]);
        }
        Block::Table(table)
    }

    fn proof(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(report) = &self.report {
            let (proved, refuted, open) = report.verdicts();
            if proved + refuted + open > 0 {
                let mut line = format!(
                    "Proof: {} made with the new keys, {proved} as they must be",
                    counted(proved + refuted + open, "call")
                );
                if refuted > 0 {
                    line = format!("{line}, {refuted} REFUTED");
                }
                if open > 0 {
                    line = format!("{line}, {open} not provable");
                }
                lines.push(Line::from(format!("{line}.")).hang(2));
            }
            for (account, outcomes) in &report.proofs {
                for outcome in outcomes {
                    let (word, reason) = match &outcome.verdict {
                        Verdict::Proved => continue,
                        Verdict::Refuted { reason } => ("refuted", reason),
                        Verdict::NotProvable { reason } => ("not provable", reason),
                    };
                    let text = format!("  {account}: {word}: {}: {reason}", outcome.probe.label());
                    lines.push(Line::from(text).hang(4));
                }
            }
        }
        if let Some(isolation) = &self.isolation {
            let verdict = match (isolation.pairs, isolation.violations.len()) {
                (0, 0) => "Isolation: by name prefix; no other department is onboarded here yet.".to_owned(),
                (pairs, 0) => format!(
                    "Isolation: by name prefix, holds for all {} of departments.",
                    counted(pairs, "ordered pair")
                ),
                (_, broken) => format!("Isolation: BROKEN by {}.", counted(broken, "overlap")),
            };
            lines.push(Line::from(verdict).hang(2));
            lines.extend(
                isolation
                    .violations
                    .iter()
                    .map(|text| Line::from(format!("  {text}")).hang(4)),
            );
            if !isolation.exposures.is_empty() {
                let shared = format!(
                    "  Shared by all, as Confluent makes it: {}.",
                    isolation.exposures.join(", ")
                );
                lines.push(Line::new().styled(Style::Muted, shared).hang(4));
            }
        }
        lines
    }

    /// The profiles of this run.
    fn handed(&self) -> &[Handed] {
        self.report.as_ref().map_or(&[], |report| &report.handed)
    }

    fn profiles(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let kept = self.deliveries.kept(self.handed());
        if !kept.is_empty() {
            let how = match kept.iter().filter(|handed| is_sealed(&handed.path)).count() {
                0 => ALONE.to_owned(),
                sealed if sealed == kept.len() => "encrypted to their recipients".to_owned(),
                sealed => format!("{sealed} encrypted to their recipients, the others {ALONE}"),
            };
            let text = format!(
                "Profiles: {} in {}, {how}.",
                counted(kept.len(), "profile"),
                self.credentials_dir.display()
            );
            lines.push(Line::from(text).hang(2));
        }
        lines.extend(self.deliveries.lines(self.handed()));
        lines
    }

    fn handed_over(&self) -> Vec<Line> {
        let mut lines = self.profiles();
        let Some(report) = &self.report else { return lines };
        for reissued in &report.reissued {
            let text = format!(
                "  {} of {} must be replaced by {} (the key stays as it is)",
                reissued.persona,
                reissued.department,
                reissued.path.display()
            );
            lines.push(Line::from(text).hang(4));
        }
        if let [first, ..] = self.evidence.as_slice() {
            let folder = first.parent().unwrap_or(first).display().to_string();
            lines.push(
                Line::from(format!(
                    "Evidence: {} in {folder}.",
                    counted(self.evidence.len(), "file")
                ))
                .hang(2),
            );
        }
        for fallback in &report.fallbacks {
            lines.push(Line::from(format!("  the service refused a role: {fallback}")).hang(4));
        }
        lines
    }

    fn failures(&self) -> Option<Block> {
        let report = self.report.as_ref().filter(|report| !report.is_complete())?;
        let mut lines: Vec<Line> = Vec::new();
        for failure in report.failures.iter().take(20) {
            let label = Line::new()
                .styled(Style::Error, "failed")
                .then(format!("  {}", failure.label));
            lines.push(label.hang(8));
            lines.push(Line::from(format!("        {}", failure.reason)).hang(8));
        }
        if report.failures.len() > 20 {
            lines.push(Line::from(format!("        and {} more", report.failures.len() - 20)));
        }
        let rest = [(report.skipped, "skipped"), (report.not_begun, "not begun")];
        for (count, word) in rest.into_iter().filter(|(count, _)| *count > 0) {
            lines.push(Line::from(format!("{word}  {}", counted(count, "change"))));
        }
        Some(Block::Lines(lines))
    }

    fn next_steps(&self) -> Option<Block> {
        let first = self.handed().first().filter(|_| !self.deliveries.is_automatic())?;
        let path = first.path.display();
        let text = match is_sealed(&first.path) {
            true => format!(
                "Next: give each profile to its department; `confluent ebs profile import {path} --identity KEYFILE` opens it \
                 there."
            ),
            false => format!("Next: give each profile to its department; `--profile {path}` uses it."),
        };
        Some(Block::Lines(vec![Line::new().styled(Style::Muted, text).hang(2)]))
    }
}

impl Viewable for Onboarding {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            // The plan was made for this: show all of it.
            let plan = Plan {
                departments: self.departments.iter().map(|row| row.plan.clone()).collect(),
                changes: self.plan.changes.clone(),
                surplus: self.plan.surplus.clone(),
                unmanaged: self.plan.unmanaged.clone(),
                orphans: self.plan.orphans.clone(),
                notices: self.plan.notices.clone(),
                refusals: Vec::new(),
            };
            let mut blocks = plan_blocks(&self.setting, &plan, &self.quotas, &self.checks);
            let lines = self.proof();
            if !lines.is_empty() {
                blocks.push(Block::Lines(lines));
            }
            return blocks;
        }
        let mut blocks = vec![Block::Lines(vec![self.headline()]), self.table()];
        blocks.extend(self.failures());
        let mut lines = self.proof();
        lines.extend(self.handed_over());
        if !lines.is_empty() {
            blocks.push(Block::Lines(lines));
        }
        blocks.extend(remarks(&self.plan));
        if !self.secrets.is_empty() {
            // No table: a secret that is broken over lines cannot be copied.
            let lines = self.secrets.iter().flat_map(|shown| {
                [
                    shown.account.clone(),
                    format!("  API Key     {}", shown.api_key),
                    format!("  API Secret  {}", shown.api_secret),
                ]
            });
            blocks.push(Block::Lines(lines.map(Line::from).collect()));
        }
        blocks.extend(self.next_steps());
        blocks
    }
}
