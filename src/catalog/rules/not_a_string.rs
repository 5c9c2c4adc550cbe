//! Rule `not-a-string`: Connect accepts only strings.

use crate::{
    catalog::{
        file::ValueKind,
        rule::{LintInput, LintRule, RuleFindings},
    },
    diag::Severity,
};

pub(in crate::catalog) const ID: &str = "not-a-string";

pub(super) const RULE: LintRule = LintRule {
    id: ID,
    severity: Severity::Error,
    summary: "a value that is not a string",
    explanation: "The service expects a map of strings, and the Confluent CLI rejects everything else. Numbers and \
                  booleans are sent as written, with a warning; lists, objects and `null` cannot be sent.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let message = format!("`{}` is {}, not a string", entry.key, entry.kind.to_noun());
        match entry.kind {
            ValueKind::String => {}
            // The value may be a secret, so it is not shown.
            ValueKind::Number | ValueKind::Bool => {
                findings.warning(
                    &entry.value_span,
                    message,
                    "Put it in quotes; otherwise the Confluent CLI rejects it.",
                );
            }
            ValueKind::Null => findings.error(&entry.value_span, message, "Remove the key, or set a value in quotes."),
            ValueKind::Array => findings.error(
                &entry.value_span,
                message,
                "Write the items as one comma-separated string.",
            ),
            ValueKind::Object => findings.error(
                &entry.value_span,
                message,
                "Write one key per line, such as `\"a.b\": \"value\"`.",
            ),
        }
    }
}
