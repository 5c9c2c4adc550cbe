//! Changes of accounts, bindings and keys, for people.

use std::collections::BTreeMap;

use crate::{
    model::DepartmentCode,
    plan::{Action, Plan, PlannedChange, PlannedOperation},
    render::{Block, ChangeMark, view},
};

/// What is done for a department; nothing when nothing is.
pub(crate) fn department_changes(plan: &Plan, department: &DepartmentCode) -> Option<Block> {
    // Proofs and hand-overs follow from the keys: they would only lengthen the list.
    let told = |change: &&PlannedChange| {
        let follows = matches!(
            change.operation,
            PlannedOperation::Prove { .. } | PlannedOperation::HandOver { .. }
        );
        change.department == *department && !follows
    };
    let changes: Vec<view::DiffEntry> = plan.changes.iter().filter(told).map(change_view).collect();
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

/// `1 role binding`, `2 role bindings`.
#[must_use]
pub(crate) fn count_noun(count: usize, singular: &str) -> String {
    let plural = match count {
        1 => String::new(),
        _ => "s".to_owned(),
    };
    format!("{count} {singular}{plural}")
}

/// `3 service accounts, 8 role bindings and 2 API keys`.
fn format_list(parts: &[String]) -> String {
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn kind_label(kind: &str) -> &'static str {
    match kind {
        "service-account" => "service account",
        "role-binding" => "role binding",
        "acl" => "ACL",
        "api-key" => "API key",
        _ => "object",
    }
}

/// What a plan does at the service, as one sentence.
#[must_use]
pub(crate) fn plan_totals(plan: &Plan) -> String {
    let mut by_action: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in ["service-account", "role-binding", "acl", "api-key"] {
        for ((symbol, of), count) in plan.totals() {
            if of == kind {
                by_action
                    .entry(symbol)
                    .or_default()
                    .push(count_noun(count, kind_label(kind)));
            }
        }
    }
    let verbs = [
        ("+", "to create"),
        ("~", "to update"),
        ("±", "to replace"),
        ("-", "to delete"),
    ];
    let parts: Vec<String> = verbs
        .into_iter()
        .filter_map(|(symbol, verb)| Some(format!("{} {verb}", format_list(&by_action.remove(symbol)?))))
        .collect();
    match parts.is_empty() {
        true => "Plan: nothing to do.".to_owned(),
        false => format!("Plan: {}.", parts.join("; ")),
    }
}

fn change_view(change: &PlannedChange) -> view::DiffEntry {
    let mut words = vec![change.operation.kind().to_owned()];
    words.extend(change.what.split("  ").map(str::to_owned));
    let mut shown = view::DiffEntry::new(change_mark(change.action), words);
    // Why a persona has an account and a key goes without saying.
    if ["role-binding", "acl"].contains(&change.operation.kind()) || change.action != Action::Create {
        shown = shown.with_reason(change.why.clone());
    }
    if let PlannedOperation::UpdateAccount { from, to, .. } = &change.operation {
        shown = shown.field("description", from.clone(), to.clone());
    }
    shown
}
