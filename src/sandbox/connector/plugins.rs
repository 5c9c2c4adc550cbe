//! What is known of plugins: the one place that asks `catalog`.

/// The type of a key's value, in the words of `definition.type` (connect/v1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "made from the catalogue")]
pub(crate) enum Type {
    String,
    Password,
    Boolean,
    /// INT, LONG and SHORT.
    Whole(&'static str),
    Double,
    List,
}

impl Type {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::String => "STRING",
            Self::Password => "PASSWORD",
            Self::Boolean => "BOOLEAN",
            Self::Whole(word) => word,
            Self::Double => "DOUBLE",
            Self::List => "LIST",
        }
    }
}

/// One key of a plugin.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) value_type: Type,
    pub(crate) required: bool,
    pub(crate) default: Option<String>,
    pub(crate) allowed: Vec<String>,
    pub(crate) importance: &'static str,
    /// Whether it matters in the chosen mode.
    pub(crate) visible: bool,
}

/// One plugin.
#[derive(Clone, Debug)]
pub(crate) struct Plugin {
    pub(crate) class: String,
    /// The Java class behind it.
    pub(crate) implementation: String,
    pub(crate) sink: bool,
    /// Its keys by name; none when they are not known.
    pub(crate) keys: Vec<Key>,
}

impl Plugin {
    pub(crate) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// A plugin that has gone since a connector was made with it.
    pub(crate) fn unknown(class: &str) -> Self {
        Self {
            class: class.to_owned(),
            implementation: class.to_owned(),
            sink: class.to_ascii_lowercase().contains("sink"),
            keys: Vec::new(),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        if self.sink { "sink" } else { "source" }
    }

    /// Whether a key holds a secret: by its type, or by its name when the keys are not known.
    pub(crate) fn is_secret(&self, key: &str) -> bool {
        const WORDS: [&str; 6] = ["password", "secret", "token", "credentials", "private.key", "keyfile"];
        match self.key(key) {
            Some(key) => key.value_type == Type::Password,
            None => WORDS.iter().any(|word| key.contains(word)),
        }
    }
}

/// The plugin of a class, unless the service has no such plugin.
pub(crate) fn plugin(class: &str) -> Option<Plugin> {
    let sink = CLASSES.iter().find(|(known, _)| *known == class)?.1;
    Some(Plugin {
        class: class.to_owned(),
        implementation: format!("io.confluent.connect.{class}Connector"),
        sink,
        keys: Vec::new(),
    })
}

/// Every plugin there is: class, and whether it is a sink.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, bool)> {
    CLASSES.iter().copied()
}

/// Classes of dossier `connect.md` §5.
const CLASSES: [(&str, bool); 16] = [
    ("DatagenSource", false),
    ("HttpSink", true),
    ("HttpSinkV2", true),
    ("MicrosoftSqlServerSource", false),
    ("MongoDbAtlasSink", true),
    ("MongoDbAtlasSource", false),
    ("MySqlCdcSourceV2", false),
    ("MySqlSource", false),
    ("OracleCdcSource", false),
    ("PostgresCdcSourceV2", false),
    ("PostgresSink", true),
    ("PostgresSource", false),
    ("S3_SINK", true),
    ("SnowflakeSink", true),
    ("SqlServerCdcSourceV2", false),
    ("BigQueryStorageSink", true),
];
