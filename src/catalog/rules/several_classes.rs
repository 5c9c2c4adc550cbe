//! Rule `several-classes`: one file contains several connectors.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, list_quoted},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "several-classes",
    severity: Severity::Error,
    summary: "more than one `connector.class`",
    explanation: "A file contains one connector. Two classes are two connectors in one file, or an incompletely edited \
                  copy.",
    applies_to_self_managed: true,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let mut classes = input.entries().iter().filter(|entry| entry.key == "connector.class");
    let Some(first) = classes.next() else { return };
    for entry in classes {
        let message = if entry.value == first.value {
            "`connector.class` occurs twice".to_owned()
        } else {
            format!(
                "`connector.class` is {}",
                list_quoted([first.value.as_str(), &entry.value])
            )
        };
        findings.error(&entry.key_span, message, "Keep one class, or split the file in two.");
    }
    if let [_, _, ..] = first.value.split(',').collect::<Vec<_>>()[..] {
        let fix = "Use one class.";
        findings.error(&first.value_span, "`connector.class` is a list", fix);
    }
}
