//! Rule `plugin-not-allowed`: the department's quota does not allow the plugin.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "plugin-not-allowed",
    severity: Severity::Warning,
    summary: "a plugin that the department's quota does not allow",
    explanation: "The quota lists the plugins that a department may use. `create` rejects others. A running connector \
                  may be changed, so the linter only warns.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(department), Some(entry)) = (input.options.department, input.file.entry("connector.class")) else {
        return;
    };
    if entry.value.is_empty() || department.quota.allows_plugin(&entry.value) {
        return;
    }
    let message = format!("plugin {} is not allowed for the department", quote(&entry.value));
    let team = department.platform_team;
    let fix = match &department.quota.plugins[..] {
        [] => format!("Ask {team} to allow it."),
        plugins => format!("Use one of {}, or ask {team} to allow it.", plugins.join(", ")),
    };
    findings.platform_warning(&entry.value_span, message, fix);
}
