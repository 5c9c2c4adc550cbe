//! Keys that were renamed, or that another connector of the same family has under another name.
//!
//! Sources: Debezium's release notes (1.3: `whitelist` became `include.list`; 2.0: `database.server.name` became
//! `topic.prefix`, `database.history` became `schema.history.internal`); MongoDB's documentation of the Kafka source
//! connector (`copy.existing` became `startup.mode` in 1.9); the definitions in `data/plugins.txt`.

use super::schema::PluginSchema;

/// Former key, and the keys of the same meaning, the best first.
const RENAMED: [(&str, &[&str]); 22] = [
    ("copy.existing", &["startup.mode"]),
    (
        "copy.existing.namespace.regex",
        &["startup.mode.copy.existing.namespace.regex"],
    ),
    ("copy.existing.pipeline", &["startup.mode.copy.existing.pipeline"]),
    (
        "database.blacklist",
        &["database.exclude.list", "database.include.list"],
    ),
    ("database.dbname", &["database.include.list", "database.names"]),
    ("database.exclude.list", &["database.include.list"]),
    (
        "database.name",
        &["database.dbname", "database.names", "database.include.list", "db.name"],
    ),
    ("database.names", &["database.include.list", "database.dbname"]),
    ("database.include.list", &["database.names", "database.dbname"]),
    ("database.server.name", &["topic.prefix"]),
    (
        "database.whitelist",
        &["database.include.list", "database.names", "database.dbname"],
    ),
    (
        "topic.prefix",
        &["database.server.name", "kafka.topic", "topic.name.pattern"],
    ),
    ("column.blacklist", &["column.exclude.list"]),
    ("column.whitelist", &["column.include.list"]),
    ("schema.blacklist", &["schema.exclude.list"]),
    ("schema.whitelist", &["schema.include.list"]),
    ("table.blacklist", &["table.exclude.list", "table.include.list"]),
    ("table.exclude.list", &["table.include.list", "table.whitelist"]),
    ("table.include.list", &["table.whitelist"]),
    ("table.whitelist", &["table.include.list"]),
    ("tables.include", &["table.include.list", "table.whitelist"]),
    ("snapshot.new.tables", &["signal.data.collection"]),
];

/// Returns the key of `plugin` that replaces `key`.
#[must_use]
pub(super) fn replacement_for<'a>(plugin: &'a PluginSchema, key: &str) -> Option<&'a str> {
    let own = |name: &str| plugin.keys.get_key_value(name).map(|(name, _)| name.as_str());
    if let Some(rest) = key.strip_prefix("database.history.") {
        return own(&format!("schema.history.internal.{rest}"));
    }
    let (_, names) = RENAMED.iter().find(|(former, _)| *former == key)?;
    names.iter().find_map(|name| own(name))
}

/// Returns whether a key limits what a connector reads, so that it reads more without the key.
#[must_use]
pub(super) fn limits_what_is_read(key: &str) -> bool {
    const WORDS: [&str; 12] = [
        "include",
        "exclude",
        "whitelist",
        "blacklist",
        "filter",
        "pipeline",
        "query",
        "where",
        "regex",
        "pattern",
        "select",
        "copy",
    ];
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}
