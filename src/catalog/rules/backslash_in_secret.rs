//! Rule `backslash-in-secret`: managed connectors do not support a backslash in a password.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings},
        secret::{Secrecy, ValueReference},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "backslash-in-secret",
    severity: Severity::Error,
    summary: "a password with a backslash",
    explanation: "Managed connectors do not support a backslash in passwords \
                  (docs.confluent.io/cloud/current/connectors/limits.html). Key files and certificates may contain \
                  them.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let secret = matches!(input.secrecy(&entry.key), Secrecy::Secret | Secrecy::Likely);
        if secret
            && entry.value.contains('\\')
            && !is_document(&entry.value)
            && ValueReference::parse(&entry.value).is_none()
        {
            let message = format!("the value of `{}` contains a backslash", entry.key);
            let fix = "Choose a password without `\\`: managed connectors do not support it.";
            findings.error(&entry.value_span, message, fix);
        }
    }
}

/// Returns whether a value is a key file: JSON, PEM or a data URI, which have their own escapes.
fn is_document(value: &str) -> bool {
    let value = value.trim_start();
    value.starts_with('{') || value.starts_with("data:") || value.contains("-----BEGIN")
}
