//! What off-boarding answers.

use std::path::PathBuf;

use serde::Serialize;

use super::OffboardArgs;
use crate::{
    apply::ProvisioningReport as Applied,
    commands::provisioning::plan_view::{department_changes, plan_totals},
    connectors::BackupFile,
    model::{Department, DepartmentCode},
    plan::{
        Plan, PlannedChange, Teardown,
        teardown::{ForeignAcl, ForeignBinding},
    },
    provisioning::{
        Reconciliation, RemovalProof, RemovedKeyState, Retirement, connector_removal::DepartmentConnectors,
    },
    render::{Block, Style, TextLine, Viewable},
    text::count_noun,
};

/// How many topics are told to people one by one; all of them are in JSON and YAML.
const MAX_LISTED_TOPICS: usize = 20;

/// What was taken away, or would be.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct OffboardOutput {
    department: DepartmentCode,
    prefix: String,
    stage: String,
    dry_run: bool,
    /// The connectors of the prefix, by name.
    connectors: Vec<String>,
    /// Connectors of others that run under an account of the department.
    dependent_connectors: Vec<String>,
    /// The changes, in order.
    changes: Vec<PlannedChange>,
    /// What others hold on the prefix.
    foreign: Vec<ForeignBinding>,
    /// What ACLs say on the prefix about others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    foreign_acls: Vec<ForeignAcl>,
    /// The topics of the prefix, which stay; null when they could not be listed.
    topics: Option<Vec<String>>,
    #[serde(skip)]
    topics_unknown: Option<String>,
    /// The connectors that were saved.
    pub(super) backups: Vec<BackupFile>,
    /// The tombstone.
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
        let (topics, topics_unseen) = match topics {
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
            foreign_acls: down.foreign_acls.clone(),
            topics,
            topics_unknown: topics_unseen,
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

    /// What is proved about what was not looked at needs to know this, too.
    pub(super) fn topics_unknown(&self) -> Option<&str> {
        self.topics_unknown.as_deref()
    }

    /// The topics as they are told to people: the first of many.
    fn listed_topics(&self) -> Vec<String> {
        let topics = self.topics.as_deref().unwrap_or_default();
        let mut told: Vec<String> = topics.iter().take(MAX_LISTED_TOPICS).cloned().collect();
        if topics.len() > MAX_LISTED_TOPICS {
            told.push(format!("and {} more", topics.len() - MAX_LISTED_TOPICS));
        }
        told
    }

    fn plan(&self) -> Plan {
        Plan {
            changes: self.changes.clone(),
            ..Plan::default()
        }
    }
}

/// What would be taken away, for people.
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
    blocks.extend(listed("Connectors, removed first", &offboarding.connectors));
    blocks.extend(listed(
        "In the way: connectors of others that run under the department's account",
        &offboarding.dependent_connectors,
    ));
    blocks.extend(department_changes(&plan, &offboarding.department));
    blocks.push(Block::line(plan_totals(&plan)));
    let removed = |foreign: &&ForeignBinding| {
        offboarding.changes.iter().any(
            |change| matches!(&change.operation, crate::plan::PlannedOperation::DeleteBinding { id, .. } if *id == foreign.id),
        )
    };
    let removed_acl = |foreign: &&ForeignAcl| {
        offboarding
            .changes
            .iter()
            .any(|change| matches!(&change.operation, crate::plan::PlannedOperation::DeleteAcl { acl } if *acl == foreign.acl))
    };
    let mut stay: Vec<String> = offboarding
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
    let acls = offboarding.foreign_acls.iter().filter(|foreign| !removed_acl(foreign));
    stay.extend(acls.map(|foreign| format!("{}: {}", foreign.holder, foreign.acl.to_short_string())));
    blocks.extend(listed(
        "Held by others on the prefix (`--remove-foreign` removes them)",
        &stay,
    ));
    blocks.extend(listed("Topics of the prefix, which stay", &offboarding.listed_topics()));
    if let Some(reason) = &offboarding.topics_unknown {
        let unseen = format!("Topics of the prefix were not looked at: {reason}.");
        blocks.push(Block::line(
            TextLine::new()
                .with_styled_text(Style::Muted, unseen)
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
        let made = self.report.as_ref().map_or(0, |report| report.done.len());
        let headline = match (complete, made) {
            (true, 0) => format!(
                "Department {} has nothing left in stage {}.",
                self.department, self.stage
            ),
            (true, _) => format!(
                "Department {} is off-boarded from stage {}: {}.",
                self.department,
                self.stage,
                count_noun(made, "removal")
            ),
            (false, _) => format!(
                "Department {} is partly off-boarded from stage {}; the same command does the rest.",
                self.department, self.stage
            ),
        };
        let style = if complete { Style::Ok } else { Style::Error };
        lines.push(TextLine::new().with_styled_text(style, headline));
        for saved in &self.backups {
            lines.push(
                TextLine::from(format!("Saved {} to {}.", saved.name, saved.path.display())).with_hanging_indent(2),
            );
        }
        if let Some(Retirement { on, file: Some(file) }) = &self.retired {
            lines.push(TextLine::from(format!("Retired on {on} in {}.", file.display())).with_hanging_indent(2));
        }
        let topics = self.listed_topics();
        if !topics.is_empty() {
            let topics = topics.join(", ");
            lines.push(TextLine::from(format!("Topics of the prefix, which stay: {topics}.")).with_hanging_indent(2));
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
            lines.push(TextLine::from(format!("Evidence: {}.", first.display())).with_hanging_indent(2));
        }
        vec![Block::Lines(lines)]
    }
}

fn proof_lines(proof: &RemovalProof, prefix: &str) -> Vec<TextLine> {
    let count = |desired: RemovedKeyState| proof.keys.iter().filter(|key| key.state == desired).count();
    let mut lines = Vec::new();
    let words = [
        (RemovedKeyState::Refused, "answered with 401"),
        (RemovedKeyState::Gone, "no longer listed, without a secret here to try"),
        (RemovedKeyState::StillAccepted, "STILL ACCEPTED"),
        (RemovedKeyState::Inconclusive, "not to be tried"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .filter(|(proof, _)| count(*proof) > 0)
        .map(|(proof, word)| format!("{} {word}", count(proof)))
        .collect();
    if !parts.is_empty() {
        let keys = count_noun(proof.keys.len(), "API key");
        lines.push(TextLine::from(format!("Proof: of {keys}, {}.", parts.join(", "))).with_hanging_indent(2));
    }
    if count(RemovedKeyState::Refused) > 0 {
        // Keys are tried with the profiles that are at hand.
        let dead =
            "The profiles that were handed over open nothing any more: delete them, here and wherever they are kept.";
        lines.push(TextLine::from(dead).with_hanging_indent(2));
    }
    let administrators: Vec<&str> = proof
        .residual_access
        .administrators
        .iter()
        .map(String::as_str)
        .collect();
    let who = match (administrators.is_empty(), proof.residual_access.others.is_empty()) {
        (true, true) => "nobody that this key can see".to_owned(),
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
    lines.push(
        TextLine::from(format!(
            "Who can still act on names that begin with \"{prefix}\": {who}."
        ))
        .with_hanging_indent(2),
    );
    for unknown in &proof.not_observed {
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Muted, format!("Not looked at: {unknown}."))
                .with_hanging_indent(2),
        );
    }
    lines
}
