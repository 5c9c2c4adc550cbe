//! Facts about fully managed plugins.
//!
//! Distilled from confluentinc/connect-migration-utility (Apache-2.0, snapshot of 2026-06-01), with what the live service
//! has added since where somebody captured it (`data/supplement.txt` names the source). `tools/catalogue.py` makes the
//! embedded file.

use std::{collections::BTreeMap, sync::LazyLock};

use super::reader;

/// The day of the snapshot, for messages.
pub const SNAPSHOT: &str = "June 2026";

/// The type of a value, as the service's own definitions call it (connect/v1 `definition.type`). On the wire everything
/// is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the service's own words")]
pub enum ValueType {
    String,
    /// A secret: the authoritative mark, whatever the key is called.
    Password,
    Boolean,
    Int,
    Long,
    Short,
    Double,
    /// Texts parted by commas.
    List,
}

impl ValueType {
    /// What a person would call a value of it.
    #[must_use]
    pub const fn to_noun(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Password => "a secret",
            Self::Boolean => "`true` or `false`",
            Self::Int | Self::Long | Self::Short => "a whole number",
            Self::Double => "a number",
            Self::List => "a list parted by commas",
        }
    }
}

/// How much a key matters, by its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the service's own words")]
pub enum Importance {
    High,
    Medium,
    Low,
    /// The definition does not say.
    Unknown,
}

/// Whether a connector reads from Kafka or writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorDirection {
    /// Writes to Kafka.
    Source,
    /// Reads from Kafka.
    Sink,
}

/// One key of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeySchema {
    /// The key.
    pub name: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Whether it must be there. A key that has a default may be left out all the same.
    pub required: bool,
    /// Whether the snapshot requires it and the live service no longer does: it depends on how the connector connects.
    pub conditionally_required: bool,
    /// What the service takes when it is not there; may hold the service's own `${…}`.
    pub default: Option<&'static str>,
    /// The values it may have; empty when any will do.
    pub allowed: Vec<&'static str>,
    /// Other names it goes by.
    pub aliases: Vec<&'static str>,
    /// How much it matters.
    pub importance: Importance,
    /// Whether the service's console leaves it out.
    pub hidden: bool,
}

impl KeySchema {
    /// Whether the service refuses a configuration without it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required && self.default.is_none()
    }
}

/// One fully managed plugin.
#[derive(Clone, Debug)]
pub struct PluginSchema {
    /// Its id, the value of `connector.class`.
    pub class: &'static str,
    /// The Java class behind it, which self-managed connectors name.
    pub implementation: &'static str,
    /// Source or sink.
    pub direction: ConnectorDirection,
    /// Whether it is known which transforms it takes.
    pub transforms_known: bool,
    /// Its keys by name.
    pub keys: BTreeMap<String, KeySchema>,
    /// Its keys by their other names.
    pub(super) aliases: BTreeMap<&'static str, String>,
}

impl PluginSchema {
    /// The key of that name, or of that other name.
    #[must_use]
    pub fn key(&self, written: &str) -> Option<&KeySchema> {
        self.keys
            .get(written)
            .or_else(|| self.aliases.get(written).and_then(|name| self.keys.get(name)))
    }
}

/// All facts.
#[derive(Debug, Default)]
pub struct Catalog {
    pub(super) plugins: BTreeMap<&'static str, PluginSchema>,
    /// The transforms that every plugin takes of which they are known.
    pub(super) transforms: Vec<&'static str>,
}

impl Catalog {
    /// The plugin of that class.
    #[must_use]
    pub fn plugin(&self, class: &str) -> Option<&PluginSchema> {
        self.plugins.get(class)
    }

