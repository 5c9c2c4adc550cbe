//! Plugins, and what they say about a configuration.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{ClusterPath, PLUGINS, VALIDATE};
use crate::api::{Endpoint, RetrySafety};

/// A plugin that is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Plugin {
    /// The value of `connector.class`.
    #[serde(default)]
    pub class: String,
    /// `source` or `sink`.
    #[serde(rename = "type", default)]
    pub plugin_type: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Lists the plugins of a cluster. Never paged.
#[derive(Clone, Debug)]
pub struct ListPlugins(pub ClusterPath);

impl Endpoint for ListPlugins {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = PLUGINS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = Vec<Plugin>;

    fn segments(&self) -> Vec<&str> {
        self.0.segments(&[])
    }

    fn subject(&self) -> String {
        format!("connector plugins of `{}`", self.0.cluster)
    }
}

/// What a plugin says about a configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConfigValidation {
    /// The Java class behind the plugin.
    #[serde(default)]
    pub name: String,
    /// The groups of keys.
    #[serde(default)]
    pub groups: Vec<String>,
    /// How many keys have errors. The status is 200 even then.
    #[serde(default)]
    pub error_count: u32,
    /// Every key.
    #[serde(default)]
    pub configs: Vec<ValidatedKey>,
}

/// One key of a plugin, with what was found in its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ValidatedKey {
    /// What the key is.
    #[serde(default)]
    pub definition: KeyDefinition,
    /// What its value is.
    #[serde(default)]
    pub value: ValidatedValue,
    /// Anything else.
    #[serde(default)]
    pub metadata: serde_json::Value,
}

/// What a key is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeyDefinition {
    /// The key.
    #[serde(default)]
    pub name: String,
    /// `STRING`, `INT`, `BOOLEAN`, `PASSWORD`, …; `PASSWORD` is the authoritative mark of a secret.
    #[serde(rename = "type", default)]
    pub value_type: String,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
    /// What it is when it is not there.
    #[serde(default)]
    pub default_value: Option<String>,
    /// `HIGH`, `MEDIUM`, `LOW`.
    #[serde(default)]
    pub importance: String,
    /// What it does.
    #[serde(default)]
    pub documentation: String,
    /// Its group.
    #[serde(default)]
    pub group: Option<String>,
    /// How wide its field is.
    #[serde(default)]
    pub width: String,
    /// Its name for people.
    #[serde(default)]
    pub display_name: String,
    /// The keys that depend on it.
    #[serde(default)]
    pub dependents: Vec<String>,
    /// Its place in the group.
    #[serde(default)]
    pub order: i64,
    /// Its other name.
    #[serde(default)]
    pub alias: Option<String>,
}

/// What a value is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ValidatedValue {
    /// The key.
    #[serde(default)]
    pub name: String,
    /// The value; masked when it is a secret.
    #[serde(default)]
    pub value: Option<String>,
    /// The values it may have, when there is a list of them.
    #[serde(default)]
    pub recommended_values: Vec<String>,
    /// What is wrong with it.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Whether it matters in the chosen mode.
    #[serde(default)]
    pub visible: bool,
}

/// Checks a configuration. A clean answer proves neither reach nor credentials
/// (docs/reference/connect.md#create-a-connector).
#[derive(Clone, Debug)]
pub struct ValidateConfig {
    /// Where.
    pub cluster_path: ClusterPath,
    /// The plugin.
    pub plugin: String,
    /// The whole configuration, or only its class to learn the plugin's keys.
    pub config: BTreeMap<String, String>,
}

impl Endpoint for ValidateConfig {
    const METHOD: Method = Method::PUT;
    const ROUTE: &'static str = VALIDATE;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ConfigValidation;

    fn segments(&self) -> Vec<&str> {
        self.cluster_path.segments(&[&self.plugin])
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!(self.config))
    }

    fn action(&self) -> &'static str {
        "check"
    }

    fn subject(&self) -> String {
        format!("configuration of plugin `{}`", self.plugin)
    }
}
