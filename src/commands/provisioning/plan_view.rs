//! Views of planned changes of service accounts, grants and API keys.

use crate::{
    model::DepartmentCode,
    plan::{Action, Plan, PlannedChange, PlannedOperation},
    render::{Block, ChangeMark, view},
    text::count_noun,
};

/// Returns the changes of a department, or `None` if there are none.
pub(crate) fn department_changes(plan: &Plan, department: &DepartmentCode) -> Option<Block> {
    // Probes and deliveries follow from the keys, so they are omitted.
    let is_shown = |change: &&PlannedChange| {
        let follows = matches!(
            change.operation,
            PlannedOperation::Prove { .. } | PlannedOperation::HandOver { .. }
        );
        change.department == *department && !follows
    };
    let changes: Vec<view::DiffEntry> = plan.changes.iter().filter(is_shown).map(change_view).collect();
    (!changes.is_empty()).then_some(Block::Diff(changes))
}

fn change_mark(action: Action) -> ChangeMark {
    match action {
        Action::Create => ChangeMark::Add,
        Action::Update => ChangeMark::Change,
        Action::Replace => ChangeMark::Replace,
        Action::Delete => ChangeMark::Remove,
    }
}

/// Joins parts, such as `3 service accounts, 8 role bindings and 2 API keys`.
fn format_list(parts: &[String]) -> String {
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Returns a sentence with the number of changes by action and kind.
#[must_use]
pub(crate) fn plan_totals(plan: &Plan) -> String {
    let describe = |(action, counts): (Action, Vec<(&str, usize)>)| {
        let verb = match action {
            Action::Create => "to create",
            Action::Update => "to update",
            Action::Replace => "to replace",
            Action::Delete => "to delete",
        };
        let counts: Vec<String> = counts
            .into_iter()
            .map(|(noun, count)| count_noun(count, noun))
            .collect();
        format!("{} {verb}", format_list(&counts))
    };
    let parts: Vec<String> = plan.totals().into_iter().map(describe).collect();
    if parts.is_empty() {
        "Plan: no changes.".to_owned()
    } else {
        format!("Plan: {}.", parts.join("; "))
    }
}

fn change_view(change: &PlannedChange) -> view::DiffEntry {
    let mut words = vec![change.operation.kind().to_owned()];
    words.extend(change.what.split("  ").map(str::to_owned));
    let mut entry = view::DiffEntry::new(change_mark(change.action), words);
    // The reason for a new account or key is obvious.
    let is_obvious = matches!(
        change.operation,
        PlannedOperation::CreateAccount { .. } | PlannedOperation::CreateKey { .. }
    );
    if !is_obvious {
        entry = entry.with_reason(change.why.clone());
    }
    if let PlannedOperation::UpdateAccount { from, to, .. } = &change.operation {
        entry = entry.field("description", from.clone(), to.clone());
    }
    entry
}
