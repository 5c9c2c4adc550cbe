//! Rule `unknown-key`: the plugin does not have the key.

use super::server_key::is_server_key;
use crate::{
    catalog::{
        renamed_keys::{limits_what_is_read, replacement_for},
        rule::{ASK_THE_SERVICE, LintInput, LintRule, RuleFindings, is_transform_key, list_quoted},
        schema::{Catalog, PluginSchema},
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: LintRule = LintRule {
    id: "unknown-key",
    severity: Severity::Error,
    summary: "a key that the plugin does not have",
    explanation: "The service ignores unknown keys, so a misspelt key has no effect. A key that resembles none of the \
                  plugin is only a warning, because the service may have added it after the catalog's snapshot.",
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
        if let Some(fix) = find_mistake(input.catalog, plugin, key) {
            findings.error(&entry.key_span, format!("{} has no key `{shown}`", plugin.class), fix);
        } else {
            let age = input.catalog.age();
            let message = format!("{} has no key `{shown}` in the catalog of {age}", plugin.class);
            let fix = format!("{ASK_THE_SERVICE} It ignores unknown keys.");
            findings.warning(&entry.key_span, message, fix);
        }
    }
}

/// Returns what to do about a key that cannot be a new one: renamed, misspelt, or of another connector.
fn find_mistake(catalog: &Catalog, plugin: &PluginSchema, key: &str) -> Option<String> {
    let has = |name: &str| plugin.keys.contains_key(name);
    if let Some(own) = replacement_for(plugin, key) {
        let value = match (key, own) {
            ("copy.existing", "startup.mode") => "=copy_existing",
            _ => "",
        };
        return Some(format!("Use `{own}{value}`, the key of {}.", plugin.class));
    }
    if matches!(key, "topic" | "topics" | "kafka.topics" | "kafka.topic")
        && let Some(own) = ["topics", "kafka.topic", "topic.prefix", "topic.name.pattern"]
            .into_iter()
            .find(|name| has(name))
    {
        return Some(format!("Use `{own}` to name the topics."));
    }
    // Keys of self-managed workers that managed plugins replace.
    let format = ["input.data.format", "output.data.format"]
        .into_iter()
        .find(|name| has(name));
    if let ("key.converter" | "value.converter", Some(format)) = (key, format) {
        return Some(format!("Use `{format}`, the key of managed plugins."));
    }
    if let Some(near) = hint::misspelling_of(key, plugin.keys.keys().map(String::as_str)) {
        return Some(format!("Did you mean `{near}`?"));
    }
    let siblings: Vec<&str> = siblings(catalog, plugin)
        .filter(|sibling| sibling.key(key).is_some())
        .map(|sibling| sibling.class)
        .collect();
    match &siblings[..] {
        [] => None,
        _ if limits_what_is_read(key) => Some(format!(
            "It is a key of {}. Find the key of {} with the same meaning before you remove it: without it, the \
             connector reads more.",
            list_quoted(siblings),
            plugin.class
        )),
        _ => Some(format!("It is a key of {} only. Remove it.", list_quoted(siblings))),
    }
}

/// Returns the other plugins of the same vendor package (`io.debezium`), whose keys the catalog knows as well, so that a
/// key that only they have is no new one.
fn siblings<'a>(catalog: &'a Catalog, plugin: &'a PluginSchema) -> impl Iterator<Item = &'a PluginSchema> {
    let package = |implementation: &'a str| {
        implementation
            .match_indices('.')
            .nth(1)
            .map(|(at, _)| &implementation[..at])
    };
    // `io.confluent` is the package of unrelated connectors.
    let own = package(plugin.implementation).filter(|own| *own != "io.confluent");
    catalog
        .plugins()
        .filter(move |other| own.is_some() && package(other.implementation) == own && other.class != plugin.class)
}
