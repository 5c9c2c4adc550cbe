//! Output of `offboard`.

use std::path::PathBuf;

use serde::Serialize;

use super::OffboardArgs;
use crate::{
    apply::ProvisioningReport as Applied,
    commands::provisioning::plan_view::{department_changes, plan_totals},
    connectors::BackupFile,
    model::{Department, DepartmentCode},
    plan::{
        ForeignObject, ForeignObjects, ObjectOperation, Plan, PlannedChange, PlannedOperation, Teardown,
        teardown::ForeignBinding,
    },
    provisioning::{
        Reconciliation, RemovalProof, RemovedKeyState, Retirement, connector_removal::DepartmentConnectors,
    },
    render::{Block, Style, TextLine, Viewable},
    text::count_noun,
};

/// Maximum number of topics in human output; JSON and YAML contain all of them.
const MAX_LISTED_TOPICS: usize = 20;

/// Planned or applied offboarding.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct OffboardOutput {
    department: DepartmentCode,
    prefix: String,
    stage: String,
    dry_run: bool,
    /// Names of the connectors with the prefix.
    connectors: Vec<String>,
    /// Names of other connectors that run under a service account of the department.
    dependent_connectors: Vec<String>,
    /// Changes in order of execution.
    changes: Vec<PlannedChange>,
    /// Role bindings of other principals on the prefix.
    foreign: Vec<ForeignBinding>,
    /// Objects of other principals on the prefix.
    #[serde(flatten)]
    foreign_objects: ForeignObjects,
    /// Topics with the prefix, which are kept; `None` if they could not be listed.
    topics: Option<Vec<String>>,
    #[serde(skip)]
    topics_unknown: Option<String>,
    /// Backups of the connectors.
    pub(super) backups: Vec<BackupFile>,
    /// Retirement of the department.
    pub(super) retired: Option<Retirement>,
    #[serde(flatten)]
    report: Option<Applied>,
    pub(super) proof: Option<RemovalProof>,
    pub(super) evidence: Vec<PathBuf>,
}

impl OffboardOutput {
    pub(super) fn new(
        reconciliation: &Reconciliation<'_>,
        department: &Department,
        down: &Teardown,
        connectors: &DepartmentConnectors,
        topics: Result<Vec<String>, String>,
        args: &OffboardArgs,
    ) -> Self {
        let (topics, topics_unknown) = match topics {
            Ok(topics) => (Some(topics), None),
            Err(reason) => (None, Some(reason)),
        };
        let names = |connectors: &[crate::resources::connector::LiveConnector]| -> Vec<String> {
            connectors.iter().map(|observed| observed.name.clone()).collect()
        };
        Self {
            department: department.code.clone(),
            prefix: department.prefix.to_string(),
            stage: reconciliation.session.stage_name.clone(),
            dry_run: args.dry_run,
            connectors: names(&connectors.own),
            dependent_connectors: names(&connectors.dependent),
            changes: down.plan.changes.clone(),
            foreign: down.foreign.clone(),
            foreign_objects: down.foreign_objects.clone(),
            topics,
            topics_unknown,
            backups: Vec::new(),
            retired: None,
            report: None,
            proof: None,
            evidence: Vec::new(),
        }
    }

    pub(super) fn set_applied(&mut self, report: Applied, evidence: Vec<PathBuf>) {
        self.report = Some(report);
        self.evidence = evidence;
    }

    /// Returns why the topics could not be listed.
    pub(super) fn topics_unknown(&self) -> Option<&str> {
        self.topics_unknown.as_deref()
    }

    /// Returns the first topics, and the number of further ones.
    fn listed_topics(&self) -> Vec<String> {
        let topics = self.topics.as_deref().unwrap_or_default();
        let mut listed: Vec<String> = topics.iter().take(MAX_LISTED_TOPICS).cloned().collect();
        if topics.len() > MAX_LISTED_TOPICS {
            listed.push(format!("and {} more", topics.len() - MAX_LISTED_TOPICS));
        }
        listed
    }

    fn plan(&self) -> Plan {
        Plan {
            changes: self.changes.clone(),
            ..Plan::default()
        }
    }
}

/// Returns the plan as blocks.
pub(super) fn plan_blocks(offboarding: &OffboardOutput) -> Vec<Block> {
    let plan = offboarding.plan();
    let mut blocks = vec![Block::line(TextLine::new().with_styled_text(
        Style::Heading,
        format!(
            "Department {}  prefix {}  stage {}",
            offboarding.department, offboarding.prefix, offboarding.stage
        ),
    ))];
    let listed = |title: &str, items: &[String]| {
        let lines = items
            .iter()
            .map(|item| TextLine::from(format!("  {item}")).with_hanging_indent(4));
        (!items.is_empty()).then(|| Block::titled(title, [Block::Lines(lines.collect())]))
    };
    blocks.extend(listed("Connectors (deleted first)", &offboarding.connectors));
    blocks.extend(listed(
        "Blocking: other connectors that run under the department's service accounts",
        &offboarding.dependent_connectors,
    ));
    blocks.extend(department_changes(&plan, &offboarding.department));
    blocks.push(Block::line(plan_totals(&plan)));
    let removed = |foreign: &&ForeignBinding| {
        offboarding
            .changes
            .iter()
            .any(|change| matches!(&change.operation, PlannedOperation::DeleteBinding { id, .. } if *id == foreign.id))
    };
    let is_kept = |foreign: &&ForeignObject| {
        let removes = |change: &PlannedChange| {
            matches!(
                &change.operation,
                PlannedOperation::Object(ObjectOperation::Delete { object }) if *object == foreign.object
            )
        };
        !offboarding.changes.iter().any(removes)
    };
    let mut kept: Vec<String> = offboarding
        .foreign
        .iter()
        .filter(|foreign| !removed(foreign))
        .map(|foreign| {
            let binding = &foreign.binding;
            format!(
                "{} holds {} on {}",
                foreign.holder,
                binding.role,
                binding.pattern.to_short_string()
            )
        })
        .collect();
    let objects = offboarding.foreign_objects.0.iter().filter(is_kept);
    kept.extend(objects.map(ForeignObject::to_sentence));
    blocks.extend(listed(
        "Grants of other principals on the prefix (kept; `--remove-foreign` removes them)",
        &kept,
    ));
    blocks.extend(listed("Topics with the prefix (kept)", &offboarding.listed_topics()));
    if let Some(reason) = &offboarding.topics_unknown {
        let unknown = format!("Topics with the prefix: unknown, they could not be listed ({reason}).");
        blocks.push(Block::line(
            TextLine::new()
                .with_styled_text(Style::Muted, unknown)
                .with_hanging_indent(2),
        ));
    }
    blocks
}

