//! Topics that a configuration reads and writes.

use std::collections::BTreeMap;

use super::{
    ConnectorDirection, PluginSchema, catalog,
    topic_keys::{TopicUse, topic_use, uses_dotted_names},
    topic_transforms::{RenamedTopic, topic_transforms},
};
use crate::model::Prefix;

type Config = BTreeMap<String, String>;

/// Topics of a connector, as derived from its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorTopics {
    /// Topics that a sink reads.
    pub read: Vec<String>,
    /// Topics that a source writes.
    pub written: Vec<String>,
    /// Topics that a source writes for itself: schema changes of tables, and heartbeats.
    pub internal: Vec<String>,
    /// Prefix of the topics that a source writes, if their names are unknown.
    pub prefix: Option<String>,
    /// Topics for dead letters and reports.
    pub reports: Vec<String>,
}

fn split_list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Keys with the tables that a source reads; each table has its own topic.
const TABLE_KEYS: [&str; 4] = [
    "table.include.list",
    "table.whitelist",
    "collection",
    "table.inclusion.regex",
];

/// Plugin of a connector: its schema, or only its class if the catalog lacks it.
struct TopicPlugin<'a> {
    class: &'a str,
    schema: Option<&'static PluginSchema>,
}

impl TopicPlugin<'_> {
    fn is_sink(&self) -> bool {
        match self.schema {
            Some(schema) => schema.direction == ConnectorDirection::Sink,
            None => self.class.to_ascii_lowercase().contains("sink"),
        }
    }

    /// Returns the keys that name topics in this way.
    fn keys(&self, wanted: TopicUse) -> impl Iterator<Item = &'static str> {
        let keys = self.schema.into_iter().flat_map(|schema| schema.keys.keys());
        keys.map(String::as_str)
            .filter(move |key| topic_use(self.class, key) == Some(wanted))
    }

    fn value<'a>(&self, config: &'a Config, key: &str) -> Option<&'a str> {
        match self.schema {
            Some(schema) => schema.effective_value(config, key),
            None => value(config, key),
        }
    }
}

/// Returns a value unless it is empty.
fn value<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
    config.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

/// Returns the topics of a connector with the plugin `class` and the id `id`.
#[must_use]
pub fn connector_topics(class: &str, config: &Config, id: &str) -> ConnectorTopics {
    let plugin = &TopicPlugin {
        class,
        schema: catalog().plugin(class),
    };
    let mut topics = ConnectorTopics {
        reports: report_topics(plugin, config, id),
        ..ConnectorTopics::default()
    };
    let mut prefix = None;
    for (key, text) in config.iter().filter(|(_, text)| !text.is_empty()) {
        let Some(kind) = topic_use(plugin.class, key) else {
            continue;
        };
        let known = if plugin.is_sink() {
            &mut topics.read
        } else {
            &mut topics.written
        };
        match kind {
            TopicUse::DeadLetters | TopicUse::History | TopicUse::Regex => {}
            TopicUse::Prefix if key == HEARTBEAT_PREFIX_KEY => {}
            TopicUse::Prefix => prefix = Some(text.as_str()),
            // Debezium reads its signals from a topic.
            TopicUse::Name if key == SIGNAL_TOPIC_KEY => topics.read.push(text.clone()),
            // The names of topics with placeholders are unknown.
            TopicUse::Name if text.contains("${") || text.contains("{{") => {}
            _ => {
                for name in kind.names(text) {
                    if !known.iter().any(|known| known == name) {
                        known.push(name.to_owned());
                    }
                }
            }
        }
    }
    if !plugin.is_sink() {
        topics.internal = history_topics(plugin, config, id);
        topics.internal.extend(heartbeat_topic(plugin, config, id));
        if let Some(prefix) = prefix {
            add_table_topics(plugin, config, prefix, &mut topics);
        }
        rename_topics(config, &mut topics);
    }
    topics
}

/// Key for the prefix of topics that are written only if heartbeats are enabled; their names are unknown.
const HEARTBEAT_PREFIX_KEY: &str = "topic.heartbeat.prefix";
const SIGNAL_TOPIC_KEY: &str = "signal.kafka.topic";

