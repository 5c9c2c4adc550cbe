//! Views of planned changes of service accounts, grants and API keys.

use crate::{
    model::DepartmentCode,
    provisioning::{Action, ChangeRow, PlannedChanges},
    render::{Block, ChangeMark, DiffEntry, TextLine},
};

/// Returns the changes of a department, or `None` if there are none.
pub(in crate::commands) fn department_changes(changes: &PlannedChanges, department: &DepartmentCode) -> Option<Block> {
    let entries: Vec<DiffEntry> = changes.rows(department).iter().map(diff_entry).collect();
    (!entries.is_empty()).then_some(Block::Diff(entries))
}

/// Returns the changes of each department with its code as title, and the totals.
pub(in crate::commands) fn change_blocks(changes: &PlannedChanges) -> Vec<Block> {
    let titled = changes.departments().into_iter().filter_map(|code| {
        let title = format!("Department {code}");
        Some(Block::titled(title, [department_changes(changes, code)?]))
    });
    titled.chain([Block::line(plan_totals(changes))]).collect()
}

/// Returns a block of indented lines with a title, or `None` without lines.
pub(in crate::commands) fn titled_lines(
    title: impl Into<String>,
    lines: impl IntoIterator<Item = impl std::fmt::Display>,
) -> Option<Block> {
    let lines: Vec<TextLine> = lines
        .into_iter()
        .map(|line| TextLine::from(format!("  {line}")).with_hanging_indent(4))
        .collect();
    (!lines.is_empty()).then(|| Block::titled(title, [Block::Lines(lines)]))
}

fn diff_entry(row: &ChangeRow<'_>) -> DiffEntry {
    let mark = match row.action {
        Action::Create => ChangeMark::Add,
        Action::Update => ChangeMark::Change,
        Action::Replace => ChangeMark::Replace,
        Action::Delete => ChangeMark::Remove,
    };
    let mut entry = DiffEntry::new(mark, row.columns.iter().copied());
    if let Some(reason) = row.reason {
        entry = entry.with_reason(reason);
    }
    if let Some((from, to)) = row.description {
        entry = entry.field("description", from, to);
    }
    entry
}

/// Returns a sentence with the number of changes by action and kind of object.
#[must_use]
pub(in crate::commands) fn plan_totals(changes: &PlannedChanges) -> String {
    match changes.is_remote() {
        false => "Plan: no changes.".to_owned(),
        true => format!("Plan: {}", changes.describe_totals()),
    }
}
