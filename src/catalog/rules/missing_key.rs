//! `missing-key`: what the service does not do without.

use super::Rule;
use crate::{
    catalog::{
        facts::ValueType,
        file::{Entry, ValueKind},
        lint::{Report, Subject, quoted},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "missing-key",
    severity: Severity::Error,
    summary: "a required key that has no default",
    explanation: "The service answers 400. What `create` fills in by itself (`tasks.max`, the Kafka identity) is not missed.",
    on_self_managed: false,
    check,
};

/// What `create` fills in.
const FILLED_IN: [&str; 2] = ["tasks.max", "kafka.auth.mode"];

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let head = &subject.file.head;
    if subject.file.class().is_none() {
        let fix = "Name the plugin, like `\"connector.class\": \"DatagenSource\"`.";
        report.error(head, "`connector.class` is missing", fix);
    }
    if subject.file.connector_name().is_none() {
        report.error(head, "`name` is missing", "Give the connector a name.");
    }
    let Some(plugin) = subject.plugin else { return };
    for fact in plugin.keys.values().filter(|fact| fact.must_be_given() || fact.usual) {
        let key = fact.name.as_str();
        let elsewhere = ["connector.class", "name"].contains(&key) || FILLED_IN.contains(&key);
        if elsewhere || subject.is_fetched(key) || !applies(subject, key) {
            continue;
        }
        let example = fact
            .allowed
            .first()
            .map_or_else(|| fact.value_type.noun().to_owned(), |one| quoted(one));
        let fix = format!("Add `{key}` ({example}).");
        match subject.given(key) {
            Some(entry) if fact.usual || entry.kind != ValueKind::String => {}
            Some(entry) => empty(entry, plugin.class, report),
            // A role or an integration stands for the password, and for whatever else is not always needed.
            None if connects_otherwise(subject) && (fact.usual || fact.value_type == ValueType::Password) => {}
            None if fact.usual => {
                let message = format!("`{key}` is missing: {} needs it in most cases", plugin.class);
                report.warning(head, message, fix);
            }
            None => report.error(head, format!("`{key}` is missing: {} requires it", plugin.class), fix),
        }
    }
}

/// A required key without a value. A user's name may be empty where a certificate speaks.
fn empty(entry: &Entry, class: &str, report: &mut Report<'_>) {
    if entry.value.is_empty() && !entry.key.contains("user") {
        let message = format!("`{}` is empty: {class} requires it", entry.key);
        report.error(&entry.value_span, message, "Give it a value.");
    }
}

/// Whether the file chooses a way to authenticate that needs no password: roles of a cloud, a provider integration.
fn connects_otherwise(subject: &Subject<'_>) -> bool {
    ["authentication.method", "provider.integration.id"]
        .into_iter()
        .any(|key| subject.given(key).is_some())
}

/// Keys that are marked as required and are so only in one mode, by the words of their definition: "… in case of API
/// Chaining".
pub(in crate::catalog) const ONLY_SOMETIMES: [&str; 1] = ["api.chaining.parent.child.relationship"];

/// There is nothing to chain with one API.
fn applies(subject: &Subject<'_>, key: &str) -> bool {
    !ONLY_SOMETIMES.contains(&key) || subject.given_value("apis.num").is_some_and(|number| number != "1")
}
