//! What off-boarding answers.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    Offboard,
    connectors::There,
    proof::{KeyProof, Proof},
    retire::Retired,
};
use crate::{
    apply::Report as Applied,
    commands::{
        connector::Saved,
        estate::{
            Estate,
            shown::{changes, counted, totals},
        },
    },
    model::{Department, DepartmentCode},
    plan::{
        Change, Plan, Teardown,
        teardown::{ForeignAcl, ForeignBinding},
    },
    render::{Block, Line, Style, Viewable},
};

/// How many topics are told to people one by one; all of them are in JSON and YAML.
const TOLD_TOPICS: usize = 20;

/// What was taken away, or would be.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Offboarding {
    department: DepartmentCode,
    prefix: String,
    stage: String,
    dry_run: bool,
    /// The connectors of the prefix, by name.
    connectors: Vec<String>,
    /// Connectors of others that run under an account of the department.
    borrowed: Vec<String>,
    /// The changes, in order.
    changes: Vec<Change>,
    /// What others hold on the prefix.
    foreign: Vec<ForeignBinding>,
    /// What ACLs say on the prefix about others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    foreign_acls: Vec<ForeignAcl>,
    /// The topics of the prefix, which stay; null when they could not be listed.
    topics: Option<Vec<String>>,
    #[serde(skip)]
    topics_unseen: Option<String>,
    /// The connectors that were saved.
    pub(super) saved: Vec<Saved>,
    /// The tombstone.
    pub(super) retired: Option<Retired>,
    #[serde(flatten)]
    report: Option<Applied>,
    pub(super) proof: Option<Proof>,
    pub(super) evidence: Vec<PathBuf>,
}

impl Offboarding {
    pub(super) fn new(
        estate: &Estate<'_>,
        department: &Department,
        down: &Teardown,
        there: &There,
        topics: Result<Vec<String>, String>,
        asked: &Offboard,
    ) -> Self {
        let (topics, topics_unseen) = match topics {
            Ok(topics) => (Some(topics), None),
            Err(reason) => (None, Some(reason)),
        };
        let names = |connectors: &[crate::resources::connector::Seen]| -> Vec<String> {
            connectors.iter().map(|seen| seen.name.clone()).collect()
        };
        Self {
            department: department.code.clone(),
            prefix: department.prefix.to_string(),
            stage: estate.session.stage_name.clone(),
            dry_run: asked.dry_run,
            connectors: names(&there.own),
            borrowed: names(&there.borrowed),
            changes: down.plan.changes.clone(),
            foreign: down.foreign.clone(),
            foreign_acls: down.foreign_acls.clone(),
            topics,
            topics_unseen,
            saved: Vec::new(),
            retired: None,
            report: None,
            proof: None,
            evidence: Vec::new(),
        }
    }

    pub(super) fn done(&mut self, report: Applied, evidence: Vec<PathBuf>) {
        self.report = Some(report);
        self.evidence = evidence;
    }

    /// What is proved about what was not looked at needs to know this, too.
    pub(super) fn topics_unseen(&self) -> Option<&str> {
        self.topics_unseen.as_deref()
    }

