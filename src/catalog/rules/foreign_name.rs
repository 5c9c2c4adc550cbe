//! Rule `foreign-name`: a connector outside the department's prefix.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-name",
    severity: Severity::Error,
    summary: "the connector's name does not start with the department's prefix",
    explanation: "Grants are limited to the prefix: a connector with another name is rejected, or belongs to another \
                  department (docs/reference/rbac.md#connector-roles-on-a-prefix; docs/reference/rbac.md#threats, T8).",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(department), Some(name)) = (input.options.department, input.file.connector_name()) else {
        return;
    };
    if !department.prefix.owns(&name.value) {
        let message = format!("{} does not start with `{}`", quote(&name.value), department.prefix);
        let fix = format!(
            "Rename it to `{}…`: the department's grants are limited to this prefix.",
            department.prefix
        );
        findings.error(&name.value_span, message, fix);
    } else if name.value == department.prefix.as_str() {
        let fix = format!("Rename it to `{}…`.", department.prefix);
        findings.error(&name.value_span, "the connector's name is only the prefix", fix);
    }
}
