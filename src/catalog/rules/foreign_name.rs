//! `foreign-name`: a connector outside the department.

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-name",
    severity: Severity::Error,
    summary: "the connector's name does not begin with the department's prefix",
    explanation: "Rights end at the prefix: a connector of another name is refused, or belongs to somebody else \
                  (docs/reference/rbac.md#connector-roles-on-a-prefix; docs/reference/rbac.md#threats, T8).",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(department), Some(name)) = (input.options.department, input.file.connector_name()) else {
        return;
    };
    if !department.prefix.owns(&name.value) {
        let message = format!("{} does not begin with `{}`", quote(&name.value), department.prefix);
        let fix = format!("Call it `{}…`: the department's rights end there.", department.prefix);
        findings.error(&name.value_span, message, fix);
    } else if name.value == department.prefix.as_str() {
        let fix = format!("Call it `{}…`.", department.prefix);
        findings.error(&name.value_span, "the connector's name is the bare prefix", fix);
    }
}
