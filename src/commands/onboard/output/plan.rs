//! The plan of an onboarding, for people: before a question, and for `--dry-run`.

use super::{PlanPart, Setting};
use crate::{
    checks::{Check, CheckState},
    commands::estate::shown::{changes, totals},
    plan::{BudgetRow, Change, DepartmentStatus, Plan},
    render::{Block, Cell, Line, Style, Table},
};

/// The plan as blocks: what happens to each department, the quotas, what is in the way.
#[must_use]
pub(crate) fn plan_blocks(setting: &Setting, plan: &Plan, budget: &[BudgetRow], checks: &[Check]) -> Vec<Block> {
    let mut blocks = vec![setting_line(setting)];
    blocks.extend(problems(checks));
    for department in &plan.departments {
        let Some(changes) = changes(plan, &department.code) else {
            continue;
        };
        let title = format!(
            "Department {}  {}  prefix {}  template {}",
            department.code, department.name, department.prefix, department.template
        );
        blocks.push(Block::titled(title, [changes]));
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
