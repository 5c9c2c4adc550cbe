//! Starter files of all plugins: completed, each runs in the sandbox.

use confluent_ebs::{
    catalog::{
        ConnectorDirection, PluginSchema, ValueType, catalog,
        starter::{FILL_IN, proposed_name, starter},
        topics::connector_topics,
    },
    connectors::defaults::REPORT_TOPICS,
    manifest::starter::render_json,
    model::Prefix,
};
use serde_json::{Value, json};

use crate::common::{ConnectSandbox, JsonAccess as _};

/// Replaces placeholders and references as a user would.
fn complete(plugin: &PluginSchema, key: &str, value: &str) -> String {
    if value.starts_with("${env:") {
        return "s3cret-canary".to_owned();
    }
    let filled = match plugin.keys.get(key) {
        Some(key) if !key.allowed.is_empty() => key.allowed[0],
        Some(key) if key.value_type == ValueType::Boolean => "true",
        Some(key) if !matches!(key.value_type, ValueType::String | ValueType::List) => "1",
        _ => "orders",
    };
    value.replace(FILL_IN, filled)
}

#[tokio::test]
async fn every_completed_starter_runs() {
    let connect = ConnectSandbox::new().await;
    let environment = connect.api.seed.stages[0].address.environment_crn();
    let subjects = format!("{environment}/schema-registry=lsrc-prod1/subject=claims-*");
    for role in ["DeveloperRead", "DeveloperWrite"] {
        connect.api.bind(&connect.runtime, role, &subjects).await;
    }
    let prefix = Prefix::parse("claims-").unwrap();
    let mut failures = Vec::new();
    for plugin in catalog().plugins() {
        let name = proposed_name(plugin, Some(&prefix));
        let file: Value = serde_json::from_str(&render_json(&starter(plugin, &name, Some(&prefix)))).unwrap();
        let mut config = connect.config(&name, plugin.class, &json!({}));
        for (key, value) in file["config"].as_object().unwrap() {
            config[key] = complete(plugin, key, value.as_str().unwrap()).into();
        }
        // `create` adds them.
        for (key, ending) in REPORT_TOPICS {
            if plugin.direction == ConnectorDirection::Sink && plugin.key(key).is_some() {
                config[key] = format!("{name}-{ending}").into();
            }
        }
        let texts = config.as_object().unwrap().iter();
        let texts = texts.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
        for topic in connector_topics(plugin.class, &texts.collect(), "ID").read {
            let body = json!({ "topic_name": topic });
            connect
                .api
                .post(&connect.kafka, "/kafka/v3/clusters/lkc-prod1/topics", body)
                .await;
        }
        let created = connect.create_connector(&config).await;
        if created.status != 201 {
            failures.push(format!("{}: {}", plugin.class, created.json()));
            continue;
        }
        let status = connect.connector_status(&name).await;
        if status.text("/connector/state") != "RUNNING" {
            failures.push(format!("{}: {status}", plugin.class));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
