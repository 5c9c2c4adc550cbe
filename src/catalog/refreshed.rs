//! Facts that `connector plugin refresh` read from the service: what the embedded catalog lacks.
//!
//! Refreshed facts only add to the embedded ones: plugins, keys, allowed values, and marks of secrets. They never remove
//! a mark or an error, so that an old, foreign or edited file cannot make the linter less strict about what it knows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    reader::catalog,
    renamed_keys::replacement_for,
    schema::{Catalog, ConnectorDirection, Importance, KeySchema, PluginSchema, ValueType},
    secret::is_secret_name,
};

/// Refreshed facts, as stored in `catalogue.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshedCatalog {
    /// Origin of the facts.
    pub origin: RefreshOrigin,
    /// Additions by class.
    pub plugins: BTreeMap<String, RefreshedPlugin>,
}

/// When and where facts were refreshed. What the service offers depends on cloud and region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshOrigin {
    /// Day of the refresh (UTC).
    pub date: Date,
    /// Cloud of the cluster, if the key may read the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// Region of the cluster, if the key may read the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Plugin with the keys that are new or have additions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshedPlugin {
    /// Direction.
    #[serde(rename = "type")]
    pub direction: ConnectorDirection,
    /// Java class.
    #[serde(default)]
    pub implementation: String,
    /// Keys.
    pub keys: BTreeMap<String, RefreshedKey>,
}

/// Definition of a key by the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshedKey {
    /// Type of the value.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Whether the key is required.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Allowed values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Importance.
    pub importance: Importance,
    /// Whether the service's console hides it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// Addition of a key to the embedded facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAddition {
    /// The key, or its definition.
    Key,
    /// Allowed values.
    Values,
    /// The mark of a secret.
    Secret,
}

impl RefreshedPlugin {
    /// Returns what the plugin adds to the embedded facts about `class`; `None` if nothing.
    #[must_use]
    pub fn additions(&self, class: &str) -> Option<Self> {
        let known = catalog().plugin(class);
        let mut keys = self.keys.clone();
        keys.retain(|name, key| key.addition(known, name).is_some());
        (known.is_none() || !keys.is_empty()).then(|| Self { keys, ..self.clone() })
    }
}

impl RefreshedKey {
    /// Returns what the key adds to the embedded facts about a plugin.
    #[must_use]
    pub fn addition(&self, known: Option<&PluginSchema>, name: &str) -> Option<KeyAddition> {
        let Some(plugin) = known else {
            return Some(KeyAddition::Key);
        };
        let Some(key) = plugin.key(name) else {
            // A key that the embedded facts know as renamed stays an error.
            return replacement_for(plugin, name).is_none().then_some(KeyAddition::Key);
        };
        let is_secret = self.value_type == ValueType::Password;
        match () {
            () if is_secret && key.value_type != ValueType::Password => Some(KeyAddition::Secret),
            () if !key.is_defined() && self.importance != Importance::Unknown => Some(KeyAddition::Key),
            () if self.new_values(key).next().is_some() => Some(KeyAddition::Values),
            () => None,
        }
    }

    /// Returns the values that a known list of values lacks.
    fn new_values<'a>(&'a self, known: &'a KeySchema) -> impl Iterator<Item = &'a str> {
        let all = self.allowed.iter().map(String::as_str);
        all.filter(|value| !known.allowed.is_empty() && !known.allowed.contains(value))
    }

    /// Returns the schema of a key that the embedded facts lack. If the name is one of a secret, the type does not
    /// acquit it.
    fn to_schema(&self, name: &str) -> KeySchema {
        let is_suspect = self.value_type != ValueType::Password && is_secret_name(name);
        KeySchema {
            name: name.to_owned(),
            value_type: if is_suspect { ValueType::String } else { self.value_type },
            required: self.required,
            conditionally_required: false,
            default: self.default.as_deref().map(to_static),
            allowed: self.allowed.iter().map(|value| to_static(value)).collect(),
            aliases: Vec::new(),
            importance: if is_suspect {
                Importance::Unknown
            } else {
                self.importance
            },
            hidden: self.hidden,
        }
    }
}

impl RefreshedCatalog {
    /// Returns the embedded catalog with these additions.
    #[must_use]
    pub fn merge(&self) -> Catalog {
        let mut merged = catalog().clone();
        merged.refreshed = Some(self.origin.clone());
        for (class, plugin) in &self.plugins {
            // A Java class stays a self-managed connector.
            if class.contains('.') {
                continue;
            }
            let embedded = catalog().plugin(class);
            let class = to_static(class);
            let schema = merged.plugins.entry(class).or_insert_with(|| PluginSchema {
                class,
                implementation: to_static(&plugin.implementation),
                direction: plugin.direction,
                transforms_known: false,
                keys: BTreeMap::new(),
                aliases: BTreeMap::new(),
            });
            for (name, key) in &plugin.keys {
                match (
                    key.addition(embedded, name),
                    schema.key(name).map(|known| known.name.clone()),
                ) {
                    (None, _) => {}
                    (Some(_), None) => {
                        schema.keys.insert(name.clone(), key.to_schema(name));
                    }
                    (Some(addition), Some(known)) => {
                        if let Some(known) = schema.keys.get_mut(&known) {
                            key.add_to(known, addition);
                        }
                    }
                }
            }
        }
        merged
    }
}

