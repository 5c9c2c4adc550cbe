//! Plugins and validation of configurations (docs/reference/connect.md#plugins and
//! docs/reference/connect.md#validate-a-configuration).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{bad_request, invalid_config, resolve_cluster, unknown_class};
use crate::{
    api::connect::{
        ConfigValidation, Plugin as Offered, ValidatedKey,
        plugins::{KeyDefinition, ValidatedValue},
    },
    catalog::{Importance, KeySchema},
    sandbox::{
        connector::{
            MASK,
            config::value,
            config_check::check_config,
            plugins::{SandboxPlugin, value_type_name},
        },
        reply::{ErrorReply, ErrorShape, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

/// Lists the plugins, the same for all callers who may see the cluster.
pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    resolve_cluster(tx, request)?;
    let offered = SandboxPlugin::all().map(|plugin| Offered {
        class: plugin.class().to_owned(),
        plugin_type: plugin.kind().to_owned(),
        version: None,
    });
    Ok(Reply::ok(offered.collect::<Vec<_>>()))
}

/// Validates a configuration and always returns 200. Hosts, passwords and permissions of the principal are not tested.
pub(crate) fn validate(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, _) = resolve_cluster(tx, request)?;
    let class = request.segment(2);
    let Some(plugin) = SandboxPlugin::find(class) else {
        return match tx.assumptions().connect.unknown_plugin_is_server_error {
            true => Ok(unknown_class(class)),
            false => {
                Err(ErrorReply::not_found("not_found", format!("plugin {class} not found"))
                    .with_shape(ErrorShape::Nested))
            }
        };
    };
    let written: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let Some(fields) = written.as_object() else {
        return Err(invalid_config(&["config: the configuration is required".into()]));
    };
    let mut config = BTreeMap::new();
    for (key, value) in fields {
        let Some(text) = value.as_str() else {
            return Err(bad_request(format!("{key}: the value must be a string")));
        };
        config.insert(key.clone(), text.to_owned());
    }
    if value(&config, "connector.class").is_some_and(|inside| inside != class) {
        return Err(bad_request(format!("connector.class: must be {class}, as in the path")));
    }
    let mut errors = check_config(&plugin, &config, cluster.kind);
    let mut configs: Vec<_> = plugin
        .keys()
        .enumerate()
        .map(|(order, key)| ValidatedKey {
            definition: definition(key, order),
            value: ValidatedValue {
                name: key.name.clone(),
                value: config
                    .get(&key.name)
                    .cloned()
                    .or_else(|| key.default.map(str::to_owned))
                    .map(|value| match plugin.is_secret(&key.name) && !value.is_empty() {
                        true => MASK.to_owned(),
                        false => value,
                    }),
                recommended_values: key.allowed.iter().map(|value| (*value).to_owned()).collect(),
                errors: errors.remove(&key.name).unwrap_or_default(),
                visible: !key.hidden,
            },
            metadata: serde_json::json!({}),
        })
        .collect();
    // Errors of keys without a definition.
    configs.extend(errors.into_iter().map(|(name, errors)| ValidatedKey {
        definition: KeyDefinition {
            name: name.clone(),
            value_type: "STRING".into(),
            importance: "HIGH".into(),
            width: "NONE".into(),
            ..KeyDefinition::default()
        },
        value: ValidatedValue {
            value: config.get(&name).cloned(),
            name,
            errors,
            visible: true,
            ..ValidatedValue::default()
        },
        metadata: serde_json::json!({}),
    }));
    let invalid = configs.iter().filter(|config| !config.value.errors.is_empty()).count();
    let validation = ConfigValidation {
        name: plugin.implementation().to_owned(),
        groups: vec![GROUP.to_owned()],
        error_count: u32::try_from(invalid).unwrap_or(u32::MAX),
        configs,
    };
    let mut answer = serde_json::to_value(validation).unwrap_or_default();
    // The document allows no null here, so absent values are omitted.
    for config in answer["configs"].as_array_mut().into_iter().flatten() {
        for part in ["definition", "value"] {
            if let Some(fields) = config[part].as_object_mut() {
                fields.retain(|_, value| !value.is_null());
            }
        }
    }
    Ok(Reply::ok(answer))
}

/// Group of all keys, because no source documents the groups of the service.
const GROUP: &str = "Configuration";

fn definition(key: &KeySchema, order: usize) -> KeyDefinition {
    KeyDefinition {
        name: key.name.clone(),
        value_type: value_type_name(key).into(),
        required: key.required,
        default_value: key.default.map(str::to_owned),
        importance: importance(key).into(),
        documentation: String::new(),
        group: Some(GROUP.into()),
        width: "NONE".into(),
        display_name: key.name.clone(),
        dependents: Vec::new(),
        order: i64::try_from(order).unwrap_or(0),
        alias: Some(String::new()),
    }
}

/// Returns the value of `definition.importance` (connect/v1).
const fn importance(key: &KeySchema) -> &'static str {
    match key.importance {
        Importance::High => "HIGH",
        Importance::Medium => "MEDIUM",
        Importance::Low => "LOW",
        Importance::Unknown => "NONE",
    }
}
