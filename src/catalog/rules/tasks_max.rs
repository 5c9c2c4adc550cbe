//! `tasks-max`: how many tasks.

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "tasks-max",
    severity: Severity::Error,
    summary: "a number of tasks that the plugin or the quota does not allow",
    explanation: "Tasks are what a connector costs. Change data capture from a database log has one reader, so more \
                  tasks do nothing (docs/reference/connect.md#plugin-definitions). The quota is the platform's; \
                  whether it has room left is looked up by `create`.",
    applies_to_self_managed: false,
    check,
};

/// One task, whatever is asked for: docs/reference/connect.md#plugin-definitions (Postgres and MySQL); definition of
/// `tasks.max` (Oracle XStream: "capped at 1").
const SINGLE: [&str; 5] = [
    "MySqlCdcSource",
    "MySqlCdcSourceV2",
    "OracleXStreamSource",
    "PostgresCdcSource",
    "PostgresCdcSourceV2",
];

/// Whether connectors of that plugin run one task, whatever is asked for.
pub(in crate::catalog) fn runs_one_task(class: &str) -> bool {
    SINGLE.contains(&class)
}

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(entry) = input.entry_for("tasks.max") else {
        return;
    };
    let tasks = match entry.value.trim().parse::<u32>() {
        Ok(tasks) if tasks > 0 => tasks,
        _ => {
            let message = format!("`tasks.max` is {}, not a number of tasks", quote(&entry.value));
            findings.error(&entry.value_span, message, "Use a whole number, at least 1.");
            return;
        }
    };
    let class = input.file.class().unwrap_or_default();
    if tasks > 1 && runs_one_task(class) {
        let message = format!("{class} runs one task, not {tasks}");
        findings.warning(
            &entry.value_span,
            message,
            "Set `tasks.max` to `1`: the others count and do nothing.",
        );
    }
    let Some(department) = input.options.department else {
        return;
    };
    let (each, all) = (department.quota.tasks_per_connector, department.quota.tasks);
    if tasks > each.min(all) {
        let (limit, what) = if each <= all {
            (each, "one connector")
        } else {
            (all, "the whole department")
        };
        let message = format!("`tasks.max` is {tasks}, the quota allows {limit} for {what}");
        findings.platform_error(
            &entry.value_span,
            message,
            format!("Ask for {limit} at most, or have the quota raised."),
        );
    }
}