impl Viewable for OffboardOutput {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            return plan_blocks(self);
        }
        let mut lines = Vec::new();
        let complete = self.report.as_ref().is_none_or(|report| report.is_complete());
        let applied = self.report.as_ref().map_or(0, |report| report.done.len());
        let headline = match (complete, applied) {
            (true, 0) => format!(
                "Department `{}` has no remaining access in stage `{}`.",
                self.department, self.stage
            ),
            (true, _) => format!(
                "Offboarded department `{}` from stage `{}`: {}.",
                self.department,
                self.stage,
                count_noun(applied, "change")
            ),
            (false, _) => format!(
                "Offboarding of department `{}` from stage `{}` is incomplete.",
                self.department, self.stage
            ),
        };
        let style = if complete { Style::Ok } else { Style::Error };
        lines.push(TextLine::new().with_styled_text(style, headline));
        for backup in &self.backups {
            let text = format!("Backup of connector `{}`: `{}`.", backup.name, backup.path.display());
            lines.push(TextLine::from(text).with_hanging_indent(2));
        }
        if let Some(Retirement { on, file: Some(file) }) = &self.retired {
            lines.push(TextLine::from(format!("Set `retired = {on}` in `{}`.", file.display())).with_hanging_indent(2));
        }
        let topics = self.listed_topics();
        if !topics.is_empty() {
            let topics = topics.join(", ");
            lines.push(TextLine::from(format!("Topics with the prefix (kept): {topics}.")).with_hanging_indent(2));
        }
        for failure in self.report.iter().flat_map(|report| &report.failures) {
            let failed = TextLine::new().with_styled_text(Style::Error, "failed");
            lines.push(
                failed
                    .with_text(format!("  {}: {}", failure.label, failure.reason))
                    .with_hanging_indent(8),
            );
        }
        if let Some(proof) = &self.proof {
            lines.extend(proof_lines(proof, &self.prefix));
        }
        if let [first, ..] = self.evidence.as_slice() {
            lines.push(TextLine::from(format!("Evidence: `{}`.", first.display())).with_hanging_indent(2));
        }
        vec![Block::Lines(lines)]
    }
}

fn proof_lines(proof: &RemovalProof, prefix: &str) -> Vec<TextLine> {
    let count = |desired: RemovedKeyState| proof.keys.iter().filter(|key| key.state == desired).count();
    let mut lines = Vec::new();
    let labels = [
        (RemovedKeyState::Refused, "rejected with 401"),
        (
            RemovedKeyState::Gone,
            "no longer listed (not tested: its secret is not stored here)",
        ),
        (RemovedKeyState::StillAccepted, "STILL ACCEPTED"),
        (RemovedKeyState::Inconclusive, "inconclusive"),
    ];
    let parts: Vec<String> = labels
        .into_iter()
        .filter(|(state, _)| count(*state) > 0)
        .map(|(state, label)| format!("{} {label}", count(state)))
        .collect();
    if !parts.is_empty() {
        let keys = count_noun(proof.keys.len(), "API key");
        lines.push(TextLine::from(format!("Proof for {keys}: {}.", parts.join(", "))).with_hanging_indent(2));
    }
    if count(RemovedKeyState::Refused) > 0 {
        // A rejected key was tested with a stored profile.
        let useless = "The delivered profiles are useless now. Delete them here and where the department keeps them.";
        lines.push(TextLine::from(useless).with_hanging_indent(2));
    }
    let administrators: Vec<&str> = proof
        .residual_access
        .administrators
        .iter()
        .map(String::as_str)
        .collect();
    let who = match (administrators.is_empty(), proof.residual_access.others.is_empty()) {
        (true, true) => "no principal visible to this API key".to_owned(),
        (false, true) => format!("only administrators: {}", administrators.join(", ")),
        (_, false) => format!(
            "administrators ({}) and OTHERS: {}",
            administrators.join(", "),
            proof
                .residual_access
                .others
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    lines.push(TextLine::from(format!("Remaining access to the prefix `{prefix}`: {who}.")).with_hanging_indent(2));
    for unknown in &proof.not_observed {
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Muted, format!("Not part of the proof: {unknown}."))
                .with_hanging_indent(2),
        );
    }
    lines
}