impl RefreshedKey {
    fn add_to(&self, known: &mut KeySchema, addition: KeyAddition) {
        match addition {
            KeyAddition::Secret => known.value_type = ValueType::Password,
            KeyAddition::Key => {
                *known = KeySchema {
                    required: known.required,
                    conditionally_required: known.conditionally_required,
                    aliases: known.aliases.clone(),
                    ..self.to_schema(&known.name)
                };
            }
            KeyAddition::Values => {
                let new: Vec<&'static str> = self.new_values(known).map(to_static).collect();
                known.allowed.extend(new);
            }
        }
    }
}

/// A catalog lives as long as the process, so that its texts are never freed.
fn to_static(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value_type: ValueType) -> RefreshedKey {
        RefreshedKey {
            value_type,
            required: false,
            default: None,
            allowed: Vec::new(),
            importance: Importance::High,
            hidden: false,
        }
    }

    fn refreshed(class: &str, keys: Vec<(&str, RefreshedKey)>) -> RefreshedCatalog {
        let plugin = RefreshedPlugin {
            direction: ConnectorDirection::Sink,
            implementation: "com.example.Sink".into(),
            keys: keys.into_iter().map(|(name, key)| (name.to_owned(), key)).collect(),
        };
        RefreshedCatalog {
            origin: RefreshOrigin {
                date: "2026-12-01".parse().unwrap(),
                cloud: Some("AWS".into()),
                region: None,
            },
            plugins: BTreeMap::from([(class.to_owned(), plugin)]),
        }
    }

    #[test]
    fn a_refresh_adds_plugins_keys_values_and_secrets() {
        let format = RefreshedKey {
            allowed: vec!["AVRO".into(), "CBOR".into()],
            ..key(ValueType::String)
        };
        let file = refreshed(
            "S3_SINK",
            vec![
                ("input.data.format", format),
                ("s3.new.mode", key(ValueType::Boolean)),
                ("s3.region", key(ValueType::Password)),
                ("topics", key(ValueType::List)),
            ],
        );
        let added = file.plugins["S3_SINK"].additions("S3_SINK").unwrap();
        let names: Vec<&str> = added.keys.keys().map(String::as_str).collect();
        assert_eq!(names, ["input.data.format", "s3.new.mode", "s3.region"]);
        let merged = file.merge();
        let sink = merged.plugin("S3_SINK").unwrap();
        assert!(sink.keys["input.data.format"].allowed.contains(&"CBOR"));
        assert!(sink.keys["input.data.format"].allowed.contains(&"BYTES"), "kept");
        assert_eq!(sink.keys["s3.new.mode"].value_type, ValueType::Boolean);
        assert_eq!(sink.keys["s3.region"].value_type, ValueType::Password);
        assert!(catalog().plugin("S3_SINK").unwrap().key("s3.new.mode").is_none());
        assert_eq!(merged.age(), "June 2026, refreshed on 2026-12-01");

        let new = refreshed("NewSink", vec![("new.token", key(ValueType::Password))]).merge();
        assert_eq!(
            new.plugin("NewSink").unwrap().keys["new.token"].value_type,
            ValueType::Password
        );
    }

    #[test]
    fn a_refresh_never_removes_a_mark_or_an_error() {
        let required = key(ValueType::String);
        let file = refreshed(
            "S3_SINK",
            vec![
                ("aws.secret.access.key", key(ValueType::String)),
                ("s3.bucket.name", required),
                ("flush.size", key(ValueType::String)),
                ("s3.session.token", key(ValueType::String)),
            ],
        );
        let merged = file.merge();
        let (sink, embedded) = (merged.plugin("S3_SINK").unwrap(), catalog().plugin("S3_SINK").unwrap());
        for name in ["aws.secret.access.key", "s3.bucket.name", "flush.size"] {
            assert_eq!(sink.keys[name], embedded.keys[name], "{name}");
        }
        // The name still makes it a secret.
        assert!(!sink.keys["s3.session.token"].is_defined());
        let java = "io.confluent.connect.s3.S3SinkConnector";
        assert!(refreshed(java, Vec::new()).merge().plugin(java).is_none());
        let renamed = refreshed("MySqlCdcSource", vec![("database.whitelist", key(ValueType::List))]).merge();
        assert!(
            renamed
                .plugin("MySqlCdcSource")
                .unwrap()
                .key("database.whitelist")
                .is_none()
        );
    }
}
