//! Plugins of a cluster and their configuration keys.

use std::collections::BTreeMap;

use serde::Serialize;

use super::validation::validate_with_service;
use crate::{api::connect::ListPlugins, error::Error, session::ConnectorSession};

/// Plugin of a cluster.
#[derive(Debug, Serialize)]
pub struct ClusterPlugin {
    /// Class of the plugin.
    pub plugin_name: String,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Whether the department may use it.
    pub allowed: bool,
}

/// Lists the plugins of the cluster.
///
/// # Errors
/// The request fails.
pub async fn list_plugins(session: &ConnectorSession) -> Result<Vec<ClusterPlugin>, Error> {
    let connectors = &session.connectors;
    let request = ListPlugins(connectors.cluster_path.clone());
    let plugins = connectors.client.send(&request).await?.value;
    let quota = session.department.as_ref().map(|department| &department.quota);
    let plugins = plugins.into_iter().map(|plugin| ClusterPlugin {
        allowed: quota.is_none_or(|quota| quota.allows_plugin(&plugin.class)),
        plugin_name: plugin.class,
        direction: plugin.plugin_type,
    });
    Ok(plugins.collect())
}

/// Configuration key of a plugin.
#[derive(Debug, Serialize)]
pub struct PluginKey {
    /// Name of the configuration key.
    pub config: String,
    /// Documentation of the service.
    pub documentation: String,
    /// Whether every configuration needs the key.
    pub is_required: bool,
    /// Type as named by the service.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Whether the value is a secret.
    pub is_secret: bool,
    /// Default of the key; `None` if the plugin has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// Allowed values, if the plugin lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recommended_values: Vec<String>,
}

/// Lists the configuration keys of `plugin`, required ones first, as in the Confluent CLI.
///
/// # Errors
/// The request fails, or the cluster has no such plugin.
pub async fn plugin_keys(session: &ConnectorSession, plugin: &str) -> Result<Vec<PluginKey>, Error> {
    // A validation request with only the class returns all keys (docs/reference/connect.md#validate-a-configuration).
    let config = BTreeMap::from([("connector.class".to_owned(), plugin.to_owned())]);
    let Some(validation) = validate_with_service(session, plugin, config).await? else {
        let list = session.options.suggest("connector plugin list");
        return Err(
            Error::failed(format!("unknown plugin `{plugin}`")).with_hint(format!("List plugins with `{list}`."))
        );
    };
    let keys = validation.configs.into_iter().map(|config| PluginKey {
        config: config.definition.name,
        documentation: config.definition.documentation,
        is_required: config.definition.required,
        is_secret: config.definition.value_type == "PASSWORD",
        value_type: config.definition.value_type,
        default_value: config.definition.default_value,
        recommended_values: config.value.recommended_values,
    });
    let mut keys: Vec<PluginKey> = keys.collect();
    keys.sort_by(|a, b| (!a.is_required, &a.config).cmp(&(!b.is_required, &b.config)));
    Ok(keys)
}
