//! Rule `value-not-allowed`: the key does not allow the value.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, is_template, list_quoted, quote},
        schema::{KeySchema, ValueType},
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: LintRule = LintRule {
    id: "value-not-allowed",
    severity: Severity::Error,
    summary: "a value that is not allowed",
    explanation: "The service returns `Value … doesn't belong to the property's … enum`. Case matters, and differs \
                  between versions of one connector: `fail` in HttpSink is `FAIL` in HttpSinkV2 \
                  (docs/reference/connect.md#plugin-definitions and docs/reference/connect.md#error-messages).",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let Some(fact) = input.key_schema(&entry.key) else {
            continue;
        };
        // Another rule covers booleans, and a secret is not shown.
        let judged = !fact.allowed.is_empty() && !matches!(fact.value_type, ValueType::Boolean | ValueType::Password);
        if !judged || is_template(&entry.value) || entry.value.is_empty() {
            continue;
        }
        let items: Vec<&str> = match fact.value_type {
            ValueType::List => entry
                .value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect(),
            _ => vec![&entry.value],
        };
        if let Some(item) = items.into_iter().find(|item| !is_allowed(fact, item)) {
            let message = format!("value {} is not allowed for `{}`", quote(item), entry.key);
            findings.error(&entry.value_span, message, advice(fact, item));
        }
    }
}

/// Returns whether a value is allowed. The default is always allowed, even if the list omits it.
fn is_allowed(fact: &KeySchema, value: &str) -> bool {
    fact.allowed.contains(&value) || fact.default == Some(value)
}

fn advice(fact: &KeySchema, value: &str) -> String {
    const MANY: usize = 12;
    let allowed = || fact.allowed.iter().copied();
    if let Some(same) = allowed().find(|one| one.eq_ignore_ascii_case(value)) {
        return format!("Use `{same}`: the value is case-sensitive.");
    }
    let near = hint::closest_match(value, allowed())
        .map(|near| format!("Did you mean `{near}`? "))
        .unwrap_or_default();
    match fact.allowed.len().saturating_sub(MANY) {
        0 => format!("{near}Allowed values: {}.", list_quoted(allowed())),
        more => format!(
            "{near}Allowed values: {}, and {more} more.",
            list_quoted(allowed().take(MANY))
        ),
    }
}
