//! Undocumented behavior that official clients rely on: an empty second plan, masked values in updates, offsets that do
//! not go back.

use std::collections::BTreeSet;

use confluent_ebs::sandbox::SandboxSettings;
use serde_json::{Map, Value, json};

use crate::common::{
    CONNECTORS_PATH, Caller, ConnectSandbox, JsonAccess as _, PLUGINS_PATH, terraform::as_read_by_terraform,
};

async fn validate_config(connect: &ConnectSandbox, config: &Value) -> Value {
    let path = format!("{PLUGINS_PATH}/{}/config/validate", config.text("/connector.class"));
    let answer = connect
        .api
        .send(connect.admin(), "PUT", &path, Some(config.clone()))
        .await;
    answer.expect_status(200).json().clone()
}

/// A valid value for a definition.
fn sample_value(key: &Value) -> Value {
    let definition = &key["definition"];
    if let Some(first) = key["value"]["recommended_values"].get(0) {
        return first.clone();
    }
    match definition.text("/type") {
        "INT" | "LONG" | "SHORT" | "DOUBLE" => json!("1"),
        "BOOLEAN" => json!("true"),
        "PASSWORD" => json!("s3cret-canary"),
        _ => json!("claims-orders"),
    }
}

// Source: docs/reference/connect.md#secrets-and-masks and docs/reference/connect.md#keys-added-by-the-service. A
// configuration is read as it was sent, except for ignored keys and masked values.
#[tokio::test]
async fn a_second_terraform_plan_is_empty_for_every_plugin() {
    let connect = ConnectSandbox::new().await;
    let plugins = connect.api.get(connect.admin(), PLUGINS_PATH).await.expect_status(200);
    let mut masked = 0;
    for (number, plugin) in plugins.json().items("").iter().enumerate() {
        let class = plugin.text("/class");
        let name = format!("claims-{number}");
        let mut sent = connect.config(&name, class, &json!({}));
        // Every secret of the plugin, and its required keys.
        let validated = validate_config(&connect, &json!({ "connector.class": class })).await;
        let keys = validated.items("/configs");
        for key in keys {
            let definition = &key["definition"];
            let (name, missing) = (&definition["name"], !key.items("/value/errors").is_empty());
            let name = name.as_str().unwrap();
            if sent.get(name).is_none() && !name.starts_with("kafka.") && (missing || definition["type"] == "PASSWORD")
            {
                sent[name] = sample_value(key);
            }
            if name == "kafka.topic" {
                sent[name] = sample_value(key);
            }
        }
        let checked = validate_config(&connect, &sent).await;
        let errors: Vec<_> = checked
            .items("/configs")
            .iter()
            .map(|key| &key["value"]["errors"])
            .collect();
        assert_eq!(checked["error_count"], 0, "{class}: {errors:?}");
        connect.create_connector(&sent).await.expect_status(201);
        let all = format!("{CONNECTORS_PATH}?expand=info,status,id");
        let all = connect.api.get(connect.admin(), &all).await.expect_status(200);
        let entry = &all.json()[&name];
        assert_eq!(entry["info"]["type"], plugin["type"], "{class}");
        let read = as_read_by_terraform(&entry["info"]["config"]);
        let (read, sent) = (read.as_object().unwrap(), sent.as_object().unwrap());
        let sorted = |map: &Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(sorted(read), sorted(sent), "{class}");
        for (key, value) in read {
            let definition = keys.iter().find(|known| known["definition"]["name"] == **key);
            let secret = definition.is_some_and(|known| known["definition"]["type"] == "PASSWORD");
            let stars = value.as_str().unwrap().starts_with("**");
            assert_eq!(stars, secret, "{class}: {key}");
            assert!(stars || *value == sent[key], "{class}: {key}");
            masked += usize::from(stars);
        }
        assert_eq!(
            connect.get(&format!("{name}/config")).await.json(),
            &entry["info"]["config"]
        );
        assert_eq!(connect.get(&name).await.json(), &entry["info"]);
        connect.send_action("DELETE", &name).await.expect_status(200);
    }
    assert!(masked > 200, "{masked}");
}

