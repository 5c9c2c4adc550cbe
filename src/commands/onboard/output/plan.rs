//! Views of an onboarding plan, for the confirmation prompt and for `--dry-run`.

use super::{OnboardHeader, PlanSummary};
use crate::{
    checks::{CheckResult, CheckState},
    commands::provisioning::plan_view::{department_changes, plan_totals},
    plan::{BudgetRow, DepartmentStatus, Plan, PlannedChange},
    render::{Block, Cell, Style, Table, TextLine},
};

/// Returns the full plan as blocks: changes by department, quotas and failed checks.
#[must_use]
pub(crate) fn plan_blocks(
    header: &OnboardHeader,
    plan: &Plan,
    budget: &[BudgetRow],
    checks: &[CheckResult],
) -> Vec<Block> {
    let mut blocks = vec![header_lines(header)];
    blocks.extend(problem_lines(checks));
    for department in &plan.departments {
        let Some(changes) = department_changes(plan, &department.code) else {
            continue;
        };
        let title = format!(
            "Department {}  {}  prefix {}  template {}",
            department.code, department.name, department.prefix, department.template
        );
        blocks.push(Block::titled(title, [changes]));
    }
    blocks.push(Block::line(plan_totals(plan)));
    if !plan.is_empty() {
        blocks.push(budget_table(budget));
    }
    blocks.extend(note_blocks(&PlanSummary::from_plan(plan)));
    blocks
}

/// Returns a short plan with one line per department, for a prompt about many departments.
#[must_use]
pub(crate) fn plan_summary(
    header: &OnboardHeader,
    plan: &Plan,
    budget: &[BudgetRow],
    checks: &[CheckResult],
) -> Vec<Block> {
    let mut table = Table::new(["Department", "Prefix", "Template", "Status", "Changes"]);
    for department in &plan.departments {
        let writes = |change: &&PlannedChange| change.department == department.code && change.operation.is_remote();
        table.push([
            Cell::text(&department.code),
            Cell::text(&department.prefix),
            Cell::text(&department.template),
            status_label(department.status).into(),
            plan.changes.iter().filter(writes).count().into(),
        ]);
    }
    let mut blocks = vec![header_lines(header)];
    blocks.extend(problem_lines(checks));
    blocks.push(Block::Table(table));
    blocks.push(Block::line(plan_totals(plan)));
    blocks.push(budget_table(budget));
    blocks.extend(note_blocks(&PlanSummary::from_plan(plan)));
    blocks
}

fn header_lines(header: &OnboardHeader) -> Block {
    Block::Lines(vec![
        TextLine::new().with_styled_text(
            Style::Heading,
            format!(
                "Stage {}  environment {}  cluster {} ({})",
                header.stage, header.address.environment, header.address.cluster, header.cluster_type
            ),
        ),
        TextLine::new().with_styled_text(Style::Muted, format!("provisioner {}", header.provisioner)),
    ])
}

fn budget_table(budget: &[BudgetRow]) -> Block {
    let mut table = Table::new(["Confluent Quota", "Used", "Added", "After", "Limit"]);
    for row in budget {
        let amount = |number: i64| {
            if row.reported {
                number.to_string()
            } else {
                format!("≥ {number}")
            }
        };
        table.push([
            Cell::from(row.name),
            Cell::Text(amount(row.used)),
            row.added.into(),
            Cell::Text(amount(row.used_after())),
            Cell::Text(
                row.limit
                    .map_or_else(|| "unknown".to_owned(), |limit| limit.to_string()),
            ),
        ]);
    }
    Block::Table(table)
}

fn problem_lines(checks: &[CheckResult]) -> Option<Block> {
    let lines: Vec<TextLine> = checks
        .iter()
        .filter(|check| check.state != CheckState::Ok)
        .map(|check| {
            let (style, word) = match check.state {
                CheckState::Problem => (Style::Error, "problem"),
                _ => (Style::Muted, "unknown"),
            };
            TextLine::new()
                .with_styled_text(style, word)
                .with_text(format!("  {}: {}", check.name, check.detail))
                .with_hanging_indent(9)
        })
        .collect();
    (!lines.is_empty()).then_some(Block::Lines(lines))
}

pub(super) fn note_blocks(plan: &PlanSummary) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines = lines
                .into_iter()
                .map(|line| TextLine::from(format!("  {line}")).with_hanging_indent(4))
                .collect();
            blocks.push(Block::titled(title, [Block::Lines(lines)]));
        }
    };
    section("Notices", plan.notices.clone());
    let surplus = plan.surplus.iter().map(|surplus| surplus.what.clone()).collect();
    section("Surplus grants (kept; `--prune` removes them)", surplus);
    section(
        "Unmanaged resources on a department's prefix (never changed)",
        plan.unmanaged.clone(),
    );
    section(
        "Orphaned: managed accounts whose department has no file",
        plan.orphans.clone(),
    );
    blocks
}

fn status_label(status: DepartmentStatus) -> &'static str {
    match status {
        DepartmentStatus::New => "new",
        DepartmentStatus::Changed => "changed",
        DepartmentStatus::Complete => "complete",
        DepartmentStatus::Refused => "refused",
    }
}
