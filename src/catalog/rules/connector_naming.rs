//! Rule `connector-naming`: the name follows the platform's naming convention.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

/// Id of the rule.
pub const ID: &str = "connector-naming";

pub(super) const RULE: LintRule = LintRule {
    id: ID,
    severity: Severity::Warning,
    summary: "a name that does not follow the platform's naming convention",
    explanation: "`naming.connector` of `ebs.toml` is the pattern of names after the prefix (docs/files.md). `create` \
                  rejects other names. An existing connector cannot be renamed, so the linter only warns.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let (Some(department), Some(name)) = (input.options.department, input.file.connector_name()) else {
        return;
    };
    let (prefix, pattern) = (department.prefix, department.connector_names);
    // `foreign-name` reports other names.
    if !prefix.owns(&name.value) || name.value == prefix.as_str() || pattern.allows(prefix, &name.value) {
        return;
    }
    let message = format!(
        "{} does not match `{pattern}` after the prefix `{prefix}`",
        quote(&name.value)
    );
    let fix = "Rename it before it is created: a connector cannot be renamed later.";
    findings.warning(&name.value_span, message, fix);
}