/// Adds one topic for each table, named after the table.
fn add_table_topics(plugin: &TopicPlugin<'_>, config: &Config, prefix: &str, topics: &mut ConnectorTopics) {
    let tables: Vec<_> = TABLE_KEYS
        .iter()
        .filter_map(|key| value(config, key))
        .flat_map(split_list)
        .collect();
    let plain = |table: &&str| !table.contains(['*', '[', '(', '\\', '|']);
    let dot = if prefix.ends_with(['.', '-', '_']) || !uses_dotted_names(plugin.class) {
        ""
    } else {
        "."
    };
    let named = tables.iter().filter(|table| plain(table));
    // Change data capture names the schema, JDBC sources do not (docs.confluent.io, JDBC source connector: the topic is
    // the prefix followed by the name of the table).
    let name = |table: &'_ str| match uses_dotted_names(plugin.class) {
        true => format!("{prefix}{dot}{table}"),
        false => format!("{prefix}{}", table.rsplit('.').next().unwrap_or(table)),
    };
    topics.written.extend(named.map(|table| name(table)));
    if tables.is_empty() || !tables.iter().all(plain) {
        topics.prefix = Some(prefix.to_owned());
    }
}

/// Applies the transforms that change topics.
fn rename_topics(config: &Config, topics: &mut ConnectorTopics) {
    for transform in topic_transforms(|key| value(config, key)) {
        let former: Vec<String> = std::mem::take(&mut topics.written)
            .into_iter()
            .chain(topics.prefix.take())
            .collect();
        for topic in former {
            match transform.rename(&topic) {
                RenamedTopic::Name(name) if !topics.written.contains(&name) => topics.written.push(name),
                RenamedTopic::Name(_) => {}
                RenamedTopic::Prefix(prefix) => topics.prefix = Some(prefix),
            }
        }
    }
}

/// Returns the topics with the schema history of a source; by default they do not start with the topic prefix
/// (docs/reference/rbac.md#access-of-a-connectors-account and docs/reference/rbac.md#personas).
fn history_topics(plugin: &TopicPlugin<'_>, config: &Config, id: &str) -> Vec<String> {
    let keys = plugin.keys(TopicUse::History);
    keys.filter_map(|key| plugin.value(config, key))
        .map(|name| {
            let prefix = value(config, "topic.prefix").unwrap_or_default();
            name.replace("${topic.prefix}", prefix)
                .replace("{{.logicalClusterId}}", id)
        })
        .filter(|name| !name.contains("${") && !name.contains("{{"))
        .collect()
}

/// Returns the topic for heartbeats, if they are enabled.
fn heartbeat_topic(plugin: &TopicPlugin<'_>, config: &Config, id: &str) -> Option<String> {
    let interval = value(config, "heartbeat.interval.ms")?;
    if interval.trim() == "0" {
        return None;
    }
    let own = |key: &str| {
        plugin
            .value(config, key)
            .map(|name| name.replace("{{.logicalClusterId}}", id))
    };
    let of_debezium = own(HEARTBEAT_PREFIX_KEY)
        .map(|prefix| format!("{prefix}.{}", value(config, "topic.prefix").unwrap_or_default()));
    of_debezium.or_else(|| own("heartbeat.topic.name"))
}

/// Returns the topics for dead letters and reports. A sink has them by default, named after its id: `dlq-${connector}`
/// (docs/reference/connect.md#common-configuration-keys). A source has only configured ones.
fn report_topics(plugin: &TopicPlugin<'_>, config: &Config, id: &str) -> Vec<String> {
    let name = |key: &str| {
        // A dead letter queue is used only if errors are tolerated.
        if let Some(family) = key.strip_suffix("errors.deadletterqueue.topic.name") {
            let tolerance = plugin.value(config, &format!("{family}errors.tolerance"));
            if !tolerance.is_some_and(|tolerance| tolerance.eq_ignore_ascii_case("all")) {
                return None;
            }
        }
        let written = config.get(key).map(String::as_str);
        let default = || plugin.value(config, key).filter(|_| plugin.is_sink());
        written.or_else(default).filter(|name| !name.is_empty())
    };
    let dead = plugin.keys(TopicUse::DeadLetters);
    dead.filter_map(name)
        .map(|name| name.replace("${connector}", id))
        .collect()
}

