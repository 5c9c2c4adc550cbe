//! Rule `unknown-key`: the plugin does not have the key.

use super::server_key::is_server_key;
use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, is_transform_key},
        schema::{PluginSchema, SNAPSHOT},
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: LintRule = LintRule {
    id: "unknown-key",
    severity: Severity::Error,
    summary: "a key that the plugin does not have",
    explanation: "The service ignores unknown keys, so a misspelt key has no effect. If the service added the key \
                  after the catalog's snapshot, except this rule.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in &input.file.unexpected {
        let message = format!("`{}` next to `config` is ignored", entry.key);
        findings.warning(&entry.key_span, message, "Remove it, or move it into `config`.");
    }
    let Some(plugin) = input.plugin else { return };
    for entry in input.entries() {
        let key = entry.key.as_str();
        if plugin.key(key).is_some() || is_transform_key(key) || is_server_key(key) {
            continue;
        }
        let shown: String = key.chars().take(80).flat_map(char::escape_debug).collect();
        let message = format!("{} has no key `{shown}`", plugin.class);
        findings.error(&entry.key_span, message, advice(plugin, key));
    }
}

fn advice(plugin: &PluginSchema, key: &str) -> String {
    let has = |name: &str| plugin.keys.contains_key(name);
    if matches!(key, "topic" | "topics" | "kafka.topics" | "kafka.topic")
        && let Some(own) = ["topics", "kafka.topic", "topic.prefix", "topic.name.pattern"]
            .into_iter()
            .find(|name| has(name))
    {
        return format!("Use `{own}` to name the topics.");
    }
    // Keys of self-managed workers that managed plugins replace.
    let format = ["input.data.format", "output.data.format"]
        .into_iter()
        .find(|name| has(name));
    if let ("key.converter" | "value.converter", Some(format)) = (key, format) {
        return format!("Use `{format}`, the key of managed plugins.");
    }
    if let Some(near) = hint::closest_match(key, plugin.keys.keys().map(String::as_str)) {
        return format!("Did you mean `{near}`?");
    }
    format!("Remove it. If the service added it after {SNAPSHOT}, except the rule `unknown-key` with a reason.")
}
