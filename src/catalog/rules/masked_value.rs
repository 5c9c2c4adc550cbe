//! Rule `masked-value`: a masked value from an export.

use super::auth_mode;
use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, list_quoted},
        secret::{is_masked_value, variable_for},
    },
    diag::Severity,
};

pub(in crate::catalog) const ID: &str = "masked-value";

pub(super) const RULE: LintRule = LintRule {
    id: ID,
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
        findings.error(&entry.value_span, message, advice(input, &entry.key));
    }
}

fn advice(input: &LintInput<'_>, key: &str) -> String {
    if input.secrecy(key).must_be_hidden() {
        return format!(
            "Use a reference to the actual value, such as `${{env:{}}}`.",
            variable_for(key)
        );
    }
    match input.key_schema(key) {
        _ if key == "kafka.auth.mode" => format!("Write `{}`.", auth_mode::WANTED),
        Some(fact) if !fact.allowed.is_empty() => {
            format!("Write one of {}.", list_quoted(fact.allowed.iter().take(12).copied()))
        }
        _ => "Write the actual value: it is not a secret.".to_owned(),
    }
}
