//! New connector file for a plugin: its required keys, usual keys and important optional keys, with known values.
//! `manifest::starter` writes the file.

use super::{
    rules::{missing_key, tasks_max},
    schema::{ConnectorDirection, Importance, KeySchema, PluginSchema, ValueType},
    secret::variable_for,
    topic_keys::{DESTINATIONS, TopicUse, topic_use},
};
use crate::{model::Prefix, text::capitalize};

/// Placeholder for a missing value. The rule `placeholder` rejects a file that still contains it.
pub const FILL_IN: &str = "<fill in>";

/// Section of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StarterSection {
    /// Kafka topics to read or write.
    Topics,
    /// Required keys.
    Required,
    /// Keys that are usually set.
    Usual,
    /// Optional keys, commented out.
    Optional,
}

/// Key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarterKey {
    /// Section.
    pub section: StarterSection,
    /// Key.
    pub key: String,
    /// Value, or [`FILL_IN`] if it is unknown.
    pub value: String,
    /// Note about the key, one sentence without a full stop.
    pub note: Option<String>,
}

/// New connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// Name.
    pub name: String,
    /// Plugin.
    pub class: &'static str,
    /// Direction.
    pub direction: ConnectorDirection,
    /// Note about its tasks.
    pub tasks: String,
    /// Whether `create` configures a dead letter topic of the department.
    pub dead_letters: bool,
    /// All keys except class, name, tasks, and those that `create` sets.
    pub keys: Vec<StarterKey>,
}

impl Starter {
    /// Returns the active keys.
    pub fn active(&self) -> impl Iterator<Item = &StarterKey> {
        self.keys.iter().filter(|key| key.section != StarterSection::Optional)
    }

    /// Returns the keys with a placeholder.
    pub fn placeholders(&self) -> impl Iterator<Item = &StarterKey> {
        self.active().filter(|key| key.value.contains(FILL_IN))
    }

    /// Returns the variables that supply secrets.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let inside = |key: &'_ StarterKey| key.value.starts_with("${env:");
        let secrets = self.active().filter(move |key| inside(key));
        secrets.filter_map(|key| key.value.strip_prefix("${env:")?.strip_suffix('}'))
    }
}

/// Key of a sink's dead letter topic (docs/reference/connect.md#common-configuration-keys).
const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

/// Keys that `create` sets, or that the service sets for its own accounts.
const FILLED_IN: [&str; 7] = [
    "connector.class",
    "name",
    "tasks.max",
    "kafka.auth.mode",
    "kafka.service.account.id",
    "kafka.api.key",
    "kafka.api.secret",
];

/// Returns keys that are usually set besides the required ones; an empty value is a placeholder.
fn usual_values(class: &str) -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("data/usual.txt").lines();
    let fields = lines.filter_map(|line| line.split_once('\t'));
    let (_, keys) = fields.into_iter().find(|(of, _)| *of == class).unwrap_or_default();
    let keys = keys.split('\t').filter(|key| !key.is_empty());
    keys.map(|key| key.split_once('=').unwrap_or((key, ""))).collect()
}

/// Creates a starter for `plugin`. Topics start with `prefix`.
#[must_use]
pub fn starter(plugin: &PluginSchema, name: &str, prefix: Option<&Prefix>) -> Starter {
    let usual = usual_values(plugin.class);
    let given = |key: &str| usual.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let mut keys: Vec<StarterKey> = plugin
        .keys
        .values()
        .filter(|fact| !FILLED_IN.contains(&fact.name.as_str()) && fact.name != DEAD_LETTERS)
        .filter_map(|fact| {
            let part = section_for(plugin, fact, given(&fact.name).is_some())?;
            Some(StarterKey {
                section: part,
                key: fact.name.clone(),
                value: value_for(name, plugin, fact, given(&fact.name), part, prefix),
                note: note_for(fact),
            })
        })
        .collect();
    keys.sort_by(|a, b| (a.section, &a.key).cmp(&(b.section, &b.key)));
    Starter {
        name: name.to_owned(),
        class: plugin.class,
        direction: plugin.direction,
        tasks: match tasks_max::runs_one_task(plugin.class) {
            true => "This plugin always runs one task".to_owned(),
            false => "Maximum number of tasks; each counts against the quota".to_owned(),
        },
        dead_letters: plugin.direction == ConnectorDirection::Sink && plugin.key(DEAD_LETTERS).is_some(),
        keys,
    }
}

/// Returns the section of a key; `None` if the file omits the key.
fn section_for(plugin: &PluginSchema, fact: &KeySchema, is_usual: bool) -> Option<StarterSection> {
    let key = fact.name.as_str();
    let use_ = topic_use(plugin.class, key);
    let needed = (fact.is_required() || fact.conditionally_required) && !missing_key::CONDITIONAL.contains(&key);
    let leads_somewhere = match plugin.direction {
        ConnectorDirection::Source => DESTINATIONS.contains(&key) || use_ == Some(TopicUse::History),
        ConnectorDirection::Sink => key == "topics",
    };
    // Topics are set explicitly even if the service has a default, because the default is outside every department's
    // prefix.
    if leads_somewhere || (use_.is_some() && (needed || is_usual)) {
        return Some(StarterSection::Topics);
    }
    if needed {
        return Some(StarterSection::Required);
    }
    let is_format = ["input.data.format", "output.data.format"].contains(&key);
    let plain = fact.default.is_none_or(|default| !default.contains("${"));
    if is_usual || (is_format && fact.required && plain) {
        return Some(StarterSection::Usual);
    }
    let interesting = fact.required || fact.importance == Importance::High;
    (interesting && !fact.hidden && !is_one_of_many(key) && !is_internal(key)).then_some(StarterSection::Optional)
}

