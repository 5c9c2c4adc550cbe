//! Rule `masked-value`: a masked value from an export.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings},
        secret::is_masked_value,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "masked-value",
    severity: Severity::Error,
    summary: "a masked value, copied from the service's output",
    explanation: "The service returns `****` instead of secrets. In a new connector, the stars would become the \
                  password (docs/reference/connect.md#secrets-and-masks).",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries().iter().filter(|entry| is_masked_value(&entry.value)) {
        let message = format!("the value of `{}` is masked", entry.key);
        let fix = "Use the actual value, or a reference such as `${env:EBS_SECRET_…}`.";
        findings.error(&entry.value_span, message, fix);
    }
}
