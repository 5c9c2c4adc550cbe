//! Configuration keys that name Kafka topics.
//!
//! Derived from the names and definitions of all keys with "topic" in their name
//! (`data/plugins.txt`). Omitted: topics of other systems (`mqtt.topics`, `gcp.pubsub.topic.id`,
//! `salesforce.push.topic.name`, `state.topic.name` of IBM MQ, `twitter.topics`), folders (`topics.dir`), and mappings
//! of consumed topics to other objects.

use super::regex_prefix::always_starts_with;
use crate::model::Prefix;

/// How the value of a key names topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicUse {
    /// One topic, or a template that the service completes.
    Name,
    /// Comma-separated topics.
    Names,
    /// Prefix of all topic names.
    Prefix,
    /// Comma-separated `topic:regex` pairs (S3Source and similar plugins).
    NameThenRegex,
    /// Comma-separated `topic#container` pairs (Cosmos DB).
    NameThenContainer,
    /// Comma-separated `collection=topic` pairs (Couchbase).
    CollectionThenName,
    /// Regular expression for the topics to read.
    Regex,
    /// Topic for failed records or for reports.
    DeadLetters,
    /// Schema history topic. Its default begins with `dbhistory.`, outside of every prefix.
    History,
}

/// Returns how `key` names topics, if it does. `class` matters for names that plugins use differently.
#[must_use]
pub fn topic_use(class: &str, key: &str) -> Option<TopicUse> {
    use TopicUse as U;
    Some(match key {
        "topics" | "kafka.topics" => U::Names,
        "topics.regex" => U::Regex,
        "kafka.topic"
        | "topic"
        | "couchbase.topic"
        | "couchbase.black.hole.topic"
        | "couchbase.initial.offset.topic"
        | "redo.log.topic.name"
        | "redo.log.corruption.topic"
        | "table.topic.name.template"
        | "lob.topic.name.template"
        | "topic.name.pattern"
        | "kafka.topic.format"
        | "heartbeat.topic.name"
        | "notification.sink.topic.name"
        | "offsets.storage.topic"
        | "signal.kafka.topic"
        | "topic.transaction" => U::Name,
        "topic.prefix" | "database.server.name" | "topic.heartbeat.prefix" => U::Prefix,
        "topic.regex.list" => U::NameThenRegex,
        "azure.cosmos.source.containers.topicMap" => U::NameThenContainer,
        "connect.cosmos.containers.topicmap" if class == "CosmosDbSource" => U::NameThenContainer,
        "couchbase.collection.to.topic" => U::CollectionThenName,
        "errors.deadletterqueue.topic.name"
        | "mongo.errors.deadletterqueue.topic.name"
        | "reporter.error.topic.name"
        | "reporter.result.topic.name" => U::DeadLetters,
        "schema.history.internal.kafka.topic" | "database.history.kafka.topic" => U::History,
        _ => return numbered_topic_use(key),
    })
}

/// Handles `api1.topics`, `table2.topic`, `index3.topic`, `salesforce.object1.topics`.
fn numbered_topic_use(key: &str) -> Option<TopicUse> {
    let (owner, last) = key.rsplit_once('.')?;
    let family = owner.trim_end_matches(|c: char| c.is_ascii_digit());
    match (family, last) {
        _ if family.len() == owner.len() => None,
        ("api" | "salesforce.object", "topics") => Some(TopicUse::Names),
        ("table" | "index", "topic") => Some(TopicUse::Name),
        _ => None,
    }
}

/// Returns whether a source separates the prefix with a dot, as change data capture does.
#[must_use]
pub fn uses_dotted_names(class: &str) -> bool {
    class.contains("Cdc") || class.contains("XStream") || class == "MongoDbAtlasSource"
}

/// Keys that a source needs to name its topics; the default names are outside every department's prefix.
pub const DESTINATIONS: [&str; 6] = [
    "topic.prefix",
    "table.topic.name.template",
    "redo.log.topic.name",
    "couchbase.topic",
    "kafka.topic.format",
    "topic.name.pattern",
];

impl TopicUse {
    /// Returns the topic names, name prefixes or patterns in `value`.
    #[must_use]
    pub fn names(self, value: &str) -> Vec<&str> {
        let items = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
        match self {
            Self::Names => items().collect(),
            Self::NameThenRegex => items().filter_map(|item| item.split(':').next()).collect(),
            Self::NameThenContainer => items().filter_map(|item| item.split('#').next()).collect(),
            Self::CollectionThenName => items()
                .filter_map(|item| item.split_once('='))
                .map(|(_, topic)| topic.trim())
                .collect(),
            Self::Name | Self::Prefix | Self::Regex | Self::DeadLetters | Self::History => vec![value],
        }
    }

    /// Returns the first topic or expression in `value` that is outside `prefix`. Dead letter topics have their own
    /// rule.
    #[must_use]
    pub fn first_outside<'a>(self, class: &str, value: &'a str, prefix: &Prefix) -> Option<&'a str> {
        match self {
            Self::DeadLetters => None,
            Self::Regex => {
                let inside = value.is_empty() || always_starts_with(value, prefix.as_str());
                (!inside).then_some(value)
            }
            _ => {
                let names = self.names(value);
                names.into_iter().find(|name| !self.is_inside(class, name, prefix))
            }
        }
    }

    fn is_inside(self, class: &str, name: &str, prefix: &Prefix) -> bool {
        if prefix.owns(name) {
            return true;
        }
        match self {
            // Change data capture adds a dot after the prefix: `claims` becomes `claims.public.staff`.
            Self::Prefix => uses_dotted_names(class) && prefix.as_str().strip_suffix('.') == Some(name),
            // With an empty value, the plugin decides.
            _ => name.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;

    #[test]
    fn topic_names_are_parsed_from_each_kind_of_value() {
        assert_eq!(TopicUse::Names.names("a, b ,,c"), ["a", "b", "c"]);
        assert_eq!(TopicUse::NameThenRegex.names("orders:.*,users:^u"), ["orders", "users"]);
        assert_eq!(
            TopicUse::NameThenContainer.names("orders#c1,users#c2"),
            ["orders", "users"]
        );
        assert_eq!(
            TopicUse::CollectionThenName.names("s.c=orders, s.d = users"),
            ["orders", "users"]
        );
    }

    #[test]
    fn topics_of_other_systems_are_not_kafka_topics() {
        for key in [
            "mqtt.topics",
            "topics.dir",
            "gcp.pubsub.topic.id",
            "state.topic.name",
            "salesforce.push.topic.name",
            "api.topics",
        ] {
            assert_eq!(topic_use("X", key), None, "{key}");
        }
        assert_eq!(topic_use("HttpSinkV2", "api15.topics"), Some(TopicUse::Names));
        // A sink's mapping refers to topics that it consumes anyway.
        assert_eq!(topic_use("CosmosDbSink", "connect.cosmos.containers.topicmap"), None);
    }

    #[test]
    fn every_destination_is_a_key_of_some_plugin() {
        for key in DESTINATIONS {
            assert!(catalog().plugins().any(|plugin| plugin.keys.contains_key(key)), "{key}");
            assert!(topic_use("", key).is_some(), "{key}");
        }
    }
}
