//! Plugin schemas. The only module that accesses `catalog`.

use std::borrow::Cow;

use super::config::{ConnectorConfig, value};
use crate::catalog::{
    self, ConnectorDirection, KeySchema, ValueType, catalog,
    limits::{ValueLimits, value_limits},
    secret::secrecy,
};

/// Plugin of a connector.
#[derive(Clone, Debug)]
pub(crate) struct SandboxPlugin {
    class: Cow<'static, str>,
    /// Schema; `None` if the plugin was withdrawn after the connector was created.
    facts: Option<&'static catalog::PluginSchema>,
}

impl SandboxPlugin {
    /// Returns the plugin of a class, or `None` if it does not exist.
    pub(crate) fn find(class: &str) -> Option<Self> {
        catalog().plugin(class).map(Self::from)
    }

    /// Returns the plugin of an existing connector.
    pub(crate) fn find_or_unknown(class: &str) -> Self {
        Self::find(class).unwrap_or_else(|| Self {
            class: Cow::Owned(class.to_owned()),
            facts: None,
        })
    }

    /// Returns all plugins.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        catalog().plugins().map(Self::from)
    }

    /// Returns the value of `connector.class`.
    pub(crate) fn class(&self) -> &str {
        &self.class
    }

    /// Returns the Java class of the plugin.
    pub(crate) fn implementation(&self) -> &str {
        self.facts.map_or(&self.class, |facts| facts.implementation)
    }

    pub(crate) fn is_sink(&self) -> bool {
        match self.facts {
            Some(facts) => facts.direction == ConnectorDirection::Sink,
            None => self.class.to_ascii_lowercase().contains("sink"),
        }
    }

    /// Returns `sink` or `source`.
    pub(crate) fn kind(&self) -> &'static str {
        if self.is_sink() { "sink" } else { "source" }
    }

    /// Returns the keys; empty if the schema is unknown.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static KeySchema> {
        self.facts.into_iter().flat_map(|facts| facts.keys.values())
    }

    /// Returns a key by its name or alias.
    pub(crate) fn key(&self, name: &str) -> Option<&'static KeySchema> {
        self.facts.and_then(|facts| facts.key(name))
    }

    /// Returns the effective value of a key: the configured value, also under an alias, or the default. A default may
    /// refer to another key (`${input.data.format}`).
    pub(crate) fn value<'a>(&self, config: &'a ConnectorConfig, name: &str) -> Option<&'a str> {
        match self.facts {
            Some(facts) => facts.effective_value(config, name),
            None => value(config, name),
        }
    }

    /// Returns the limits of a numeric key.
    pub(crate) fn limits(&self, key: &KeySchema) -> Option<ValueLimits> {
        value_limits(self.facts?, key)
    }

    /// Returns whether the service masks the value of a key.
    pub(crate) fn is_secret(&self, key: &str) -> bool {
        key != KAFKA_API_KEY && secrecy(catalog(), self.facts, key).must_be_hidden()
    }
}

impl From<&'static catalog::PluginSchema> for SandboxPlugin {
    fn from(facts: &'static catalog::PluginSchema) -> Self {
        Self {
            class: Cow::Borrowed(facts.class),
            facts: Some(facts),
        }
    }
}

/// Returns the configured value of a key or of one of its aliases.
pub(crate) fn written_value<'a>(key: Option<&KeySchema>, config: &'a ConnectorConfig, name: &str) -> Option<&'a str> {
    value(config, name).or_else(|| key?.written_value(config))
}

/// Key whose type is PASSWORD in the catalog snapshot, but STRING in the current definitions of the service
/// (docs/reference/connect.md#plugin-definitions).
const KAFKA_API_KEY: &str = "kafka.api.key";

/// Returns the type of a key's value in the notation of `definition.type` (connect/v1).
pub(crate) fn value_type_name(key: &KeySchema) -> &'static str {
    match key.value_type {
        _ if key.name == KAFKA_API_KEY => "STRING",
        ValueType::String => "STRING",
        ValueType::Password => "PASSWORD",
        ValueType::Boolean => "BOOLEAN",
        ValueType::Int => "INT",
        ValueType::Long => "LONG",
        ValueType::Short => "SHORT",
        ValueType::Double => "DOUBLE",
        ValueType::List => "LIST",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &[(&str, &str)]) -> ConnectorConfig {
        let lines = lines.iter();
        lines
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    // Source: src/catalog/data/plugins.txt: `S3_SINK` and `S3Source`.
    #[test]
    fn a_value_is_read_by_name_alias_or_default() {
        let sink = SandboxPlugin::find_or_unknown("S3_SINK");
        let old_name = config(&[("data.format", "AVRO")]);
        assert_eq!(sink.value(&old_name, "input.data.format"), Some("AVRO"));
        assert_eq!(sink.value(&ConnectorConfig::new(), "errors.tolerance"), Some("all"));
        let source = SandboxPlugin::find_or_unknown("S3Source");
        let read = config(&[("input.data.format", "JSON_SR")]);
        assert_eq!(source.value(&read, "output.data.format"), Some("JSON_SR"));
    }

    #[test]
    fn a_withdrawn_plugin_is_known_by_its_class_only() {
        let gone = SandboxPlugin::find_or_unknown("ElderSink");
        assert!(gone.is_sink() && gone.keys().next().is_none());
        assert!(gone.is_secret("kafka.api.secret") && gone.is_secret("elder.password"));
        assert!(!gone.is_secret("topics"));
        assert!(SandboxPlugin::find("ElderSink").is_none());
    }
}
