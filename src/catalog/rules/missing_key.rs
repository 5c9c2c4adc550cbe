//! Rule `missing-key`: a required key is missing.

use crate::{
    catalog::{
        file::{ConfigEntry, ValueKind},
        rule::{LintInput, LintRule, RuleFindings, quote},
        schema::ValueType,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "missing-key",
    severity: Severity::Error,
    summary: "a required key that has no default",
    explanation: "The service returns 400. Keys that `create` sets (`tasks.max`, the Kafka identity) are not reported.",
    applies_to_self_managed: false,
    check,
};

/// Keys that `create` sets.
pub(in crate::catalog) const FILLED_IN: [&str; 2] = ["tasks.max", "kafka.auth.mode"];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let head = &input.file.opening_range;
    if input.file.class().is_none() {
        let fix = "Set the plugin, such as `\"connector.class\": \"DatagenSource\"`.";
        findings.error(head, "`connector.class` is missing", fix);
    }
    if input.file.connector_name().is_none() {
        findings.error(head, "`name` is missing", "Add a name.");
    }
    let Some(plugin) = input.plugin else { return };
    for fact in plugin
        .keys
        .values()
        .filter(|fact| fact.is_required() || fact.conditionally_required)
    {
        let key = fact.name.as_str();
        let elsewhere = ["connector.class", "name"].contains(&key) || FILLED_IN.contains(&key);
        if elsewhere || input.is_from_secret_manager(key) || !is_applicable(input, key) {
            continue;
        }
        let example = fact
            .allowed
            .first()
            .map_or_else(|| fact.value_type.to_noun().to_owned(), |one| quote(one));
        let fix = format!("Add `{key}` ({example}).");
        match input.entry_for(key) {
            Some(entry) if fact.conditionally_required || entry.kind != ValueKind::String => {}
            Some(entry) => report_empty(entry, plugin.class, findings),
            // A cloud role or provider integration replaces the password and other conditional keys.
            None if has_other_connection_settings(input)
                && (fact.conditionally_required || fact.value_type == ValueType::Password) => {}
            None if fact.conditionally_required => {
                let message = format!("`{key}` is missing: {} needs it in most cases", plugin.class);
                findings.warning(head, message, fix);
            }
            None => findings.error(head, format!("`{key}` is missing: {} requires it", plugin.class), fix),
        }
    }
}

/// Reports a required key without a value. A user name may be empty if a certificate authenticates.
fn report_empty(entry: &ConfigEntry, class: &str, findings: &mut RuleFindings<'_>) {
    if entry.value.is_empty() && !entry.key.contains("user") {
        let message = format!("`{}` is empty: {class} requires it", entry.key);
        findings.error(&entry.value_span, message, "Set a value.");
    }
}

/// Returns whether the file uses an authentication without a password: a cloud role or a provider integration.
fn has_other_connection_settings(input: &LintInput<'_>) -> bool {
    ["authentication.method", "provider.integration.id"]
        .into_iter()
        .any(|key| input.entry_for(key).is_some())
}

/// Keys that the definition marks as required but that apply only in one mode: "… in case of API Chaining".
pub const CONDITIONAL: [&str; 1] = ["api.chaining.parent.child.relationship"];

/// Returns whether a conditional key applies: API chaining needs at least two APIs.
fn is_applicable(input: &LintInput<'_>, key: &str) -> bool {
    !CONDITIONAL.contains(&key) || input.value_for("apis.num").is_some_and(|number| number != "1")
}
