//! Rule `tasks-max`: the number of tasks.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "tasks-max",
    severity: Severity::Error,
    summary: "a number of tasks that the plugin or the quota does not allow",
    explanation: "The number of tasks determines the cost of a connector. Change data capture has one reader, so more \
                  tasks have no effect (docs/reference/connect.md#plugin-definitions). This rule checks the quota's \
                  limits; `create` also checks how much of the quota is used.",
    applies_to_self_managed: false,
    check,
};

/// Plugins that run one task: docs/reference/connect.md#plugin-definitions (Postgres and MySQL); definition of
/// `tasks.max` (Oracle XStream: "capped at 1").
const SINGLE: [&str; 5] = [
    "MySqlCdcSource",
    "MySqlCdcSourceV2",
    "OracleXStreamSource",
    "PostgresCdcSource",
    "PostgresCdcSourceV2",
];

/// Returns whether connectors of this plugin always run one task.
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
            findings.error(&entry.value_span, message, "Use an integer of at least 1.");
            return;
        }
    };
    let class = input.file.class().unwrap_or_default();
    if tasks > 1 && runs_one_task(class) {
        let message = format!("{class} runs one task, not {tasks}");
        findings.warning(
            &entry.value_span,
            message,
            "Set `tasks.max` to `1`: other tasks count against the quota but do nothing.",
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
        let message = format!("`tasks.max` is {tasks}; the quota allows {limit} for {what}");
        findings.platform_error(
            &entry.value_span,
            message,
            format!(
                "Use at most {limit}, or ask {} to raise the quota.",
                department.platform_team
            ),
        );
    }
}
