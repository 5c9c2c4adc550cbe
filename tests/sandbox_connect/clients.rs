//! What official clients rely on without saying so: a second plan that is empty, masks that come back, offsets that do not
//! go back.

use std::collections::BTreeSet;

use confluent_ebs::sandbox::Settings;
use serde_json::{Map, Value, json};

use crate::{
    harness::Login,
    terraform::read_back,
    world::{CONNECTORS, PLUGINS, World},
};

async fn validate(world: &World, config: &Value) -> Value {
    let path = format!(
        "{PLUGINS}/{}/config/validate",
        config["connector.class"].as_str().unwrap()
    );
    let answer = world
        .harness
        .send(world.admin(), "PUT", &path, Some(config.clone()))
        .await;
    answer.expect(200).json().clone()
}

/// A value that a definition takes.
fn some_value(key: &Value) -> Value {
    let definition = &key["definition"];
    if let Some(first) = key["value"]["recommended_values"].get(0) {
        return first.clone();
    }
    match definition["type"].as_str().unwrap() {
        "INT" | "LONG" | "SHORT" | "DOUBLE" => json!("1"),
        "BOOLEAN" => json!("true"),
        "PASSWORD" => json!("s3cret-canary"),
        _ => json!("claims-orders"),
    }
}

// Dossier `connect.md` §4.3, §4.4: what is read back is what was sent, but for keys that are ignored and for masks.
#[tokio::test]
async fn a_second_plan_is_empty_for_every_plugin() {
    let world = World::new().await;
    let plugins = world.harness.get(world.admin(), PLUGINS).await.expect(200);
    let mut masked = 0;
    for (number, plugin) in plugins.json().as_array().unwrap().iter().enumerate() {
        let class = plugin["class"].as_str().unwrap();
        let name = format!("claims-{number}");
        let mut sent = world.config(&name, class, &json!({}));
        // Every secret that the plugin knows, and what it demands.
        let told = validate(&world, &json!({ "connector.class": class })).await;
        let keys = told["configs"].as_array().unwrap();
        for key in keys {
            let definition = &key["definition"];
            let (name, missing) = (
                &definition["name"],
                !key["value"]["errors"].as_array().unwrap().is_empty(),
            );
            let name = name.as_str().unwrap();
            if sent.get(name).is_none() && !name.starts_with("kafka.") && (missing || definition["type"] == "PASSWORD")
            {
                sent[name] = some_value(key);
            }
            if name == "kafka.topic" {
                sent[name] = some_value(key);
            }
        }
        let checked = validate(&world, &sent).await;
        let errors: Vec<_> = checked["configs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| &key["value"]["errors"])
            .collect();
        assert_eq!(checked["error_count"], 0, "{class}: {errors:?}");
        world.create(&sent).await.expect(201);
        let all = format!("{CONNECTORS}?expand=info,status,id");
        let all = world.harness.get(world.admin(), &all).await.expect(200);
        let entry = &all.json()[&name];
        assert_eq!(entry["info"]["type"], plugin["type"], "{class}");
        let read = read_back(&entry["info"]["config"]);
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
            world.get(&format!("{name}/config")).await.json(),
            &entry["info"]["config"]
        );
        assert_eq!(world.get(&name).await.json(), &entry["info"]);
        world.act("DELETE", &name).await.expect(200);
    }
    assert!(masked > 200, "{masked}");
}

// `confluent connect cluster update --config`: everything that was read goes back, masks and the service's keys too.
#[tokio::test]
async fn what_the_stock_cli_reads_it_may_write_back() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let sent = world.sink("claims-s3", &json!({}));
    world.create(&sent).await.expect(201);
    let mut config = world.get("claims-s3/config").await.expect(200).json().clone();
    assert!(config.get("connector.crn").is_some());
    config["flush.size"] = json!("2000");
    world.put(&config).await.expect(200);
    let mut wanted = read_back(&config);
    assert_eq!(read_back(world.get("claims-s3/config").await.json()), wanted);
    assert_eq!(world.state("claims-s3").await, "RUNNING");
    let stored = world
        .harness
        .sandbox
        .connector_secret_matches("claims-s3", "aws.secret.access.key", "s3cret-canary");
    assert!(stored.unwrap(), "the mask kept the secret");
    // A key that was the service's does not become the person's.
    wanted["cloud.provider"] = json!("gcp");
    world.put(&wanted).await.expect(200);
    assert_eq!(world.get("claims-s3/config").await.json()["cloud.provider"], "aws");
}

