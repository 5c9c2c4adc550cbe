//! Rule `value-not-allowed`: the key does not allow the value.

use crate::{
    catalog::{
        rule::{ASK_THE_SERVICE, LintInput, LintRule, RuleFindings, is_template, list_quoted, quote},
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
                  between versions of one connector: `fail` in HttpSink is `FAIL` in HttpSinkV2. A value that \
                  resembles none of the catalog is only a warning, because the service may have added it \
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
        if !judged || input.is_from_secret_manager(&entry.key) || is_template(&entry.value) || entry.value.is_empty() {
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
        let Some(item) = items.into_iter().find(|item| !is_allowed(fact, item)) else {
            continue;
        };
        let allowed = || fact.allowed.iter().copied();
        if let Some(near) = hint::misspelling_of(item, allowed()) {
            let message = format!("value {} is not allowed for `{}`", quote(item), entry.key);
            let fix = match near.eq_ignore_ascii_case(item) {
                true => format!("Use `{near}`: the value is case-sensitive."),
                false => format!("Did you mean `{near}`? {}", list_allowed(fact)),
            };
            findings.error(&entry.value_span, message, fix);
        } else {
            let message = format!(
                "value {} of `{}` is not in the catalog of {}",
                quote(item),
                entry.key,
                input.catalog.age()
            );
            let fix = format!("{} {ASK_THE_SERVICE}", list_allowed(fact));
            findings.warning(&entry.value_span, message, fix);
        }
    }
}

/// Returns whether a value is allowed. The default is always allowed, even if the list omits it.
fn is_allowed(fact: &KeySchema, value: &str) -> bool {
    fact.allowed.contains(&value) || fact.default == Some(value)
}

fn list_allowed(fact: &KeySchema) -> String {
    const MANY: usize = 12;
    let listed = list_quoted(fact.allowed.iter().take(MANY).copied());
    match fact.allowed.len().saturating_sub(MANY) {
        0 => format!("Known values: {listed}."),
        more => format!("Known values: {listed}, and {more} more."),
    }
}
