//! Rule `placeholder`: a value that `connector plugin new` left open.

use crate::{
    catalog::{
        file::ConfigEntry,
        rule::{LintInput, LintRule, RuleFindings, quote},
        starter::FILL_IN,
    },
    diag::Severity,
};

pub(in crate::catalog) const ID: &str = "placeholder";

pub(super) const RULE: LintRule = LintRule {
    id: ID,
    severity: Severity::Error,
    summary: "a placeholder instead of a value",
    explanation: "`connector plugin new` writes `<fill in>` for unknown values. Other rules skip such values.",
    applies_to_self_managed: false,
    check,
};

/// Returns whether the value is a placeholder.
pub(in crate::catalog) fn is_placeholder(entry: &ConfigEntry) -> bool {
    entry.value.contains(FILL_IN)
}

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries().iter().filter(|entry| is_placeholder(entry)) {
        let message = format!("`{}` is a placeholder", entry.key);
        let fix = match input.key_schema(&entry.key) {
            Some(fact) if !fact.allowed.is_empty() => {
                let one = fact.allowed.first().copied().unwrap_or_default();
                format!(
                    "Replace `{FILL_IN}` by one of the allowed values, such as {}.",
                    quote(one)
                )
            }
            Some(fact) => format!("Replace `{FILL_IN}` by {}.", fact.value_type.to_noun()),
            None => format!("Replace `{FILL_IN}`."),
        };
        findings.error(&entry.value_span, message, fix);
    }
}
