//! A connector file, as the linter and everybody after it wants it. Reading one is `manifest::connector_file`'s business.

use std::{ops::Range, sync::Arc};

use crate::diag::{SourceFile, SourceSpan};

/// How a value was written. Connect knows text only.
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
    /// The kind with its article.
    #[must_use]
    pub const fn to_noun(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Number => "a number",
            Self::Bool => "a truth value",
            Self::Null => "`null`",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

/// How the file is laid out; the stock CLI takes both (cli `internal/connect/utils.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLayout {
    /// `{"name": …, "config": {…}, "offsets": […]}`.
    Wrapped,
    /// The configuration alone.
    Bare,
}

/// One key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The key.
    pub key: String,
    /// The value as text; what is not text, as it was written.
    pub value: String,
    /// How the value was written.
    pub kind: ValueKind,
    /// Where the key is, in bytes.
    pub key_span: Range<usize>,
    /// Where the value is, quotes included, in bytes.
    pub value_span: Range<usize>,
}

/// A connector file. Keys may repeat: both stand in `entries`, in the order of the file.
#[derive(Clone, Debug)]
pub struct ConnectorConfigFile {
    /// The text it was read from. It may hold secrets: the linter points into a copy without them.
    pub source: Arc<SourceFile>,
    /// How it is laid out.
    pub layout: FileLayout,
    /// The name beside `config`, in the native form.
    pub name: Option<ConfigEntry>,
    /// The configuration.
    pub entries: Vec<ConfigEntry>,
    /// Offsets to start from, in the native form; numbers stay numbers (docs/reference/connect.md#offsets).
    pub offsets: Option<serde_json::Value>,
    /// What else stands beside `config`; nobody reads it.
    pub unexpected: Vec<ConfigEntry>,
    /// The range that a finding about the whole configuration points at: its opening brace, or its first key.
    pub opening_range: Range<usize>,
}

impl ConnectorConfigFile {
    /// The entry of that key; the first one, if it repeats.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&ConfigEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of that key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.entry(key).map(|entry| entry.value.as_str())
    }

    /// The connector's name: the one in the configuration, else the one beside it.
    #[must_use]
    pub fn connector_name(&self) -> Option<&ConfigEntry> {
        self.entry("name").or(self.name.as_ref())
    }

    /// The plugin.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.value("connector.class")
    }

    /// The file's name without its extension; `None` for what came from no file.
    #[must_use]
    pub fn stem(&self) -> Option<&str> {
        self.source.path.file_stem()?.to_str().filter(|stem| *stem != "-")
    }

    /// A place in it.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> SourceSpan {
        SourceSpan::new(&self.source, range)
    }
}
