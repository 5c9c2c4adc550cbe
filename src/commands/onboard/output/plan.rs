//! The plan of an onboarding, for people: before a question, and for `--dry-run`.

use std::collections::BTreeMap;

use super::{PlanPart, Setting};
use crate::{
    checks::{Check, CheckState},
    plan::{Action, BudgetRow, Change, DepartmentStatus, Operation, Plan},
    render::{Block, Cell, Line, Mark, Style, Table, view},
};

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
        "api-key" => "API key",
        _ => "object",
    }
}

/// What a plan does at the service, as one sentence.
#[must_use]
pub(crate) fn totals(plan: &Plan) -> String {
    let mut by_action: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in ["service-account", "role-binding", "api-key"] {
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

/// The plan as blocks: what happens to each department, the quotas, what is in the way.
#[must_use]
pub(crate) fn plan_blocks(setting: &Setting, plan: &Plan, budget: &[BudgetRow], checks: &[Check]) -> Vec<Block> {
    let mut blocks = vec![setting_line(setting)];
    blocks.extend(problems(checks));
    for department in &plan.departments {
        // Proofs and hand-overs follow from the keys: they would only lengthen the list.
        let told = |change: &&Change| {
            let follows = matches!(change.operation, Operation::Prove { .. } | Operation::HandOver { .. });
            change.department == department.code && !follows
        };
        let changes: Vec<view::Change> = plan.changes.iter().filter(told).map(shown).collect();
        if changes.is_empty() {
            continue;
        }
        let title = format!(
            "Department {}  {}  prefix {}  template {}",
            department.code, department.name, department.prefix, department.template
        );
        blocks.push(Block::titled(title, [Block::Diff(changes)]));
    }
    blocks.push(Block::line(totals(plan)));
    if !plan.is_empty() {
        blocks.push(budget_table(budget));
    }
    blocks.extend(remarks(&PlanPart::of(plan)));
    blocks
}

/// A plan too long to be read before saying yes: one line for each department.
#[must_use]
pub(crate) fn plan_summary(setting: &Setting, plan: &Plan, budget: &[BudgetRow], checks: &[Check]) -> Vec<Block> {
    let mut table = Table::new(["Department", "Prefix", "Template", "Status", "Changes"]);
    for department in &plan.departments {
        let writes = |change: &&Change| change.department == department.code && change.operation.writes();
        table.push([
            Cell::text(&department.code),
            Cell::text(&department.prefix),
            Cell::text(&department.template),
            status_word(department.status).into(),
            plan.changes.iter().filter(writes).count().into(),
        ]);
    }
    let mut blocks = vec![setting_line(setting)];
    blocks.extend(problems(checks));
    blocks.push(Block::Table(table));
    blocks.push(Block::line(totals(plan)));
    blocks.push(budget_table(budget));
    blocks.extend(remarks(&PlanPart::of(plan)));
    blocks
}

fn setting_line(setting: &Setting) -> Block {
    Block::Lines(vec![
        Line::new().styled(
            Style::Heading,
            format!(
                "Stage {}  environment {}  cluster {} ({})",
                setting.stage, setting.address.environment, setting.address.cluster, setting.cluster_type
            ),
        ),
        Line::new().styled(Style::Muted, format!("acting as {}", setting.provisioner)),
    ])
}

fn shown(change: &Change) -> view::Change {
    let mut words = vec![change.operation.kind().to_owned()];
    words.extend(change.what.split("  ").map(str::to_owned));
    let mut shown = view::Change::new(mark(change.action), words);
    // Why a persona has an account and a key goes without saying.
    if change.operation.kind() == "role-binding" || change.action != Action::Create {
        shown = shown.why(change.why.clone());
    }
    if let Operation::UpdateAccount { from, to, .. } = &change.operation {
        shown = shown.field("description", from.clone(), to.clone());
    }
    shown
}

fn budget_table(budget: &[BudgetRow]) -> Block {
    let mut table = Table::new(["Provider Quota", "Used", "Wanted", "After", "Limit"]);
    for row in budget {
        let about = |number: i64| {
            if row.reported {
                number.to_string()
            } else {
                format!("≥ {number}")
            }
        };
        table.push([
            Cell::from(row.name),
            Cell::Text(about(row.used)),
            row.wanted.into(),
            Cell::Text(about(row.after())),
            Cell::Text(
                row.limit
                    .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
            ),
        ]);
    }
    Block::Table(table)
}

fn problems(checks: &[Check]) -> Option<Block> {
    let lines: Vec<Line> = checks
        .iter()
        .filter(|check| check.state != CheckState::Ok)
        .map(|check| {
            let (style, word) = match check.state {
                CheckState::Problem => (Style::Error, "problem"),
                _ => (Style::Muted, "unknown"),
            };
            Line::new()
                .styled(style, word)
                .then(format!("  {}: {}", check.name, check.detail))
                .hang(9)
        })
        .collect();
    (!lines.is_empty()).then_some(Block::Lines(lines))
}

pub(super) fn remarks(plan: &PlanPart) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines = lines
                .into_iter()
                .map(|line| Line::from(format!("  {line}")).hang(4))
                .collect();
            blocks.push(Block::titled(title, [Block::Lines(lines)]));
        }
    };
    section("Notices", plan.notices.clone());
    let surplus = plan.surplus.iter().map(|surplus| surplus.what.clone()).collect();
    section("Surplus, kept (`--prune` removes them)", surplus);
    section(
        "Unmanaged: on a department's prefix, and not ours (never changed)",
        plan.unmanaged.clone(),
    );
    section(
        "Orphans: accounts of ours whose department has no file",
        plan.orphans.clone(),
    );
    blocks
}

fn status_word(status: DepartmentStatus) -> &'static str {
    match status {
        DepartmentStatus::New => "new",
        DepartmentStatus::Changed => "changed",
        DepartmentStatus::Complete => "complete",
        DepartmentStatus::Refused => "refused",
    }
}
