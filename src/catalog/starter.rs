//! What somebody writes who begins with a plugin: its required keys, the usual ones, and those worth a look, with values
//! where they are known. `manifest::starter` makes a file of it.

use super::{
    rules::{missing_key, tasks_max},
    schema::{ConnectorDirection, Importance, KeySchema, PluginSchema, ValueType},
    secret::variable_for,
    topic_keys::{DESTINATIONS, TopicUse, topic_use},
};
use crate::model::Prefix;

/// What stands where a value has to be filled in. The rule `placeholder` refuses a file that still holds it.
pub const FILL_IN: &str = "<fill in>";

/// Where a key stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StarterSection {
    /// Which Kafka topics are read or written.
    Topics,
    /// What the connector does not do without.
    Required,
    /// What it is usually given, besides.
    Usual,
    /// What it can be given; not active.
    Optional,
}

/// One key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarterKey {
    /// Where it stands.
    pub section: StarterSection,
    /// The key.
    pub key: String,
    /// Its value; [`FILL_IN`] where nobody can know it.
    pub value: String,
    /// What there is to know about it, as one sentence without a full stop.
    pub note: Option<String>,
}

/// A connector that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// Its name.
    pub name: String,
    /// Its plugin.
    pub class: &'static str,
    /// Source or sink.
    pub direction: ConnectorDirection,
    /// What is known about its tasks.
    pub tasks: String,
    /// Whether `create` sends what it cannot process to a topic of the department's.
    pub dead_letters: bool,
    /// All keys but its class, its name, its tasks and what `create` fills in.
    pub keys: Vec<StarterKey>,
}

impl Starter {
    /// The keys that are active.
    pub fn active(&self) -> impl Iterator<Item = &StarterKey> {
        self.keys.iter().filter(|key| key.section != StarterSection::Optional)
    }

    /// The keys that have to be filled in.
    pub fn placeholders(&self) -> impl Iterator<Item = &StarterKey> {
        self.active().filter(|key| key.value.contains(FILL_IN))
    }

    /// The variables that secrets are taken from.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let inside = |key: &'_ StarterKey| key.value.starts_with("${env:");
        let secrets = self.active().filter(move |key| inside(key));
        secrets.filter_map(|key| key.value.strip_prefix("${env:")?.strip_suffix('}'))
    }
}

/// The key of the dead letter queue of sinks (docs/reference/connect.md#common-configuration-keys).
const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

/// What `create` fills in, and what the service does with its own accounts.
const FILLED_IN: [&str; 7] = [
    "connector.class",
    "name",
    "tasks.max",
    "kafka.auth.mode",
    "kafka.service.account.id",
    "kafka.api.key",
    "kafka.api.secret",
];

/// What one writes besides the required keys of a plugin: key and value, which is empty where it has to be filled in.
fn usual_values(class: &str) -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("data/usual.txt").lines();
    let fields = lines.filter_map(|line| line.split_once('\t'));
    let (_, keys) = fields.into_iter().find(|(of, _)| *of == class).unwrap_or_default();
    let keys = keys.split('\t').filter(|key| !key.is_empty());
    keys.map(|key| key.split_once('=').unwrap_or((key, ""))).collect()
}

/// A starter for `plugin`. With a `prefix` its topics begin so.
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
                value: value_for(plugin, fact, given(&fact.name), part, prefix),
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
            true => "This plugin runs one task, whatever is asked for".to_owned(),
            false => "How many tasks it may run; each counts in the quota".to_owned(),
        },
        dead_letters: plugin.direction == ConnectorDirection::Sink && plugin.key(DEAD_LETTERS).is_some(),
        keys,
    }
}

/// Where a key belongs, if it belongs into the file at all.
fn section_for(plugin: &PluginSchema, fact: &KeySchema, is_usual: bool) -> Option<StarterSection> {
    let key = fact.name.as_str();
    let use_ = topic_use(plugin.class, key);
    let needed = (fact.is_required() || fact.conditionally_required) && !missing_key::CONDITIONAL.contains(&key);
    let leads_somewhere = match plugin.direction {
        ConnectorDirection::Source => DESTINATIONS.contains(&key),
        ConnectorDirection::Sink => key == "topics",
    };
    // What is read and written has to be said even where the service has a default: it lies in no department.
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

/// `api2.topics` says nothing that `api1.topics` does not.
fn is_one_of_many(key: &str) -> bool {
    let owner = key.split('.').find(|part| part.ends_with(|c: char| c.is_ascii_digit()));
    let number = owner.map(|owner| owner.trim_start_matches(|c: char| !c.is_ascii_digit()));
    number
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| number > 1)
}

/// What belongs to the service's console, to the network, or to other accounts: nothing that one begins with.
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
        || key == "sr.service.account.id"
}

/// What a key is given: the usual value, where there is one, else the default, where the key need not be there.
fn value_for(
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
    let default = fact.default.filter(|default| !default.is_empty());
    let is_own = part == StarterSection::Topics || default.is_none();
    if let Some(use_) = topic_use(plugin.class, key).filter(|_| is_own) {
        let begin = prefix.map_or("", Prefix::as_str);
        let rest = usual.unwrap_or(FILL_IN);
        return match use_ {
            TopicUse::NameThenRegex => format!("{begin}{rest}:.*"),
            TopicUse::NameThenContainer => format!("{begin}{rest}#{FILL_IN}"),
            TopicUse::CollectionThenName => format!("{FILL_IN}={begin}{rest}"),
            TopicUse::Name
            | TopicUse::Names
            | TopicUse::Prefix
            | TopicUse::Regex
            | TopicUse::DeadLetters
            | TopicUse::History => format!("{begin}{rest}"),
        };
    }
    let allowed = fact
        .allowed
        .first()
        .copied()
        .filter(|_| part == StarterSection::Optional);
    usual.or(default).or(allowed).unwrap_or(FILL_IN).to_owned()
}

/// What there is to know about a key.
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

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The name of a connector of `plugin`, until somebody finds a better one.
#[must_use]
pub fn proposed_name(plugin: &PluginSchema, prefix: Option<&Prefix>) -> String {
    let mut name = prefix.map_or("", Prefix::as_str).to_owned();
    let mut before = None;
    for letter in plugin.class.chars() {
        // `PostgresCdcSourceV2`, `S3_SINK`: a capital after a small letter begins a word.
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
