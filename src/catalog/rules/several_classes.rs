//! `several-classes`: one file, more than one connector.

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings, list_quoted},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "several-classes",
    severity: Severity::Error,
    summary: "more than one `connector.class`",
    explanation: "A file is one connector. Two classes are two connectors in one file, or a copy that was changed halfway.",
    applies_to_self_managed: true,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let mut classes = input.entries().iter().filter(|entry| entry.key == "connector.class");
    let Some(first) = classes.next() else { return };
    for entry in classes {
        let message = if entry.value == first.value {
            "`connector.class` stands here twice".to_owned()
        } else {
            format!(
                "`connector.class` is {}",
                list_quoted([first.value.as_str(), &entry.value])
            )
        };
        findings.error(
            &entry.key_span,
            message,
            "One file is one connector: keep one class, or make two files.",
        );
    }
    if let [_, _, ..] = first.value.split(',').collect::<Vec<_>>()[..] {
        let fix = "One file is one connector: name one class.";
        findings.error(&first.value_span, "`connector.class` is a list", fix);
    }
}
