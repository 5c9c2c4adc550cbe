//! `not-a-string`: Connect knows text only.

use super::LintRule;
use crate::{
    catalog::{
        file::ValueKind,
        lint::{LintInput, RuleFindings},
    },
    diag::Severity,
};

pub(in crate::catalog) const ID: &str = "not-a-string";

pub(super) const RULE: LintRule = LintRule {
    id: ID,
    severity: Severity::Error,
    summary: "a value that is not text",
    explanation: "The service takes a map from text to text, and the stock CLI refuses everything else. Numbers and truth \
                  values are sent as they are written, with a warning; lists, objects and `null` have no such meaning.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let message = format!("`{}` is {}, not a text", entry.key, entry.kind.to_noun());
        match entry.kind {
            ValueKind::String => {}
            // The value is not shown: it may be a secret.
            ValueKind::Number | ValueKind::Bool => {
                findings.warning(
                    &entry.value_span,
                    message,
                    "Put it in quotes: the stock CLI refuses it otherwise.",
                );
            }
            ValueKind::Null => findings.error(
                &entry.value_span,
                message,
                "Remove the key, or give it a value in quotes.",
            ),
            ValueKind::Array => findings.error(
                &entry.value_span,
                message,
                "Write the items in one text, parted by commas.",
            ),
            ValueKind::Object => findings.error(
                &entry.value_span,
                message,
                "Write one key per line, like `\"a.b\": \"value\"`.",
            ),
        }
    }
}
