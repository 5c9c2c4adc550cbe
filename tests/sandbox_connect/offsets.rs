//! Offsets (dossier `connect.md` §9).

use confluent_ebs::sandbox::Settings;
use serde_json::json;

use crate::world::{CONNECTORS, World};

#[tokio::test]
async fn one_request_at_a_time_is_pending_and_then_applied() {
    let world = World::with(Settings::real()).await;
    world.advance(120);
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.advance(90);
    world.status("claims-orders").await;
    world.create(&world.sink("claims-s3", &json!({}))).await.expect(201);
    world.advance(90);
    assert_eq!(world.state("claims-s3").await, "RUNNING");
    world.get("claims-s3/offsets/request/status").await.expect(404);
    let now = world.get("claims-s3/offsets").await.expect(200);
    assert!(now.json()["offsets"][0]["offset"]["kafka_offset"].as_u64().unwrap() > 0);
    let seen: jiff::Timestamp = now.text("/metadata/observed_at").parse().unwrap();
    let now = world.harness.sandbox.now().unwrap();
    assert!(now.duration_since(seen).as_secs() < 5, "a fresh snapshot");
    let path = format!("{CONNECTORS}/claims-s3/offsets/request");
    let ask = async |body| world.harness.post(world.admin(), &path, body).await;
    let partition = json!({ "kafka_topic": "claims-orders", "kafka_partition": 0 });
    ask(json!({ "type": "PATCH" })).await.expect(400);
    ask(json!({ "type": "PATCH", "offsets": [{ "partition": partition, "offset": { "kafka_offset": "1" } }] }))
        .await
        .expect(400);
    ask(json!({ "type": "MOVE" })).await.expect(400);
    let patch = json!({ "type": "PATCH", "offsets": [{ "partition": partition, "offset": { "kafka_offset": 100 } }] });
    ask(patch.clone()).await.expect(202);
    ask(patch).await.expect(400);
    let phase = async || {
        world
            .get("claims-s3/offsets/request/status")
            .await
            .expect(200)
            .text("/status/phase")
    };
    assert_eq!(phase().await, "PENDING");
    world.advance(25);
    assert_eq!(phase().await, "APPLIED");
    let moved = world.get("claims-s3/offsets").await.expect(200);
    assert!((100..1_000).contains(&moved.json()["offsets"][0]["offset"]["kafka_offset"].as_u64().unwrap()));
    ask(json!({ "type": "DELETE" })).await.expect(202);
}

// Pattern 31.
#[tokio::test]
async fn numbers_sent_as_texts_break_a_source() {
    let world = World::new().await;
    world.create(&world.cdc("claims-hr", &json!({}))).await.expect(201);
    let path = format!("{CONNECTORS}/claims-hr/offsets/request");
    let offset = json!({ "lsn": "23", "txId": 1, "ts_usec": 1 });
    let body = json!({ "type": "PATCH", "offsets": [{ "partition": { "server": "claims-hr" }, "offset": offset }] });
    world.harness.post(world.admin(), &path, body).await.expect(202);
    let status = world.status("claims-hr").await;
    assert!(
        status["connector"]["trace"]
            .as_str()
            .unwrap()
            .contains("ClassCastException"),
        "{status}"
    );
}
