//! View of an offboarding.

use crate::{
    commands::provisioning::plan_view::{department_changes, plan_totals, titled_lines},
    provisioning::offboarding::{OffboardOutcome, RemainingStage, RemovalProof, RemovedKeyState, Retirement},
    render::{Block, Style, TextLine, Viewable},
    text::count_noun,
};

/// Maximum number of listed topics; JSON and YAML contain all of them.
const MAX_LISTED_TOPICS: usize = 20;

/// Returns the first topics, and the number of further ones.
fn listed_topics(outcome: &OffboardOutcome) -> Vec<String> {
    let topics = outcome.topics.as_deref().unwrap_or_default();
    let mut listed: Vec<String> = topics.iter().take(MAX_LISTED_TOPICS).cloned().collect();
    if topics.len() > MAX_LISTED_TOPICS {
        listed.push(format!("and {} more", topics.len() - MAX_LISTED_TOPICS));
    }
    listed
}

/// Returns the plan as blocks.
pub(super) fn plan_blocks(planned: &OffboardOutcome) -> Vec<Block> {
    let title = format!(
        "Department {}  prefix {}  stage {}",
        planned.department, planned.prefix, planned.stage
    );
    let mut blocks = vec![Block::line(TextLine::new().with_styled_text(Style::Heading, title))];
    blocks.extend(titled_lines("Connectors (deleted first)", &planned.connectors));
    blocks.extend(titled_lines(
        "Blocking: other connectors that run under the department's service accounts",
        &planned.dependent_connectors,
    ));
    blocks.extend(department_changes(&planned.changes, &planned.department));
    blocks.push(Block::line(plan_totals(&planned.changes)));
    let bindings = planned.kept_bindings().map(|foreign| {
        let binding = &foreign.binding;
        let resource = binding.pattern.to_short_string();
        format!("{} holds {} on {resource}", foreign.holder, binding.role)
    });
    blocks.extend(titled_lines(
        "Grants of other principals on the prefix (kept; `--remove-foreign` removes them)",
        bindings.chain(planned.kept_objects()),
    ));
    blocks.extend(titled_lines("Topics with the prefix (kept)", listed_topics(planned)));
    let record = planned.retired.as_ref();
    let mut lines: Vec<TextLine> = record
        .and_then(|record| record_line(record, true))
        .into_iter()
        .collect();
    lines.extend(other_stage_lines(&planned.other_stages));
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    if let Some(reason) = &planned.topics_unknown {
        let text = format!("Topics with the prefix: unknown, they could not be listed ({reason}).");
        let line = TextLine::new().with_styled_text(Style::Muted, text);
        blocks.push(Block::line(line.with_hanging_indent(2)));
    }
    blocks
}

/// Returns the line about the change of the department's file, before or after it.
fn record_line(retirement: &Retirement, planned: bool) -> Option<TextLine> {
    let file = retirement.file.as_ref()?.display();
    let setting = retirement.setting();
    let line = match (planned, retirement.recorded) {
        (false, true) => format!("Set `{setting}` in `{file}`."),
        (false, false) => format!("A run without the sandbox would set `{setting}` in `{file}`."),
        (true, _) => format!("The file `{file}` gets `{setting}`, except in a sandbox."),
    };
    Some(TextLine::from(line).with_hanging_indent(2))
}

/// Returns one line per stage in which the department still has access.
fn other_stage_lines(stages: &[RemainingStage]) -> impl Iterator<Item = TextLine> {
    stages.iter().map(|remaining| {
        let text = format!(
            "Stage `{}` is unchanged: {} with access remain there.",
            remaining.stage,
            count_noun(remaining.accounts, "account")
        );
        TextLine::from(text).with_hanging_indent(2)
    })
}

impl Viewable for OffboardOutcome {
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
        lines.extend(
            self.retired
                .as_ref()
                .and_then(|retirement| record_line(retirement, false)),
        );
        lines.extend(other_stage_lines(&self.other_stages));
        let topics = listed_topics(self);
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
            lines.extend(proof_lines(proof, self.prefix.as_str()));
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
        let useless = "The delivered profiles are useless now. Delete them here with `confluent ebs profile prune`, and where the \
                       department keeps them.";
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
