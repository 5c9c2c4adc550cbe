//! Connector plugins and the validation of configurations.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{ClusterPath, PLUGINS, VALIDATE};
use crate::api::{Endpoint, RetrySafety};

/// Plugin that is available in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Plugin {
    /// The value of `connector.class`.
    #[serde(default)]
    pub class: String,
    /// `source` or `sink`.
    #[serde(rename = "type", default)]
    pub plugin_type: String,
    /// Version of the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Lists the plugins of a cluster. Not paged.
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

/// Result of the validation of a configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConfigValidation {
    /// Java class of the plugin.
    #[serde(default)]
    pub name: String,
    /// Groups of configuration keys.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Number of keys with errors. The status is 200 even if there are errors.
    #[serde(default)]
    pub error_count: u32,
    /// All keys of the plugin.
    #[serde(default)]
    pub configs: Vec<ValidatedKey>,
}

/// Configuration key with the validation result of its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ValidatedKey {
    /// Definition of the key.
    #[serde(default)]
    pub definition: KeyDefinition,
    /// Value and its errors.
    #[serde(default)]
    pub value: ValidatedValue,
    /// Undocumented metadata.
    #[serde(default)]
    pub metadata: serde_json::Value,
}

/// Definition of a configuration key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeyDefinition {
    /// Name of the key.
    #[serde(default)]
    pub name: String,
    /// `STRING`, `INT`, `BOOLEAN`, `PASSWORD`, …; `PASSWORD` is the authoritative marker of a secret.
    #[serde(rename = "type", default)]
    pub value_type: String,
    /// Whether the key is required.
    #[serde(default)]
    pub required: bool,
    /// Default value.
    #[serde(default)]
    pub default_value: Option<String>,
    /// `HIGH`, `MEDIUM`, `LOW`.
    #[serde(default)]
    pub importance: String,
    /// Description of the key.
    #[serde(default)]
    pub documentation: String,
    /// Group of the key.
    #[serde(default)]
    pub group: Option<String>,
    /// Width of the input field in a user interface.
    #[serde(default)]
    pub width: String,
    /// Name of the key in a user interface.
    #[serde(default)]
    pub display_name: String,
    /// Keys that depend on this key.
    #[serde(default)]
    pub dependents: Vec<String>,
    /// Position of the key in its group.
    #[serde(default)]
    pub order: i64,
    /// Alternative name of the key.
    #[serde(default)]
    pub alias: Option<String>,
}

/// Value of a configuration key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ValidatedValue {
    /// Name of the key.
    #[serde(default)]
    pub name: String,
    /// The value, masked if it is a secret.
    #[serde(default)]
    pub value: Option<String>,
    /// Allowed values, if the plugin has a list of them.
    #[serde(default)]
    pub recommended_values: Vec<String>,
    /// Validation errors.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Whether the key is relevant for the other values.
    #[serde(default)]
    pub visible: bool,
}

/// Validates a configuration. A result without errors does not prove that hosts are reachable or credentials are valid
/// (docs/reference/connect.md#create-a-connector).
#[derive(Clone, Debug)]
pub struct ValidateConfig {
    /// Cluster that the connector runs in.
    pub cluster_path: ClusterPath,
    /// Plugin to validate against.
    pub plugin: String,
    /// Complete configuration, or only the class to get the keys of the plugin.
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
