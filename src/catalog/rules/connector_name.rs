//! Rule `connector-name`: the name is valid and unambiguous.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "connector-name",
    severity: Severity::Error,
    summary: "an invalid name, or two different names",
    explanation: "Names have at most 64 characters: letters, numbers, marks, spaces and `.,&_+|[]-` \
                  (docs.confluent.io/cloud/current/connectors/bring-your-connector/custom-connector-fands.html, \
                  docs/reference/connect.md#connector-names). The name next to `config` and the one in it must be \
                  equal: `PUT` with another name silently creates a second connector \
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
            "the name next to `config` is {}, the one in it {}",
            quote(&beside.value),
            quote(&inside.value)
        );
        findings.error(
            &inside.value_span,
            message,
            "Use the same name in both places, or remove the one in `config`.",
        );
    }
    let Some(name) = input.file.connector_name() else {
        return;
    };
    let length = name.value.chars().count();
    if name.value.trim().is_empty() {
        findings.error(&name.value_span, "the connector's name is empty", "Set a name.");
    } else if length > LONGEST {
        let message = format!("the connector's name has {length} characters; at most {LONGEST} are allowed");
        findings.error(&name.value_span, message, "Shorten the name.");
    }
    if let Some(odd) = name.value.chars().find(|&c| !is_allowed(c)) {
        let message = format!("{odd:?} is not allowed in a connector's name");
        let fix = "Use letters, numbers, spaces and `. , & _ + | [ ] -`.";
        findings.error(&name.value_span, message, fix);
    } else if input.options.department.is_some()
        && let Some(odd) = name.value.chars().find(|&c| !is_plain(c))
    {
        // Source: docs/reference/rbac.md#crn-patterns. Such a name never needs escaping in a CRN.
        let message = format!("{odd:?} in a connector's name must be escaped in URLs and role bindings");
        findings.warning(&name.value_span, message, "Use only a-z, 0-9, `.`, `_` and `-`.");
    }
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || " .,&_+|[]-".contains(character) || is_separator(character)
}

/// Returns whether a character is a combining mark.
fn is_separator(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
}

fn is_plain(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || "._-".contains(character)
}
