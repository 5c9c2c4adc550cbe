//! Rule `one-of`: exactly one of two keys is required.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings},
        schema::{ConnectorDirection, PluginSchema},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "one-of",
    severity: Severity::Error,
    summary: "two mutually exclusive keys, or neither of them",
    explanation: "A sink reads `topics` or the topics that match `topics.regex`; a Datagen source uses `quickstart` or \
                  `schema.string` (docs/reference/connect.md#common-configuration-keys and \
                  docs/reference/connect.md#plugin-definitions).",
    applies_to_self_managed: false,
    check,
};

const PAIRS: [[&str; 2]; 2] = [["topics", "topics.regex"], ["quickstart", "schema.string"]];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(plugin) = input.plugin else { return };
    for [a, b] in pairs_of(plugin) {
        let given = |key| input.entry_for(key).filter(|entry| !entry.value.is_empty());
        match (given(a), given(b)) {
            (Some(_), Some(second)) => {
                let message = format!("`{a}` and `{b}` are mutually exclusive");
                findings.error(&second.key_span, message, "Remove one of them.");
            }
            (None, None) if !has_topic_elsewhere(input, plugin.direction) => {
                findings.error(
                    &input.file.opening_range,
                    format!("neither `{a}` nor `{b}` is set"),
                    format!("Add one of `{a}` and `{b}`."),
                );
            }
            _ => {}
        }
    }
}

/// Returns the pairs of which `plugin` has both keys.
pub(in crate::catalog) fn pairs_of(plugin: &PluginSchema) -> impl Iterator<Item = [&'static str; 2]> {
    PAIRS
        .into_iter()
        .filter(|pair| pair.iter().all(|key| plugin.keys.contains_key(*key)))
}

/// Returns whether a sink names its topics per object or API.
fn has_topic_elsewhere(input: &LintInput<'_>, direction: ConnectorDirection) -> bool {
    direction == ConnectorDirection::Sink && input.entries().iter().any(|entry| entry.key.ends_with(".topics"))
}