    /// The topics as they are told to people: the first of many.
    fn told_topics(&self) -> Vec<String> {
        let topics = self.topics.as_deref().unwrap_or_default();
        let mut told: Vec<String> = topics.iter().take(TOLD_TOPICS).cloned().collect();
        if topics.len() > TOLD_TOPICS {
            told.push(format!("and {} more", topics.len() - TOLD_TOPICS));
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
pub(super) fn plan_blocks(offboarding: &Offboarding) -> Vec<Block> {
    let plan = offboarding.plan();
    let mut blocks = vec![Block::line(Line::new().styled(
        Style::Heading,
        format!(
            "Department {}  prefix {}  stage {}",
            offboarding.department, offboarding.prefix, offboarding.stage
        ),
    ))];
    let listed = |title: &str, items: &[String]| {
        let lines = items.iter().map(|item| Line::from(format!("  {item}")).hang(4));
        (!items.is_empty()).then(|| Block::titled(title, [Block::Lines(lines.collect())]))
    };
    blocks.extend(listed("Connectors, removed first", &offboarding.connectors));
    blocks.extend(listed(
        "In the way: connectors of others that run under the department's account",
        &offboarding.borrowed,
    ));
    blocks.extend(changes(&plan, &offboarding.department));
    blocks.push(Block::line(totals(&plan)));
    let removed = |foreign: &&ForeignBinding| {
        offboarding.changes.iter().any(
            |change| matches!(&change.operation, crate::plan::Operation::DeleteBinding { id, .. } if *id == foreign.id),
        )
    };
    let removed_acl = |foreign: &&ForeignAcl| {
        offboarding
            .changes
            .iter()
            .any(|change| matches!(&change.operation, crate::plan::Operation::DeleteAcl { acl } if *acl == foreign.acl))
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
                binding.pattern.short()
            )
        })
        .collect();
    let acls = offboarding.foreign_acls.iter().filter(|foreign| !removed_acl(foreign));
    stay.extend(acls.map(|foreign| format!("{}: {}", foreign.holder, foreign.acl.short())));
    blocks.extend(listed(
        "Held by others on the prefix (`--remove-foreign` removes them)",
        &stay,
    ));
    blocks.extend(listed("Topics of the prefix, which stay", &offboarding.told_topics()));
    if let Some(reason) = &offboarding.topics_unseen {
        let unseen = format!("Topics of the prefix were not looked at: {reason}.");
        blocks.push(Block::line(Line::new().styled(Style::Muted, unseen).hang(2)));
    }
    blocks
}

impl Viewable for Offboarding {
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
                counted(made, "removal")
            ),
            (false, _) => format!(
                "Department {} is partly off-boarded from stage {}; the same command does the rest.",
                self.department, self.stage
            ),
        };
        let style = if complete { Style::Ok } else { Style::Error };
        lines.push(Line::new().styled(style, headline));
        for saved in &self.saved {
            lines.push(Line::from(format!("Saved {} to {}.", saved.name, saved.path.display())).hang(2));
        }
        if let Some(Retired { on, file: Some(file) }) = &self.retired {
            lines.push(Line::from(format!("Retired on {on} in {}.", file.display())).hang(2));
        }
        let topics = self.told_topics();
        if !topics.is_empty() {
            let topics = topics.join(", ");
            lines.push(Line::from(format!("Topics of the prefix, which stay: {topics}.")).hang(2));
        }
        for failure in self.report.iter().flat_map(|report| &report.failures) {
            let failed = Line::new().styled(Style::Error, "failed");
            lines.push(failed.then(format!("  {}: {}", failure.label, failure.reason)).hang(8));
        }
        if let Some(proof) = &self.proof {
            lines.extend(proof_lines(proof, &self.prefix));
        }
        if let [first, ..] = self.evidence.as_slice() {
            lines.push(Line::from(format!("Evidence: {}.", first.display())).hang(2));
        }
        vec![Block::Lines(lines)]
    }
}

fn proof_lines(proof: &Proof, prefix: &str) -> Vec<Line> {
    let count = |wanted: KeyProof| proof.keys.iter().filter(|key| key.proof == wanted).count();
    let mut lines = Vec::new();
    let words = [
        (KeyProof::Refused, "answered with 401"),
        (KeyProof::Gone, "no longer listed, without a secret here to try"),
        (KeyProof::StillAccepted, "STILL ACCEPTED"),
        (KeyProof::NotProvable, "not to be tried"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .filter(|(proof, _)| count(*proof) > 0)
        .map(|(proof, word)| format!("{} {word}", count(proof)))
        .collect();
    if !parts.is_empty() {
        let keys = counted(proof.keys.len(), "API key");
        lines.push(Line::from(format!("Proof: of {keys}, {}.", parts.join(", "))).hang(2));
    }
    if count(KeyProof::Refused) > 0 {
        // Keys are tried with the profiles that are at hand.
        let dead =
            "The profiles that were handed over open nothing any more: delete them, here and wherever they are kept.";
        lines.push(Line::from(dead).hang(2));
    }
    let administrators: Vec<&str> = proof.reach.administrators.iter().map(String::as_str).collect();
    let who = match (administrators.is_empty(), proof.reach.others.is_empty()) {
        (true, true) => "nobody that this key can see".to_owned(),
        (false, true) => format!("only administrators: {}", administrators.join(", ")),
        (_, false) => format!(
            "administrators ({}) and OTHERS: {}",
            administrators.join(", "),
            proof
                .reach
                .others
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    lines.push(
        Line::from(format!(
            "Who can still act on names that begin with \"{prefix}\": {who}."
        ))
        .hang(2),
    );
    for unknown in &proof.not_looked_at {
        lines.push(
            Line::new()
                .styled(Style::Muted, format!("Not looked at: {unknown}."))
                .hang(2),
        );
    }
    lines
}
