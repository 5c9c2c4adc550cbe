//! What is known of plugins: the one place that asks `catalog`.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use crate::catalog::{Direction, Importance, KeyFact, ValueType, catalog};

/// The type of a key's value, in the words of `definition.type` (connect/v1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Its keys, sorted by name; none when they are not known.
    pub(crate) keys: Vec<Key>,
}

impl Plugin {
    pub(crate) fn key(&self, name: &str) -> Option<&Key> {
        let at = self.keys.binary_search_by(|key| key.name.as_str().cmp(name)).ok()?;
        self.keys.get(at)
    }

    /// A plugin that has gone since a connector was made with it.
    pub(crate) fn unknown(class: &str) -> Arc<Self> {
        Arc::new(Self {
            class: class.to_owned(),
            implementation: class.to_owned(),
            sink: class.to_ascii_lowercase().contains("sink"),
            keys: Vec::new(),
        })
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

impl From<&KeyFact> for Key {
    fn from(fact: &KeyFact) -> Self {
        Self {
            name: fact.name.clone(),
            value_type: match fact.value_type {
                ValueType::String => Type::String,
                ValueType::Password => Type::Password,
                ValueType::Boolean => Type::Boolean,
                ValueType::Int => Type::Whole("INT"),
                ValueType::Long => Type::Whole("LONG"),
                ValueType::Short => Type::Whole("SHORT"),
                ValueType::Double => Type::Double,
                ValueType::List => Type::List,
            },
            required: fact.required,
            default: fact.default.map(str::to_owned),
            allowed: fact.allowed.iter().map(|value| (*value).to_owned()).collect(),
            importance: match fact.importance {
                Importance::High => "HIGH",
                Importance::Medium => "MEDIUM",
                Importance::Low => "LOW",
                Importance::Unknown => "NONE",
            },
            visible: !fact.hidden,
        }
    }
}

/// All plugins, made once.
static PLUGINS: LazyLock<BTreeMap<&'static str, Arc<Plugin>>> = LazyLock::new(|| {
    let made = catalog().plugins().map(|known| {
        let plugin = Plugin {
            class: known.class.to_owned(),
            implementation: known.implementation.to_owned(),
            sink: known.direction == Direction::Sink,
            keys: known.keys.values().map(Key::from).collect(),
        };
        (known.class, Arc::new(plugin))
    });
    made.collect()
});

/// The plugin of a class, unless the service has no such plugin.
pub(crate) fn plugin(class: &str) -> Option<Arc<Plugin>> {
    PLUGINS.get(class).cloned()
}

/// Every plugin there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Arc<Plugin>> {
    PLUGINS.values()
}
