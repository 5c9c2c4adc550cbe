//! `plugin-not-allowed`: a plugin that the department may not use.

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "plugin-not-allowed",
    severity: Severity::Warning,
    summary: "a plugin that is not among the department's",
    explanation: "Which plugins a department may use stands in its quota. `create` refuses others; a connector that runs \
                  already may be changed, so here it is a warning.",
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
    let message = format!(
        "plugin {} is not among those that the department may use",
        quote(&entry.value)
    );
    let fix = match &department.quota.plugins[..] {
        [] => "The platform team allows plugins.".to_owned(),
        plugins => format!(
            "Use one of {}, or ask the platform team to allow it.",
            plugins.join(", ")
        ),
    };
    findings.platform_warning(&entry.value_span, message, fix);
}