// `confluent connect cluster update --config` sends the whole configuration that it read, including masked values and
// keys of the service.
#[tokio::test]
async fn a_config_read_by_the_confluent_cli_can_be_written_back() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    let sent = connect.sink_config("claims-s3", &json!({}));
    connect.create_connector(&sent).await.expect_status(201);
    let mut config = connect.get("claims-s3/config").await.expect_status(200).json().clone();
    assert!(config.get("connector.crn").is_some());
    config["flush.size"] = json!("2000");
    connect.put_config(&config).await.expect_status(200);
    let mut wanted = as_read_by_terraform(&config);
    assert_eq!(
        as_read_by_terraform(connect.get("claims-s3/config").await.json()),
        wanted
    );
    assert_eq!(connect.connector_state("claims-s3").await, "RUNNING");
    let stored = connect
        .api
        .sandbox
        .connector_secret_matches("claims-s3", "aws.secret.access.key", "s3cret-canary");
    assert!(stored.unwrap(), "the masked value kept the secret");
    // A key of the service does not become a key of the user.
    wanted["cloud.provider"] = json!("gcp");
    connect.put_config(&wanted).await.expect_status(200);
    assert_eq!(connect.get("claims-s3/config").await.json()["cloud.provider"], "aws");
}

// Source: docs/reference/connect.md#kafka-identity and docs/reference/connect.md#plugin-definitions. The id of the key
// is STRING, and is returned unmasked.
#[tokio::test]
async fn a_connector_with_a_kafka_key_runs_as_the_key_owner() {
    let connect = ConnectSandbox::new().await;
    let Caller::ApiKey(id, secret) = connect.api.create_key(&connect.runtime, "lkc-prod1").await else {
        unreachable!()
    };
    let mut config = connect.datagen_config("claims-orders");
    config.as_object_mut().unwrap().remove("kafka.service.account.id");
    config["kafka.auth.mode"] = json!("KAFKA_API_KEY");
    config["kafka.api.key"] = json!(id);
    config["kafka.api.secret"] = json!(secret);
    connect.create_connector(&config).await.expect_status(201);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
    let mut read = connect.get("claims-orders/config").await.json().clone();
    assert_eq!(
        (&read["kafka.api.key"], &read["kafka.api.secret"]),
        (&json!(id), &json!("****************"))
    );
    read["quickstart"] = json!("USERS");
    connect.put_config(&read).await.expect_status(200);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
    // The key is deleted, and with it the connector's identity (pattern 1).
    connect
        .api
        .delete(connect.admin(), &format!("/iam/v2/api-keys/{id}"))
        .await
        .expect_status(204);
    let connector_status = connect.connector_status("claims-orders").await;
    assert_eq!(connector_status["connector"]["state"], "FAILED");
    assert!(
        connector_status
            .text("/validation_errors/0")
            .ends_with("Provided Kafka ApiKey is invalid")
    );
}

#[tokio::test]
async fn offsets_never_decrease_without_a_request() {
    let connect = ConnectSandbox::with_settings(SandboxSettings::real()).await;
    connect.advance_clock(120);
    connect.create_datagen("claims-orders").await;
    connect.advance_clock(90);
    connect.connector_status("claims-orders").await;
    connect
        .create_connector(&connect.sink_config("claims-s3", &json!({})))
        .await
        .expect_status(201);
    connect.advance_clock(90);
    let offset = async || {
        let read = connect.get("claims-s3/offsets").await.expect_status(200);
        read.json().count("/offsets/0/offset/kafka_offset")
    };
    let mut last = offset().await;
    assert!(last > 0);
    for (method, act) in [("PUT", "pause"), ("PUT", "resume"), ("POST", "restart")] {
        connect
            .send_action(method, &format!("claims-s3/{act}"))
            .await
            .expect_status(202);
        for seconds in [0, 10, 20, 60] {
            connect.advance_clock(seconds);
            let now = offset().await;
            assert!(now >= last, "{act}, {seconds} s: {now} after {last}");
            last = now;
        }
    }
    connect
        .put_config(&connect.sink_config("claims-s3", &json!({ "flush.size": "2000" })))
        .await
        .expect_status(200);
    assert!(offset().await >= last);
    connect.advance_clock(90);
    let fail = |kind| connect.api.sandbox.set_connector_fault("claims-s3", kind).unwrap();
    last = offset().await;
    fail(Some(confluent_ebs::sandbox::ConnectorFault::StorageDenied));
    connect.advance_clock(600);
    assert_eq!(connect.connector_state("claims-s3").await, "FAILED");
    let stopped = offset().await;
    assert!(
        stopped >= last && stopped - last < 1_000,
        "it stands still: {stopped} after {last}"
    );
    // Another topic starts at its beginning, and the old one is not listed any more.
    connect
        .put_config(&connect.datagen_config("claims-orders"))
        .await
        .expect_status(200);
    let moved = connect.sink_config("claims-s3", &json!({ "topics": "claims-users" }));
    connect.put_config(&moved).await.expect_status(200);
    let read = connect.get("claims-s3/offsets").await.expect_status(200);
    let items = read.json().items("/offsets");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["partition"]["kafka_topic"], "claims-users");
}