    /// All plugins, by class.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginSchema> + Clone {
        self.plugins.values()
    }

    /// The plugins that a Java class stands behind; several where the service has cut one connector into many.
    pub fn managed_for(&self, implementation: &str) -> impl Iterator<Item = &PluginSchema> {
        self.plugins()
            .filter(move |plugin| plugin.implementation == implementation)
    }

    /// The single message transforms that `plugin` takes, by Java class; `None` when that is not known.
    #[must_use]
    pub fn transforms(&self, plugin: &PluginSchema) -> Option<&[&'static str]> {
        plugin.transforms_known.then_some(&self.transforms)
    }

    /// The definition of a key that every plugin has (`kafka.api.secret`, `tasks.max`), for plugins that are not here.
    #[must_use]
    pub fn common_key(&self, key: &str) -> Option<&KeySchema> {
        let mut everywhere = self.plugins.values().map(|plugin| plugin.keys.get(key));
        let first = everywhere.next()??;
        everywhere.all(|found| found.is_some()).then_some(first)
    }
}

/// The facts, read once.
#[must_use]
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        let mut catalog = Catalog::default();
        reader::read_into(&mut catalog, include_str!("data/plugins.txt"));
        reader::read_into(&mut catalog, include_str!("data/supplement.txt"));
        catalog
    });
    &CATALOG
}

#[cfg(test)]
mod tests {
    use super::*;

    // The size of the snapshot from which `tools/catalogue.py` makes the file. The supplement adds to it.
    #[test]
    fn the_snapshot_is_complete() {
        let mut catalog = Catalog::default();
        reader::read_into(&mut catalog, include_str!("data/plugins.txt"));
        assert_eq!(catalog.plugins.len(), 104);
        let keys: usize = catalog.plugins().map(|plugin| plugin.keys.len()).sum();
        assert_eq!(keys, 8028);
        let secrets = catalog.plugins().flat_map(|plugin| plugin.keys.values());
        assert_eq!(secrets.filter(|key| key.value_type == ValueType::Password).count(), 550);
        assert_eq!(catalog.transforms.len(), 67);
        assert_eq!(catalog.plugins().filter(|plugin| !plugin.transforms_known).count(), 5);
    }

    // Source: docs/reference/connect.md#plugin-definitions, a few rows.
    #[test]
    fn plugins_match_the_documented_properties() {
        let plugin = |class| catalog().plugin(class).unwrap();
        let required = |class, key: &str| plugin(class).keys[key].is_required();
        assert!(required("S3_SINK", "s3.bucket.name"));
        assert!(!required("S3_SINK", "input.data.format"), "it has a default");
        assert!(required("PostgresCdcSourceV2", "database.hostname"));
        assert!(required("SnowflakeSink", "snowflake.url.name"));
        assert_eq!(plugin("S3_SINK").keys["flush.size"].default, Some("1000"));
        assert_eq!(plugin("S3_SINK").direction, ConnectorDirection::Sink);
        assert_eq!(plugin("DatagenSource").direction, ConnectorDirection::Source);
        for (class, secret) in [
            ("S3_SINK", "aws.secret.access.key"),
            ("SqsSource", "aws.secret.key.id"),
            ("PostgresSource", "connection.password"),
            ("PostgresSource", "query"),
            ("BigQueryStorageSink", "keyfile"),
            ("HttpSinkV2", "api7.http.request.sensitive.headers"),
            ("OracleXStreamSource", "database.wallet.file"),
        ] {
            assert_eq!(
                plugin(class).keys[secret].value_type,
                ValueType::Password,
                "{class} {secret}"
            );
        }
        assert_eq!(plugin("DatagenSource").keys["quickstart"].allowed.len(), 38);
        assert!(plugin("S3_SINK").key("data.format").is_some(), "an alias");
        let jdbc: Vec<_> = catalog()
            .managed_for("io.confluent.connect.jdbc.JdbcSinkConnector")
            .map(|plugin| plugin.class)
            .collect();
        assert_eq!(
            jdbc,
            [
                "AlloyDbSink",
                "MicrosoftSqlServerSink",
                "MySqlSink",
                "OracleDatabaseSink",
                "PostgresSink"
            ]
        );
        assert_eq!(
            catalog().common_key("kafka.api.secret").unwrap().value_type,
            ValueType::Password
        );
        assert!(catalog().common_key("topics").is_none());
    }
}
