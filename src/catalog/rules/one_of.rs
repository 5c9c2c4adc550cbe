//! `one-of`: keys of which exactly one must be there.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings},
        schema::ConnectorDirection,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "one-of",
    severity: Severity::Error,
    summary: "two keys that exclude each other, or neither of them",
    explanation: "A sink reads `topics` or what matches `topics.regex`; a Datagen source makes what `quickstart` or \
                  `schema.string` says (docs/reference/connect.md#common-configuration-keys and \
                  docs/reference/connect.md#plugin-definitions).",
    applies_to_self_managed: false,
    check,
};

const PAIRS: [[&str; 2]; 2] = [["topics", "topics.regex"], ["quickstart", "schema.string"]];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(plugin) = input.plugin else { return };
    for [a, b] in PAIRS {
        if !plugin.keys.contains_key(a) || !plugin.keys.contains_key(b) {
            continue;
        }
        let given = |key| input.entry_for(key).filter(|entry| !entry.value.is_empty());
        match (given(a), given(b)) {
            (Some(_), Some(second)) => {
                let message = format!("`{a}` and `{b}` exclude each other");
                findings.error(&second.key_span, message, "Keep the one that is meant.");
            }
            (None, None) if !has_topic_elsewhere(input, plugin.direction) => {
                findings.error(
                    &input.file.opening_range,
                    format!("neither `{a}` nor `{b}` is there"),
                    format!("Add one of `{a}` and `{b}`."),
                );
            }
            _ => {}
        }
    }
}

/// Some sinks name their topics per object or API.
fn has_topic_elsewhere(input: &LintInput<'_>, direction: ConnectorDirection) -> bool {
    direction == ConnectorDirection::Sink && input.entries().iter().any(|entry| entry.key.ends_with(".topics"))
}
