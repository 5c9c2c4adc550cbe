//! Schemas of fully managed plugins.
//!
//! Derived from confluentinc/connect-migration-utility (Apache-2.0, snapshot of 2026-06-01) and from later definitions
//! captured from the live service (`data/supplement.txt` names their source). `tools/catalogue.py` generates the
//! embedded file.

use std::collections::BTreeMap;

use super::refreshed::RefreshOrigin;

/// Date of the snapshot, for messages.
pub const SNAPSHOT: &str = "June 2026";

/// Type of a value in the service's definitions (connect/v1 `definition.type`). In requests every value is a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the service's own words")]
pub enum ValueType {
    String,
    /// A secret, regardless of the key's name.
    Password,
    Boolean,
    Int,
    Long,
    Short,
    Double,
    /// Comma-separated list.
    List,
}

impl ValueType {
    /// Returns a description of a value of this type.
    #[must_use]
    pub const fn to_noun(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Password => "a secret",
            Self::Boolean => "`true` or `false`",
            Self::Int | Self::Long | Self::Short => "an integer",
            Self::Double => "a number",
            Self::List => "a comma-separated list",
        }
    }
}

/// Importance of a key in its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the service's own words")]
pub enum Importance {
    High,
    Medium,
    Low,
    /// Not specified.
    Unknown,
}

/// Direction of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorDirection {
    /// Writes to Kafka.
    Source,
    /// Reads from Kafka.
    Sink,
}

/// Schema of a configuration key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeySchema {
    /// Key.
    pub name: String,
    /// Type of its value.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Whether the key is required. A required key with a default may be omitted.
    pub required: bool,
    /// Whether the key is required only under some conditions: the snapshot requires it, the live service does not.
    pub conditionally_required: bool,
    /// Default of the service; may contain `${…}`, which the service resolves.
    pub default: Option<&'static str>,
    /// Allowed values; empty if any value is allowed.
    pub allowed: Vec<&'static str>,
    /// Aliases.
    pub aliases: Vec<&'static str>,
    /// Importance.
    pub importance: Importance,
    /// Whether the service's console hides it.
    pub hidden: bool,
}

impl KeySchema {
    /// Returns the configured value under the name or an alias of this key, unless it is empty.
    #[must_use]
    pub fn written_value<'a>(&self, config: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let names = std::iter::once(self.name.as_str()).chain(self.aliases.iter().copied());
        let values = names.filter_map(|name| config.get(name));
        values.map(String::as_str).find(|value| !value.is_empty())
    }

    /// Returns whether the definition of the key is known. Without one, only its name is known: its type is no knowledge.
    #[must_use]
    pub fn is_defined(&self) -> bool {
        self.importance != Importance::Unknown || self.value_type != ValueType::String
    }

    /// Returns whether the service rejects a configuration without the key.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required && self.default.is_none()
    }
}

/// Schema of a fully managed plugin.
#[derive(Clone, Debug)]
pub struct PluginSchema {
    /// Plugin id, the value of `connector.class`.
    pub class: &'static str,
    /// Java class, which self-managed connectors name.
    pub implementation: &'static str,
    /// Direction.
    pub direction: ConnectorDirection,
    /// Whether its supported transforms are known.
    pub transforms_known: bool,
    /// Keys by name.
    pub keys: BTreeMap<String, KeySchema>,
    /// Keys by alias.
    pub(super) aliases: BTreeMap<&'static str, String>,
}

impl PluginSchema {
    /// Returns the key with this name or alias.
    #[must_use]
    pub fn key(&self, written: &str) -> Option<&KeySchema> {
        self.keys
            .get(written)
            .or_else(|| self.aliases.get(written).and_then(|name| self.keys.get(name)))
    }

    /// Returns the effective value of a key: the configured value, also under an alias, or the default. A default may
    /// refer to another key (`${input.data.format}`).
    #[must_use]
    pub fn effective_value<'a>(&self, config: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
        let written = |name: &str| {
            let own = config.get(name).filter(|value| !value.is_empty());
            let own = own.map(String::as_str);
            own.or_else(|| self.key(name)?.written_value(config))
        };
        let default = || {
            let default = self.key(name)?.default?;
            let other = default.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            other.and_then(written).or(Some(default))
        };
        written(name).or_else(default)
    }
}

/// Catalog of all plugins.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub(super) plugins: BTreeMap<&'static str, PluginSchema>,
    /// Transforms supported by every plugin with known transforms.
    pub(super) transforms: Vec<&'static str>,
    /// Origin of the refreshed facts in it, if there are any.
    pub(super) refreshed: Option<RefreshOrigin>,
}

impl Catalog {
    /// Returns the age of the facts, for messages.
    #[must_use]
    pub fn age(&self) -> String {
        match &self.refreshed {
            Some(origin) => format!("{SNAPSHOT}, refreshed on {}", origin.date),
            None => SNAPSHOT.to_owned(),
        }
    }

    /// Returns the origin of the refreshed facts.
    #[must_use]
    pub fn refreshed(&self) -> Option<&RefreshOrigin> {
        self.refreshed.as_ref()
    }

    /// Returns the plugin with this id.
    #[must_use]
    pub fn plugin(&self, class: &str) -> Option<&PluginSchema> {
        self.plugins.get(class)
    }

    /// Returns the direction of a plugin as a word, `source` or `sink`; empty if the plugin is unknown.
    #[must_use]
    pub fn direction(&self, class: &str) -> &'static str {
        match self.plugin(class).map(|plugin| plugin.direction) {
            Some(ConnectorDirection::Source) => "source",
            Some(ConnectorDirection::Sink) => "sink",
            None => "",
        }
    }

    /// Returns all plugins, sorted by id.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginSchema> + Clone {
        self.plugins.values()
    }

    /// Returns the plugins for a Java class; several if the service split one connector into many.
    pub fn managed_for(&self, implementation: &str) -> impl Iterator<Item = &PluginSchema> {
        self.plugins()
            .filter(move |plugin| plugin.implementation == implementation)
    }

    /// Returns the single message transforms that `plugin` supports, by Java class; `None` if unknown.
    #[must_use]
    pub fn transforms(&self, plugin: &PluginSchema) -> Option<&[&'static str]> {
        plugin.transforms_known.then_some(&self.transforms)
    }

    /// Returns the schema of a key that every plugin has (`kafka.api.secret`, `tasks.max`), for plugins that are not in
    /// the catalog.
    #[must_use]
    pub fn common_key(&self, key: &str) -> Option<&KeySchema> {
        let mut everywhere = self.plugins.values().map(|plugin| plugin.keys.get(key));
        let first = everywhere.next()??;
        everywhere.all(|found| found.is_some()).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;

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