// Dossier `connect.md` §4.2, §5: the id of the key is STRING, and read back as it is.
#[tokio::test]
async fn a_connector_with_a_kafka_key_runs_as_the_owner_of_the_key() {
    let world = World::new().await;
    let Login::Key(id, secret) = world.harness.make_key(&world.runtime, "lkc-prod1").await else {
        unreachable!()
    };
    let mut config = world.datagen("claims-orders");
    config.as_object_mut().unwrap().remove("kafka.service.account.id");
    config["kafka.auth.mode"] = json!("KAFKA_API_KEY");
    config["kafka.api.key"] = json!(id);
    config["kafka.api.secret"] = json!(secret);
    world.create(&config).await.expect(201);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
    let mut read = world.get("claims-orders/config").await.json().clone();
    assert_eq!(
        (&read["kafka.api.key"], &read["kafka.api.secret"]),
        (&json!(id), &json!("****************"))
    );
    read["quickstart"] = json!("USERS");
    world.put(&read).await.expect(200);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
    // The key goes, and with it the connector's identity (pattern 1).
    world
        .harness
        .delete(world.admin(), &format!("/iam/v2/api-keys/{id}"))
        .await
        .expect(204);
    let status = world.status("claims-orders").await;
    assert_eq!(status["connector"]["state"], "FAILED");
    assert!(
        status["validation_errors"][0]
            .as_str()
            .unwrap()
            .ends_with("Provided Kafka ApiKey is invalid")
    );
}

#[tokio::test]
async fn offsets_never_go_back_by_themselves() {
    let world = World::with(Settings::real()).await;
    world.advance(120);
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.advance(90);
    world.status("claims-orders").await;
    world.create(&world.sink("claims-s3", &json!({}))).await.expect(201);
    world.advance(90);
    let offset = async || {
        let read = world.get("claims-s3/offsets").await.expect(200);
        read.json()["offsets"][0]["offset"]["kafka_offset"].as_u64().unwrap()
    };
    let mut last = offset().await;
    assert!(last > 0);
    for (method, act) in [("PUT", "pause"), ("PUT", "resume"), ("POST", "restart")] {
        world.act(method, &format!("claims-s3/{act}")).await.expect(202);
        for seconds in [0, 10, 20, 60] {
            world.advance(seconds);
            let now = offset().await;
            assert!(now >= last, "{act}, {seconds} s: {now} after {last}");
            last = now;
        }
    }
    world
        .put(&world.sink("claims-s3", &json!({ "flush.size": "2000" })))
        .await
        .expect(200);
    assert!(offset().await >= last);
    world.advance(90);
    let fail = |kind| world.harness.sandbox.set_connector_fault("claims-s3", kind).unwrap();
    last = offset().await;
    fail(Some(confluent_ebs::sandbox::ConnectorFault::StorageDenied));
    world.advance(600);
    assert_eq!(world.state("claims-s3").await, "FAILED");
    let stopped = offset().await;
    assert!(
        stopped >= last && stopped - last < 1_000,
        "it stands still: {stopped} after {last}"
    );
    // Another topic begins at its beginning, the old one is no longer told.
    world.put(&world.datagen("claims-orders")).await.expect(200);
    let moved = world.sink("claims-s3", &json!({ "topics": "claims-users" }));
    world.put(&moved).await.expect(200);
    let read = world.get("claims-s3/offsets").await.expect(200);
    let items = read.json()["offsets"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["partition"]["kafka_topic"], "claims-users");
}
