//! Views of an onboarding plan, for the confirmation prompt and for `--dry-run`.

use crate::{
    checks::CheckState,
    commands::provisioning::plan_view::{department_changes, plan_totals, titled_lines},
    provisioning::{DepartmentStatus, onboarding::OnboardOutcome},
    render::{Block, Cell, Style, Table, TextLine},
};

/// Maximum number of listed observations of a kind; `-v`, JSON and YAML list all of them.
const MAX_LISTED_OBSERVATIONS: usize = 20;

/// Returns the full plan: changes by department, quotas and failed checks.
#[must_use]
pub(super) fn plan_blocks(planned: &OnboardOutcome) -> Vec<Block> {
    let mut blocks = vec![header_lines(planned)];
    blocks.extend(problem_lines(planned));
    for row in &planned.departments {
        let department = &row.plan;
        let Some(changes) = department_changes(&planned.changes, &department.code) else {
            continue;
        };
        let title = format!(
            "Department {}  {}  prefix {}  template {}",
            department.code, department.name, department.prefix, department.template
        );
        blocks.push(Block::titled(title, [changes]));
    }
    blocks.push(Block::line(plan_totals(&planned.changes)));
    if !planned.changes.is_empty() {
        blocks.push(quota_table(planned));
    }
    blocks.extend(finding_blocks(planned));
    blocks
}

/// Returns a short plan with one line per department, for a prompt about many departments.
#[must_use]
pub(super) fn plan_summary(planned: &OnboardOutcome) -> Vec<Block> {
    let mut table = Table::new(["Department", "Prefix", "Template", "Status", "Changes"]);
    for row in &planned.departments {
        let department = &row.plan;
        table.push([
            Cell::text(&department.code),
            Cell::text(&department.prefix),
            Cell::text(&department.template),
            status_label(department.status).into(),
            planned.changes.count_remote(&department.code).into(),
        ]);
    }
    let mut blocks = vec![header_lines(planned)];
    blocks.extend(problem_lines(planned));
    blocks.push(Block::Table(table));
    blocks.push(Block::line(plan_totals(&planned.changes)));
    blocks.push(quota_table(planned));
    blocks.extend(finding_blocks(planned));
    blocks
}

fn header_lines(planned: &OnboardOutcome) -> Block {
    let header = &planned.header;
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

fn quota_table(planned: &OnboardOutcome) -> Block {
    let mut table = Table::new(["Confluent Quota", "Used", "Added", "After", "Limit"]);
    for row in &planned.quotas {
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

fn problem_lines(planned: &OnboardOutcome) -> Option<Block> {
    let lines: Vec<TextLine> = planned
        .checks
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

/// Returns the first lines and the number of further ones, unless all are to be listed.
fn capped_lines(mut lines: Vec<String>, lists_all: bool) -> Vec<String> {
    let more = lines.len().saturating_sub(MAX_LISTED_OBSERVATIONS);
    if !lists_all && more > 0 {
        lines.truncate(MAX_LISTED_OBSERVATIONS);
        lines.push(format!("and {more} more (`-v` lists them)"));
    }
    lines
}

/// Returns what the plan leaves as it is.
pub(super) fn finding_blocks(planned: &OnboardOutcome) -> impl Iterator<Item = Block> {
    let findings = &planned.findings;
    let surplus = findings.surplus.iter().map(|surplus| surplus.what.clone());
    let capped = |lines: &[String]| capped_lines(lines.to_vec(), planned.lists_all);
    [
        titled_lines("Notices", capped(&findings.notices)),
        titled_lines(
            "Surplus (kept; `--prune` removes it)",
            capped_lines(surplus.collect(), planned.lists_all),
        ),
        titled_lines(
            "Unmanaged resources on a department's prefix (never changed)",
            capped(&findings.unmanaged),
        ),
        titled_lines(
            "Orphaned: managed accounts whose department has no file",
            capped(&findings.orphans),
        ),
    ]
    .into_iter()
    .flatten()
}

fn status_label(status: DepartmentStatus) -> &'static str {
    match status {
        DepartmentStatus::New => "new",
        DepartmentStatus::Changed => "changed",
        DepartmentStatus::Complete => "complete",
        DepartmentStatus::Refused => "refused",
    }
}
