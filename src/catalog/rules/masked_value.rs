//! `masked-value`: stars from an export.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings},
        secret::is_masked_value,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "masked-value",
    severity: Severity::Error,
    summary: "a masked value, copied from what the service shows",
    explanation: "The service shows `****` in place of secrets. Sent back with a new connector, the stars become the \
                  password (docs/reference/connect.md#secrets-and-masks).",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries().iter().filter(|entry| is_masked_value(&entry.value)) {
        let message = format!("the value of `{}` is a mask, not a value", entry.key);
        let fix = "Write the real value, or a reference to it like `${env:EBS_SECRET_…}`.";
        findings.error(&entry.value_span, message, fix);
    }
}
