//! Output of `keys rotate` and `keys revoke`.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    apply::ProvisioningReport as Applied,
    commands::provisioning::{
        delivery_lines,
        plan_view::{department_changes, plan_totals},
        probe_line,
    },
    model::DepartmentCode,
    plan::{Plan, PlannedChange, PlannedOperation},
    provisioning::DeliveryReport,
    render::{Block, Style, TextLine, Viewable},
    text::count_noun,
};

/// Planned or applied changes of keys.
#[derive(Debug, Serialize)]
pub(super) struct KeysChangeOutput {
    stage: String,
    dry_run: bool,
    changes: Vec<PlannedChange>,
    /// Notices of the plan.
    notices: Vec<String>,
    #[serde(flatten)]
    report: Option<Applied>,
    credentials_dir: PathBuf,
    /// Deliveries of profiles.
    #[serde(flatten)]
    deliveries: DeliveryReport,
    evidence: Vec<PathBuf>,
}

impl KeysChangeOutput {
    pub(super) fn new(stage: &str, credentials_dir: &std::path::Path, plan: &Plan) -> Self {
        Self {
            stage: stage.to_owned(),
            dry_run: false,
            changes: plan.changes.clone(),
            notices: plan.notices.clone(),
            report: None,
            credentials_dir: credentials_dir.to_owned(),
            deliveries: DeliveryReport::default(),
            evidence: Vec::new(),
        }
    }

    pub(super) fn with_deliveries(mut self, deliveries: DeliveryReport) -> Self {
        self.deliveries = deliveries;
        self
    }

    pub(super) fn planned(mut self) -> Self {
        self.dry_run = true;
        self
    }

    pub(super) fn with_evidence(mut self, evidence: Vec<PathBuf>) -> Self {
        self.evidence = evidence;
        self
    }

    pub(super) fn applied(mut self, report: Applied, evidence: Vec<PathBuf>) -> Self {
        self.report = Some(report);
        self.evidence = evidence;
        self
    }
}

/// Returns a plan as blocks.
pub(super) fn plan_blocks(plan: &Plan, departments: &[DepartmentCode]) -> Vec<Block> {
    let mut blocks: Vec<Block> = departments
        .iter()
        .filter_map(|code| {
            Some(Block::titled(
                format!("Department {code}"),
                [department_changes(plan, code)?],
            ))
        })
        .collect();
    blocks.push(Block::line(plan_totals(plan)));
    blocks.extend(notice_block(&plan.notices));
    blocks
}

fn notice_block(notices: &[String]) -> Option<Block> {
    let lines = notices
        .iter()
        .map(|notice| TextLine::from(notice.as_str()).with_hanging_indent(2));
    (!notices.is_empty()).then(|| Block::Lines(lines.collect()))
}

impl Viewable for KeysChangeOutput {
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
            let mut lines = vec![TextLine::from("No API keys were created or deleted.")];
            lines.extend(delivery_lines(&self.deliveries, &[]));
            let mut blocks = vec![Block::Lines(lines)];
            blocks.extend(notice_block(&self.notices));
            return blocks;
        };
        let count_applied = |operation: fn(&PlannedOperation) -> bool| {
            let done = report.done.iter().map(|step| &self.changes[step.change]);
            done.filter(|change| operation(&change.operation)).count()
        };
        let created = count_applied(|operation| matches!(operation, PlannedOperation::CreateKey { .. }));
        let deleted = count_applied(|operation| matches!(operation, PlannedOperation::DeleteKey { .. }));
        let style = if report.is_complete() { Style::Ok } else { Style::Error };
        let mut parts = Vec::new();
        if created > 0 {
            parts.push(format!("{} created", count_noun(created, "API key")));
        }
        if deleted > 0 {
            parts.push(format!("{} deleted", count_noun(deleted, "API key")));
        }
        if !report.profiles.is_empty() {
            parts.push(format!("{} written", count_noun(report.profiles.len(), "profile")));
        }
        if parts.is_empty() {
            parts.push("Nothing was changed".to_owned());
        }
        let mut lines = vec![TextLine::new().with_styled_text(style, format!("{}.", parts.join(", ")))];
        for profile in &report.profiles {
            let text = format!(
                "  {} of {}: `{}`",
                profile.persona,
                profile.department,
                profile.path.display()
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        lines.extend(delivery_lines(&self.deliveries, &report.profiles));
        lines.extend(probe_line(report));
        for failure in &report.failures {
            let failed = TextLine::new().with_styled_text(Style::Error, "failed");
            lines.push(
                failed
                    .with_text(format!("  {}: {}", failure.label, failure.reason))
                    .with_hanging_indent(8),
            );
        }
        if let [first, ..] = self.evidence.as_slice() {
            let folder = first.parent().unwrap_or(first).display();
            let files = count_noun(self.evidence.len(), "file");
            lines.push(TextLine::from(format!("Evidence: {files} in `{folder}`.")).with_hanging_indent(2));
        }
        let mut blocks = vec![Block::Lines(lines)];
        blocks.extend(notice_block(&self.notices));
        blocks
    }
}
