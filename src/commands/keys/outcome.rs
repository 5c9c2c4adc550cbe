//! What rotating and revoking answer.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    apply::Report as Applied,
    commands::estate::{
        Deliveries,
        shown::{changes, counted, totals},
    },
    model::DepartmentCode,
    plan::{Change, Operation, Plan},
    render::{Block, Line, Style, Viewable},
};

/// What was done to keys, or would be.
#[derive(Debug, Serialize)]
pub(super) struct KeysChanged {
    stage: String,
    dry_run: bool,
    changes: Vec<Change>,
    /// What is left for a later call.
    notices: Vec<String>,
    #[serde(flatten)]
    report: Option<Applied>,
    credentials_dir: PathBuf,
    /// What a command took.
    #[serde(flatten)]
    deliveries: Deliveries,
    evidence: Vec<PathBuf>,
}

impl KeysChanged {
    pub(super) fn new(stage: &str, credentials_dir: &std::path::Path, plan: &Plan) -> Self {
        Self {
            stage: stage.to_owned(),
            dry_run: false,
            changes: plan.changes.clone(),
            notices: plan.notices.clone(),
            report: None,
            credentials_dir: credentials_dir.to_owned(),
            deliveries: Deliveries::default(),
            evidence: Vec::new(),
        }
    }

    pub(super) fn delivered(mut self, deliveries: Deliveries) -> Self {
        self.deliveries = deliveries;
        self
    }

    pub(super) fn dry(mut self) -> Self {
        self.dry_run = true;
        self
    }

    pub(super) fn with_evidence(mut self, evidence: Vec<PathBuf>) -> Self {
        self.evidence = evidence;
        self
    }

    pub(super) fn done(mut self, report: Applied, evidence: Vec<PathBuf>) -> Self {
        self.report = Some(report);
        self.evidence = evidence;
        self
    }
}

/// A plan of keys, for people.
pub(super) fn plan_blocks(plan: &Plan, departments: &[DepartmentCode]) -> Vec<Block> {
    let mut blocks: Vec<Block> = departments
        .iter()
        .filter_map(|code| Some(Block::titled(format!("Department {code}"), [changes(plan, code)?])))
        .collect();
    blocks.push(Block::line(totals(plan)));
    blocks.extend(notices(&plan.notices));
    blocks
}

fn notices(notices: &[String]) -> Option<Block> {
    let lines = notices.iter().map(|notice| Line::from(notice.as_str()).hang(2));
    (!notices.is_empty()).then(|| Block::Lines(lines.collect()))
}

impl Viewable for KeysChanged {
    fn view(&self) -> Vec<Block> {
        let plan = Plan {
            changes: self.changes.clone(),
            notices: self.notices.clone(),
            ..Plan::default()
        };
        if self.dry_run {
            let mut departments: Vec<DepartmentCode> =
                self.changes.iter().map(|change| change.department.clone()).collect();
            departments.dedup();
            return plan_blocks(&plan, &departments);
        }
        let Some(report) = &self.report else {
            let mut lines = vec![Line::from("No API key was made or removed.")];
            lines.extend(self.deliveries.lines(&[]));
            let mut blocks = vec![Block::Lines(lines)];
            blocks.extend(notices(&self.notices));
            return blocks;
        };
        let ended = |operation: fn(&Operation) -> bool| {
            let done = report.done.iter().map(|step| &self.changes[step.change]);
            done.filter(|change| operation(&change.operation)).count()
        };
        let made = ended(|operation| matches!(operation, Operation::CreateKey { .. }));
        let removed = ended(|operation| matches!(operation, Operation::DeleteKey { .. }));
        let style = if report.is_complete() { Style::Ok } else { Style::Error };
        let mut parts = Vec::new();
        if made > 0 {
            parts.push(format!("{} made", counted(made, "API key")));
        }
        if removed > 0 {
            parts.push(format!("{} removed", counted(removed, "API key")));
        }
        if !report.handed.is_empty() {
            parts.push(format!("{} handed over", counted(report.handed.len(), "profile")));
        }
        if parts.is_empty() {
            parts.push("nothing was done".to_owned());
        }
        let mut lines = vec![Line::new().styled(style, format!("{}.", parts.join(", ")))];
        for handed in &report.handed {
            let text = format!(
                "  {} of {}: {}",
                handed.persona,
                handed.department,
                handed.path.display()
            );
            lines.push(Line::from(text).hang(4));
        }
        lines.extend(self.deliveries.lines(&report.handed));
        let (proved, refuted, open) = report.verdicts();
        if proved + refuted + open > 0 {
            let mut text = format!(
                "Proof: {} made with the new keys, {proved} as they must be",
                counted(proved + refuted + open, "call")
            );
            if refuted > 0 {
                text = format!("{text}, {refuted} REFUTED");
            }
            if open > 0 {
                text = format!("{text}, {open} not provable");
            }
            lines.push(Line::from(format!("{text}.")).hang(2));
        }
        for failure in &report.failures {
            let failed = Line::new().styled(Style::Error, "failed");
            lines.push(failed.then(format!("  {}: {}", failure.label, failure.reason)).hang(8));
        }
        if let [first, ..] = self.evidence.as_slice() {
            let folder = first.parent().unwrap_or(first).display();
            let files = counted(self.evidence.len(), "file");
            lines.push(Line::from(format!("Evidence: {files} in {folder}.")).hang(2));
        }
        let mut blocks = vec![Block::Lines(lines)];
        blocks.extend(notices(&self.notices));
        blocks
    }
}
