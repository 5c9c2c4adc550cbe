//! `duplicate-key`: a key that stands twice.

use std::collections::BTreeMap;

use super::LintRule;
use crate::{
    catalog::lint::{LintInput, RuleFindings},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "duplicate-key",
    severity: Severity::Error,
    summary: "a key that stands twice, also under its other name",
    explanation: "Most readers of JSON keep the last one without a word, so what runs is not what somebody read. Some keys go \
                  by two names (`data.format`, `input.data.format`); both at once is the same mistake.",
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
        // A key of its own right is not the other name of a second one that is there, too.
        let name = if input.plugin.is_some_and(|plugin| plugin.keys.contains_key(&entry.key)) {
            &entry.key
        } else {
            name
        };
        if let Some(first) = seen.insert(name, &entry.key) {
            let message = if first == entry.key {
                format!("`{name}` stands here twice")
            } else {
                format!("`{}` and `{first}` are two names of one key", entry.key)
            };
            findings.error(&entry.key_span, message, "Keep the one that is meant.");
        }
    }
}
