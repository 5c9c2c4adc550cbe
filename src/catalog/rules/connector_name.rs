//! `connector-name`: what the service takes as a name, and one name only.

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "connector-name",
    severity: Severity::Error,
    summary: "a name that the service refuses, or two different ones",
    explanation: "Names have at most 64 characters: letters, numbers, marks, spaces and `.,&_+|[]-` \
                  (docs.confluent.io/cloud/current/connectors/bring-your-connector/custom-connector-fands.html, \
                  docs/reference/connect.md#connector-names). The name beside `config` and the one in it must be \
                  equal: `PUT` with another name silently makes a second connector \
                  (docs/reference/connect.md#update-a-connector).",
    applies_to_self_managed: false,
    check,
};

const LONGEST: usize = 64;

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let inside = input.file.entry("name");
    let beside = input.file.name.as_ref();
    if let (Some(inside), Some(beside)) = (inside, beside)
        && inside.value != beside.value
    {
        let message = format!(
            "the name beside `config` is {}, in it {}",
            quote(&beside.value),
            quote(&inside.value)
        );
        findings.error(
            &inside.value_span,
            message,
            "Give both the same name, or leave out the one in `config`.",
        );
    }
    let Some(name) = input.file.connector_name() else {
        return;
    };
    let length = name.value.chars().count();
    if name.value.trim().is_empty() {
        findings.error(&name.value_span, "the connector's name is empty", "Give it a name.");
    } else if length > LONGEST {
        let message = format!("the connector's name has {length} characters, {LONGEST} are allowed");
        findings.error(&name.value_span, message, "Shorten it.");
    }
    if let Some(odd) = name.value.chars().find(|&c| !is_allowed(c)) {
        let message = format!("{odd:?} cannot stand in a connector's name");
        let fix = "Use letters, numbers, spaces and `. , & _ + | [ ] -`.";
        findings.error(&name.value_span, message, fix);
    } else if input.options.department.is_some()
        && let Some(odd) = name.value.chars().find(|&c| !is_plain(c))
    {
        // Source: docs/reference/rbac.md#crn-patterns. So that no segment of a CRN ever needs escaping.
        let message = format!("{odd:?} in a connector's name needs escaping in addresses and role bindings");
        findings.warning(&name.value_span, message, "Keep to a-z, 0-9, `.`, `_` and `-`.");
    }
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || " .,&_+|[]-".contains(character) || is_separator(character)
}

/// Combining marks, which follow the letter they belong to.
fn is_separator(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
}

fn is_plain(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || "._-".contains(character)
}
