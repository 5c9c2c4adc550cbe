//! Rule `duplicate-key`: a key occurs twice.

use std::collections::BTreeMap;

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "duplicate-key",
    severity: Severity::Error,
    summary: "a key that occurs twice, also by an alias",
    explanation: "Most JSON parsers silently keep the last value, so the connector may not use the value that a reader \
                  sees. Some keys have an alias (`data.format`, `input.data.format`); using both is the same mistake.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in input.entries() {
        if entry.key == "connector.class" {
            continue;
        }
        let name = input
            .key_schema(&entry.key)
            .map_or(entry.key.as_str(), |fact| fact.name.as_str());
        // A key that is defined itself is not an alias of another one.
        let name = if input.plugin.is_some_and(|plugin| plugin.keys.contains_key(&entry.key)) {
            &entry.key
        } else {
            name
        };
        if let Some(first) = seen.insert(name, &entry.key) {
            let message = if first == entry.key {
                format!("`{name}` occurs twice")
            } else {
                format!("`{}` and `{first}` are the same key", entry.key)
            };
            findings.error(&entry.key_span, message, "Remove one of them.");
        }
    }
}
