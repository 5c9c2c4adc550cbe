//! Changes of accounts, bindings and keys, for people.

use std::collections::BTreeMap;

use crate::{
    model::DepartmentCode,
    plan::{Action, Change, Operation, Plan},
    render::{Block, Mark, view},
};

/// What is done for a department; nothing when nothing is.
pub(crate) fn changes(plan: &Plan, department: &DepartmentCode) -> Option<Block> {
    // Proofs and hand-overs follow from the keys: they would only lengthen the list.
    let told = |change: &&Change| {
        let follows = matches!(change.operation, Operation::Prove { .. } | Operation::HandOver { .. });
        change.department == *department && !follows
    };
    let changes: Vec<view::Change> = plan.changes.iter().filter(told).map(shown).collect();
    (!changes.is_empty()).then_some(Block::Diff(changes))
}

fn mark(action: Action) -> Mark {
    match action {
        Action::Create => Mark::Add,
        Action::Update => Mark::Change,
        Action::Replace => Mark::Replace,
        Action::Delete => Mark::Remove,
    }
}

/// `1 role binding`, `2 role bindings`.
#[must_use]
pub(crate) fn counted(count: usize, singular: &str) -> String {
    let plural = match count {
        1 => String::new(),
        _ => "s".to_owned(),
    };
    format!("{count} {singular}{plural}")
}

/// `3 service accounts, 8 role bindings and 2 API keys`.
fn listed(parts: &[String]) -> String {
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn word(kind: &str) -> &'static str {
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
pub(crate) fn totals(plan: &Plan) -> String {
    let mut by_action: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in ["service-account", "role-binding", "acl", "api-key"] {
        for ((symbol, of), count) in plan.totals() {
            if of == kind {
                by_action.entry(symbol).or_default().push(counted(count, word(kind)));
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
        .filter_map(|(symbol, verb)| Some(format!("{} {verb}", listed(&by_action.remove(symbol)?))))
        .collect();
    match parts.is_empty() {
        true => "Plan: nothing to do.".to_owned(),
        false => format!("Plan: {}.", parts.join("; ")),
    }
}

fn shown(change: &Change) -> view::Change {
    let mut words = vec![change.operation.kind().to_owned()];
    words.extend(change.what.split("  ").map(str::to_owned));
    let mut shown = view::Change::new(mark(change.action), words);
    // Why a persona has an account and a key goes without saying.
    if ["role-binding", "acl"].contains(&change.operation.kind()) || change.action != Action::Create {
        shown = shown.why(change.why.clone());
    }
    if let Operation::UpdateAccount { from, to, .. } = &change.operation {
        shown = shown.field("description", from.clone(), to.clone());
    }
    shown
}
