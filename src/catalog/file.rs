//! Connector configuration file as the linter reads it. `manifest::connector_file` parses it.

use std::{ops::Range, sync::Arc};

use crate::diag::{SourceFile, SourceSpan};

/// JSON type of a value. Connect accepts only strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are JSON's own words")]
pub enum ValueKind {
    String,
    Number,
    Bool,
    Null,
    Array,
    Object,
}

impl ValueKind {
    /// Returns the kind with its article.
    #[must_use]
    pub const fn to_noun(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "`null`",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

/// Keys beside `config` that describe how a connector is managed from Git.
pub const SETTING_KEYS: [&str; 5] = ["state", "replace", "renamed_from", "protect", "ticket"];

/// Layout of the file; the Confluent CLI accepts both (cli `internal/connect/utils.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLayout {
    /// `{"name": …, "config": {…}, "offsets": […]}`.
    Wrapped,
    /// Only the configuration.
    Bare,
}

/// Key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Key.
    pub key: String,
    /// Value as a string; a value of another type as written.
    pub value: String,
    /// JSON type of the value.
    pub kind: ValueKind,
    /// Byte range of the key.
    pub key_span: Range<usize>,
    /// Byte range of the value, including quotes.
    pub value_span: Range<usize>,
}

/// Connector configuration file. A duplicate key has several entries, in the order of the file.
#[derive(Clone, Debug)]
pub struct ConnectorConfigFile {
    /// Source text. It may contain secrets; findings refer to a redacted copy.
    pub source: Arc<SourceFile>,
    /// Layout.
    pub layout: FileLayout,
    /// Name next to `config`, in the wrapped layout.
    pub name: Option<ConfigEntry>,
    /// Configuration.
    pub entries: Vec<ConfigEntry>,
    /// Initial offsets, in the wrapped layout; numbers keep their type (docs/reference/connect.md#offsets).
    pub offsets: Option<serde_json::Value>,
    /// Settings next to `config` ([`SETTING_KEYS`]).
    pub settings: Vec<ConfigEntry>,
    /// Other fields next to `config`, which are ignored.
    pub unexpected: Vec<ConfigEntry>,
    /// Range for findings about the whole configuration: its opening brace, or its first key.
    pub opening_range: Range<usize>,
}

impl ConnectorConfigFile {
    /// Returns the first entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&ConfigEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.entry(key).map(|entry| entry.value.as_str())
    }

    /// Returns the setting `key`.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&ConfigEntry> {
        self.settings.iter().find(|entry| entry.key == key)
    }

    /// Returns whether the file says that the connector must not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.setting("state").is_some_and(|state| state.value == "absent")
    }

    /// Returns the name of the connector: the one in the configuration, else the one next to it.
    #[must_use]
    pub fn connector_name(&self) -> Option<&ConfigEntry> {
        self.entry("name").or(self.name.as_ref())
    }

    /// Sets the name to `name`, if the file contains none.
    pub(crate) fn set_default_name(&mut self, name: &str) {
        if self.setting("name").is_none() && self.connector_name().is_none() {
            self.name = Some(ConfigEntry {
                key: "name".to_owned(),
                value: name.to_owned(),
                kind: ValueKind::String,
                key_span: self.opening_range.clone(),
                value_span: self.opening_range.clone(),
            });
        }
    }

    /// Returns the plugin (`connector.class`).
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.value("connector.class")
    }

    /// Returns the file name without its extension; `None` for standard input.
    #[must_use]
    pub fn stem(&self) -> Option<&str> {
        self.source.path.file_stem()?.to_str().filter(|stem| *stem != "-")
    }

    /// Returns a span of the file.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> SourceSpan {
        SourceSpan::new(&self.source, range)
    }
}
