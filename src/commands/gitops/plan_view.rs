//! View of a plan.

use crate::{
    gitops::{ConfiguredState, GitopsPlan, ItemAction, PlanItem, PlanProblem, Risk},
    render::{Block, ChangeMark, DiffEntry, Style, TextLine},
    resources::connector::FieldDiff,
    text::count_noun,
};

/// Returns a plan: changes, problems, and what is not changed.
#[must_use]
pub(super) fn plan_blocks(plan: &GitopsPlan) -> Vec<Block> {
    let title = format!("Department {}  stage {}", plan.department, plan.stage);
    let mut blocks = Vec::new();
    if !plan.items.is_empty() {
        blocks.push(Block::Diff(plan.items.iter().map(diff_entry).collect()));
    }
    blocks.extend(problem_lines("Conflict", Style::Error, &plan.conflicts));
    blocks.extend(problem_lines("Error", Style::Error, &plan.errors));
    if !plan.policies.is_empty() {
        blocks.push(Block::Findings(plan.policies.clone()));
    }
    blocks.extend(problem_lines("Not checked", Style::Warning, &plan.not_checked));
    let mut lines = Vec::new();
    if !plan.unmanaged.is_empty() {
        let names: Vec<String> = plan
            .unmanaged
            .iter()
            .map(|live| format!("{} ({})", live.name, live.state))
            .collect();
        let text = format!("Without a file, and not changed: {}.", names.join(", "));
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Muted, text)
                .with_hanging_indent(2),
        );
    }
    if !plan.released.is_empty() {
        let names: Vec<&str> = plan.released.iter().map(|live| live.name.as_str()).collect();
        let text = format!("Unmanaged on purpose: {}.", names.join(", "));
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Muted, text)
                .with_hanging_indent(2),
        );
    }
    if let Some(freeze) = &plan.freeze {
        let text = format!("Frozen: {}.", freeze.describe(&plan.stage));
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Warning, text)
                .with_hanging_indent(2),
        );
    }
    if plan.secrets_not_compared > 0 {
        let text = format!(
            "{} cannot be compared, because Confluent Cloud returns no secrets.",
            count_noun(plan.secrets_not_compared, "secret")
        );
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Muted, text)
                .with_hanging_indent(2),
        );
    }
    lines.push(TextLine::from(format!("{}.", summary(plan))));
    if let Some(id) = &plan.id {
        lines.push(TextLine::from(format!("Plan {id}")));
    }
    blocks.push(Block::Lines(lines));
    vec![Block::titled(title, blocks)]
}

/// Returns the number of changes by action, such as `1 create, 2 update; 4 unchanged`.
fn summary(plan: &GitopsPlan) -> String {
    let actions = [
        ItemAction::Create,
        ItemAction::Update,
        ItemAction::Pause,
        ItemAction::Resume,
        ItemAction::Replace,
        ItemAction::Delete,
    ];
    let counts = actions.map(|action| (action, plan.items.iter().filter(|item| item.action == action).count()));
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(action, count)| format!("{count} to {action}"))
        .collect();
    if parts.is_empty() {
        parts.push("Nothing to change".to_owned());
    }
    parts.push(format!("{} unchanged", plan.unchanged.len()));
    parts.join(", ")
}

fn diff_entry(item: &PlanItem) -> DiffEntry {
    let mark = match item.action {
        ItemAction::Create => ChangeMark::Add,
        ItemAction::Update | ItemAction::Pause | ItemAction::Resume => ChangeMark::Change,
        ItemAction::Replace => ChangeMark::Replace,
        ItemAction::Delete => ChangeMark::Remove,
    };
    let mut name = match &item.replaces {
        Some(former) => format!("{former} → {}", item.address.name),
        None => item.address.name.clone(),
    };
    if item.final_state == Some(ConfiguredState::Paused) {
        name.push_str(" (paused)");
    }
    let mut entry = DiffEntry::new(mark, [item.action.as_str().to_owned(), name]);
    for field in item.fields.iter().filter(|_| item.action != ItemAction::Create) {
        let (old, new) = field_values(field);
        entry = entry.field(&field.config, old, new);
    }
    let reasons = item.reasons.join("; ");
    match item.risk {
        Risk::Normal => entry,
        risk => entry.with_reason(format!("{risk} risk: {reasons}")),
    }
}

fn field_values(field: &FieldDiff) -> (String, String) {
    match (&field.secret, &field.reference) {
        (None, _) => (
            field.old.clone().unwrap_or_default(),
            field.new.clone().unwrap_or_default(),
        ),
        (Some(_), Some(reference)) => ("(secret)".to_owned(), reference.clone()),
        (Some(_), None) => ("(secret)".to_owned(), String::new()),
    }
}

fn problem_lines(label: &str, style: Style, problems: &[PlanProblem]) -> Option<Block> {
    let line = |problem: &PlanProblem| {
        let mut text = match &problem.connector {
            Some(name) => format!("{label} in {name}: {}", problem.message),
            None => format!("{label}: {}", problem.message),
        };
        if let Some(fix) = &problem.fix {
            text = format!("{text}. {fix}");
        }
        TextLine::new().with_styled_text(style, text).with_hanging_indent(2)
    };
    (!problems.is_empty()).then(|| Block::Lines(problems.iter().map(line).collect()))
}