/// Returns the topic to which a sink of a department reports records by default: all of them share one prefix, so that
/// a role can be limited to the dead letters of the department (`claims-dlq-archive`).
#[must_use]
pub fn report_topic(prefix: Option<&Prefix>, name: &str, word: &str) -> String {
    match prefix.and_then(|prefix| Some((prefix, name.strip_prefix(prefix.as_str())?))) {
        Some((prefix, rest)) => format!("{prefix}{word}-{rest}"),
        None => format!("{name}-{word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &[(&str, &str)]) -> Config {
        let lines = lines.iter();
        lines
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn topics_of(class: &str, lines: &[(&str, &str)]) -> ConnectorTopics {
        connector_topics(class, &config(lines), "lcc-abc123")
    }

    // Source: docs/reference/connect.md#common-configuration-keys and
    // docs/reference/rbac.md#access-of-a-connectors-account
    #[test]
    fn sinks_read_topics_and_have_a_dead_letter_queue_named_after_their_id() {
        let found = topics_of("S3_SINK", &[("topics", "a, b")]);
        assert_eq!(found.read, ["a", "b"]);
        assert_eq!(found.reports, ["dlq-lcc-abc123"]);
        let own = topics_of("S3_SINK", &[("errors.deadletterqueue.topic.name", "claims-dlq")]);
        assert_eq!(own.reports, ["claims-dlq"]);
        assert!(topics_of("S3_SINK", &[("errors.tolerance", "none")]).reports.is_empty());
        assert!(
            topics_of("S3_SINK", &[("errors.deadletterqueue.topic.name", "")])
                .reports
                .is_empty()
        );
        let http = topics_of("HttpSink", &[("topics", "a")]);
        let all = ["dlq-lcc-abc123", "error-lcc-abc123", "success-lcc-abc123"];
        assert_eq!(http.reports, all);
        // The only sink without default topics for dead letters and reports.
        assert!(topics_of("ClickHouseSink", &[("topics", "a")]).reports.is_empty());
    }

    #[test]
    fn sources_write_one_topic_or_one_per_table() {
        assert_eq!(topics_of("DatagenSource", &[("kafka.topic", "t")]).written, ["t"]);
        assert_eq!(
            topics_of("S3Source", &[("topic.regex.list", "a:.*,b:x")]).written,
            ["a", "b"]
        );
        let cdc = topics_of(
            "PostgresCdcSourceV2",
            &[
                ("topic.prefix", "hr"),
                ("table.include.list", "public.staff,public.pay"),
                ("signal.kafka.topic", "signals"),
            ],
        );
        assert_eq!(cdc.written, ["hr.public.staff", "hr.public.pay"]);
        assert_eq!((cdc.read, cdc.prefix), (vec!["signals".to_owned()], None));
        let jdbc = topics_of(
            "PostgresSource",
            &[("topic.prefix", "crm-"), ("table.whitelist", "customers")],
        );
        assert_eq!(jdbc.written, ["crm-customers"]);
        assert_eq!(
            topics_of("PostgresSource", &[("topic.prefix", "crm-")]).prefix.unwrap(),
            "crm-"
        );
    }

    // Source: docs/reference/rbac.md#access-of-a-connectors-account. `dbhistory.<server>.lcc-`.
    #[test]
    fn the_schema_history_topic_is_outside_the_prefix_unless_configured() {
        let key = "schema.history.internal.kafka.topic";
        let lines = [("topic.prefix", "hr-db"), ("table.include.list", "x")];
        let found = topics_of("MySqlCdcSourceV2", &lines);
        assert_eq!(found.internal, ["dbhistory.hr-db.lcc-abc123"]);
        assert_eq!(found.written, ["hr-db.x"]);
        let named = [lines[0], lines[1], (key, "hr-history")];
        assert_eq!(topics_of("MySqlCdcSourceV2", &named).internal, ["hr-history"]);
    }
}
