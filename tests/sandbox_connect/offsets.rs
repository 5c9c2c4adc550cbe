//! Offsets (docs/reference/connect.md#offsets).

use confluent_ebs::sandbox::SandboxSettings;
use serde_json::json;

use crate::common::{CONNECTORS_PATH, ConnectSandbox, JsonAccess as _};

#[tokio::test]
async fn only_one_offset_request_is_pending_at_a_time() {
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
    assert_eq!(connect.connector_state("claims-s3").await, "RUNNING");
    connect.get("claims-s3/offsets/request/status").await.expect_status(404);
    let now = connect.get("claims-s3/offsets").await.expect_status(200);
    assert!(now.json().count("/offsets/0/offset/kafka_offset") > 0);
    let seen: jiff::Timestamp = now.string_at("/metadata/observed_at").parse().unwrap();
    let now = connect.api.sandbox.now().unwrap();
    assert!(now.duration_since(seen).as_secs() < 5, "a fresh snapshot");
    let path = format!("{CONNECTORS_PATH}/claims-s3/offsets/request");
    let ask = async |body| connect.api.post(connect.admin(), &path, body).await;
    let partition = json!({ "kafka_topic": "claims-orders", "kafka_partition": 0 });
    ask(json!({ "type": "PATCH" })).await.expect_status(400);
    ask(json!({ "type": "PATCH", "offsets": [{ "partition": partition, "offset": { "kafka_offset": "1" } }] }))
        .await
        .expect_status(400);
    ask(json!({ "type": "MOVE" })).await.expect_status(400);
    let patch = json!({ "type": "PATCH", "offsets": [{ "partition": partition, "offset": { "kafka_offset": 100 } }] });
    ask(patch.clone()).await.expect_status(202);
    ask(patch).await.expect_status(400);
    let phase = async || {
        connect
            .get("claims-s3/offsets/request/status")
            .await
            .expect_status(200)
            .string_at("/status/phase")
    };
    assert_eq!(phase().await, "PENDING");
    connect.advance_clock(25);
    assert_eq!(phase().await, "APPLIED");
    let moved = connect.get("claims-s3/offsets").await.expect_status(200);
    assert!((100..1_000).contains(&moved.json().count("/offsets/0/offset/kafka_offset")));
    ask(json!({ "type": "DELETE" })).await.expect_status(202);
}

// Pattern 31.
#[tokio::test]
async fn offset_numbers_sent_as_strings_break_a_source() {
    let connect = ConnectSandbox::new().await;
    connect
        .create_connector(&connect.cdc_config("claims-hr", &json!({})))
        .await
        .expect_status(201);
    let path = format!("{CONNECTORS_PATH}/claims-hr/offsets/request");
    let offset = json!({ "lsn": "23", "txId": 1, "ts_usec": 1 });
    let body = json!({ "type": "PATCH", "offsets": [{ "partition": { "server": "claims-hr" }, "offset": offset }] });
    connect.api.post(connect.admin(), &path, body).await.expect_status(202);
    let connector_status = connect.connector_status("claims-hr").await;
    assert!(
        connector_status.text("/connector/trace").contains("ClassCastException"),
        "{connector_status}"
    );
}
