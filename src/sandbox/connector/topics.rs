//! Which topics a configuration reads and writes.

use super::{
    config::{Config, value},
    plugins::Plugin,
};

/// The topics of a connector, as far as its configuration names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Topics {
    /// A sink reads these.
    pub(crate) read: Vec<String>,
    /// A source writes these.
    pub(crate) written: Vec<String>,
    /// A source writes topics whose names begin so, and nothing says which.
    pub(crate) prefix: Option<String>,
    /// Where a sink puts what it cannot process, and its reports.
    pub(crate) reports: Vec<String>,
}

fn parts(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned)
}

/// Keys that name one topic that a source writes; texts with `${` are filled in by the service, nobody knows how.
const WRITTEN: [&str; 4] = [
    "kafka.topic",
    "topic.name.pattern",
    "redo.log.topic.name",
    "notification.sink.topic.name",
];

/// The tables that a source reads: one topic each.
const TABLES: [&str; 4] = [
    "table.include.list",
    "table.whitelist",
    "collection",
    "table.inclusion.regex",
];

/// The topics of a connector with the id `id`.
pub(crate) fn topics(plugin: &Plugin, config: &Config, id: &str) -> Topics {
    let mut topics = Topics::default();
    if plugin.sink {
        topics.read = value(config, "topics").into_iter().flat_map(parts).collect();
        topics.reports = reports(plugin, config, id);
        return topics;
    }
    let literal = |key: &&str| {
        value(config, key)
            .filter(|text| !text.contains("${"))
            .map(str::to_owned)
    };
    topics.written = WRITTEN.iter().filter_map(literal).collect();
    let prefix = value(config, "topic.prefix").or_else(|| value(config, "database.server.name"));
    if let Some(prefix) = prefix {
        let tables: Vec<_> = TABLES
            .iter()
            .filter_map(|key| value(config, key))
            .flat_map(parts)
            .collect();
        let plain = |table: &String| !table.contains(['*', '[', '(', '\\', '|']);
        let dot = if prefix.ends_with(['.', '-', '_']) || !is_cdc(plugin) {
            ""
        } else {
            "."
        };
        let named = tables.iter().filter(|table| plain(table));
        topics
            .written
            .extend(named.map(|table| format!("{prefix}{dot}{table}")));
        if tables.is_empty() || !tables.iter().all(plain) {
            topics.prefix = Some(prefix.to_owned());
        }
    }
    topics
}

/// Whether a source reads a database's log: topics are `PREFIX.TABLE`, and one task does it all.
pub(crate) fn is_cdc(plugin: &Plugin) -> bool {
    plugin.class.contains("Cdc") || plugin.class.contains("XStream") || plugin.class.starts_with("MongoDb")
}

/// `dlq-${connector}` and its like are named after the connector's id (dossier `connect.md` §4.1).
fn reports(plugin: &Plugin, config: &Config, id: &str) -> Vec<String> {
    const DEAD: &str = "errors.deadletterqueue.topic.name";
    let mut reports = Vec::new();
    let tolerant = value(config, "errors.tolerance").is_none_or(|tolerance| tolerance == "all");
    let unknown = plugin.keys.is_empty();
    for (key, default) in [
        (DEAD, "dlq-${connector}"),
        ("reporter.result.topic.name", "success-${connector}"),
        ("reporter.error.topic.name", "error-${connector}"),
    ] {
        let offered = plugin.key(key).is_some() || (unknown && key == DEAD);
        // The reporter's topics count only for plugins that report; a dead letter queue only for tolerant connectors.
        if !offered || (key == DEAD && !tolerant) {
            continue;
        }
        let name = value(config, key).unwrap_or(default);
        reports.push(name.replace("${connector}", id));
    }
    reports
}

/// Formats that need the Schema Registry (dossier `connect.md` §4.1).
pub(crate) fn needs_schemas(plugin: &Plugin, config: &Config) -> bool {
    let keys: &[&str] = match plugin.sink {
        true => &["input.data.format", "input.key.format"],
        false => &[
            "output.data.format",
            "output.data.value.format",
            "output.data.key.format",
        ],
    };
    keys.iter()
        .filter_map(|key| value(config, key))
        .any(|format| ["AVRO", "JSON_SR", "PROTOBUF"].contains(&format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(class: &str, sink: bool, config: &[(&str, &str)]) -> Topics {
        let plugin = Plugin {
            class: class.into(),
            implementation: String::new(),
            sink,
            keys: Vec::new(),
        };
        let config = config
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        topics(&plugin, &config, "lcc-abc123")
    }

    // Dossier `connect.md` §4.1 and `rbac.md` §2.1.
    #[test]
    fn sinks_read_their_topics_and_have_a_dead_letter_queue_named_after_the_id() {
        let found = of("S3_SINK", true, &[("topics", "a, b")]);
        assert_eq!(found.read, ["a", "b"]);
        assert_eq!(found.reports, ["dlq-lcc-abc123"]);
        let own = of("S3_SINK", true, &[("errors.deadletterqueue.topic.name", "claims-dlq")]);
        assert_eq!(own.reports, ["claims-dlq"]);
        assert!(of("S3_SINK", true, &[("errors.tolerance", "none")]).reports.is_empty());
    }

    #[test]
    fn sources_write_one_topic_or_one_per_table() {
        assert_eq!(of("DatagenSource", false, &[("kafka.topic", "t")]).written, ["t"]);
        let cdc = of(
            "PostgresCdcSourceV2",
            false,
            &[
                ("topic.prefix", "hr"),
                ("table.include.list", "public.staff,public.pay"),
            ],
        );
        assert_eq!(cdc.written, ["hr.public.staff", "hr.public.pay"]);
        assert_eq!(cdc.prefix, None);
        let jdbc = of(
            "PostgresSource",
            false,
            &[("topic.prefix", "crm-"), ("table.whitelist", "customers")],
        );
        assert_eq!(jdbc.written, ["crm-customers"]);
        assert_eq!(
            of("PostgresSource", false, &[("topic.prefix", "crm-")]).prefix.unwrap(),
            "crm-"
        );
    }
}