/// Returns whether a key repeats an earlier one, as `api2.topics` repeats `api1.topics`.
fn is_one_of_many(key: &str) -> bool {
    let owner = key.split('.').find(|part| part.ends_with(|c: char| c.is_ascii_digit()));
    let number = owner.map(|owner| owner.trim_start_matches(|c: char| !c.is_ascii_digit()));
    number
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| number > 1)
}

/// Returns whether a key belongs to the console, the network or other accounts, and is irrelevant for a new connector.
fn is_internal(key: &str) -> bool {
    const FAMILIES: [&str; 6] = [
        "connector.egress.",
        "csfle.",
        "key.converter.",
        "oauth2.auth.",
        "secret.manager",
        "value.converter.",
    ];
    FAMILIES.iter().any(|family| key.starts_with(family))
        || key.ends_with(".session.id")
        || [
            "authentication.method",
            "provider.integration.id",
            "sr.service.account.id",
        ]
        .contains(&key)
}

/// Returns the value of a key: the usual value, else the default, else a placeholder.
fn value_for(
    name: &str,
    plugin: &PluginSchema,
    fact: &KeySchema,
    usual: Option<&str>,
    part: StarterSection,
    prefix: Option<&Prefix>,
) -> String {
    let key = fact.name.as_str();
    if fact.value_type == ValueType::Password {
        return format!("${{env:{}}}", variable_for(key));
    }
    let usual = usual.map(|value| if value.is_empty() { FILL_IN } else { value });
    // The catalog has defaults that the service would not accept if they were written.
    let is_writable = |default: &&str| {
        let is_reference = default.contains("${") || fact.value_type == ValueType::List;
        fact.allowed.is_empty() || fact.allowed.contains(default) || is_reference
    };
    let default = fact.default.filter(|default| !default.is_empty()).filter(is_writable);
    let is_own = part == StarterSection::Topics || default.is_none();
    if let Some(use_) = topic_use(plugin.class, key).filter(|_| is_own) {
        let begin = prefix.map_or("", Prefix::as_str);
        let rest = usual.unwrap_or(FILL_IN);
        return match use_ {
            TopicUse::NameThenRegex => format!("{begin}{rest}:.*"),
            TopicUse::NameThenContainer => format!("{begin}{rest}#{FILL_IN}"),
            TopicUse::CollectionThenName => format!("{FILL_IN}={begin}{rest}"),
            TopicUse::Name | TopicUse::Names | TopicUse::Prefix | TopicUse::Regex | TopicUse::DeadLetters => {
                format!("{begin}{rest}")
            }
            // Each connector needs a topic of its own for it.
            TopicUse::History => format!("{begin}{}.schema-history", name.strip_prefix(begin).unwrap_or(name)),
        };
    }
    let allowed = fact
        .allowed
        .first()
        .copied()
        .filter(|_| part == StarterSection::Optional);
    usual.or(default).or(allowed).unwrap_or(FILL_IN).to_owned()
}

/// Returns the note about a key.
fn note_for(fact: &KeySchema) -> Option<String> {
    const MANY: usize = 12;
    let mut parts = Vec::new();
    match fact.value_type {
        ValueType::String | ValueType::List if !fact.allowed.is_empty() => {
            let more = if fact.allowed.len() > MANY { ", …" } else { "" };
            let shown: Vec<&str> = fact.allowed.iter().copied().take(MANY).collect();
            let lead = if fact.value_type == ValueType::List {
                "Some of"
            } else {
                "One of"
            };
            parts.push(format!("{lead}: {}{more}", shown.join(", ")));
        }
        ValueType::String => {}
        ValueType::Password => parts.push("A secret".to_owned()),
        other => parts.push(capitalize(other.to_noun())),
    }
    if let Some(default) = fact.default.filter(|default| !default.is_empty()) {
        let word = if parts.is_empty() { "Default" } else { "default" };
        parts.push(format!("{word}: {default}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Returns a name for a new connector of `plugin`.
#[must_use]
pub fn proposed_name(plugin: &PluginSchema, prefix: Option<&Prefix>) -> String {
    let mut name = prefix.map_or("", Prefix::as_str).to_owned();
    let mut before = None;
    for letter in plugin.class.chars() {
        // `PostgresCdcSourceV2`, `S3_SINK`: an upper-case letter after a lower-case one starts a word.
        if letter.is_ascii_uppercase() && before.is_some_and(|before: char| before.is_ascii_lowercase()) {
            name.push('-');
        }
        name.push(if letter == '_' {
            '-'
        } else {
            letter.to_ascii_lowercase()
        });
        before = Some(letter);
    }
    name
}
