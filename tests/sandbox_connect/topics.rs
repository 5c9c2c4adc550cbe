//! The runtime account's grants determine whether a connector runs, and which topics it creates
//! (docs/reference/rbac.md#access-of-a-connectors-account).

use serde_json::json;

use crate::common::{ConnectSandbox, JsonAccess as _};

#[tokio::test]
async fn a_source_creates_its_topic_and_a_sink_reads_it() {
    let connect = ConnectSandbox::new().await;
    connect
        .create_connector(&connect.sink_config("claims-s3", &json!({})))
        .await
        .expect_status(201);
    let connector_status = connect.connector_status("claims-s3").await;
    let trace = connector_status.text("/connector/trace");
    assert!(trace.contains("UnknownTopicOrPartitionException"), "{connector_status}");
    connect.create_datagen("claims-orders").await;
    assert_eq!(connect.topics().await, ["claims-dlq", "claims-orders"]);
    assert_eq!(connect.connector_state("claims-s3").await, "RUNNING");
    let topic = "/kafka/v3/clusters/lkc-prod1/topics/claims-orders";
    connect.api.get(&connect.kafka, topic).await.expect_status(200);
    connect.api.delete(&connect.kafka, topic).await.expect_status(204);
    connect.api.get(&connect.kafka, topic).await.expect_status(404);
    // It is recreated only at the next start (docs/reference/quotas.md#connector-limits).
    assert_eq!(connect.connector_state("claims-orders").await, "FAILED");
    connect.advance_clock(1);
    connect
        .send_action("PUT", "claims-orders/pause")
        .await
        .expect_status(202);
    connect
        .send_action("PUT", "claims-orders/resume")
        .await
        .expect_status(202);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
    assert!(connect.topics().await.contains(&"claims-orders".to_owned()));
}

#[tokio::test]
async fn topics_can_be_created_over_kafka_rest() {
    let connect = ConnectSandbox::new().await;
    let topics = "/kafka/v3/clusters/lkc-prod1/topics";
    let body = json!({ "topic_name": "claims-x", "partitions_count": 3 });
    let made = connect
        .api
        .post(&connect.kafka, topics, body.clone())
        .await
        .expect_status(201);
    assert_eq!(made.json()["partitions_count"], 3);
    let again = connect.api.post(&connect.kafka, topics, body).await.expect_status(400);
    assert_eq!(again.json()["error_code"], 40002);
    connect
        .api
        .post(&connect.kafka, topics, json!({ "topic_name": "a b" }))
        .await
        .expect_status(400);
}

#[tokio::test]
async fn missing_topic_access_fails_with_the_kafka_error() {
    let connect = ConnectSandbox::new().await;
    let mut foreign = connect.datagen_config("claims-foreign");
    foreign["kafka.topic"] = json!("fraud-orders");
    connect.create_connector(&foreign).await.expect_status(201);
    let said = connect.connector_status("claims-foreign").await["connector"]["trace"].to_string();
    assert!(
        said.contains("TopicAuthorizationException: Not authorized to access topics: [fraud-orders]"),
        "{said}"
    );
    // The default dead letter queue is named after the id (pattern 5).
    connect.create_datagen("claims-orders").await;
    connect.connector_status("claims-orders").await;
    let mut sink_config = connect.sink_config("claims-s3", &json!({}));
    sink_config
        .as_object_mut()
        .unwrap()
        .remove("errors.deadletterqueue.topic.name");
    connect.create_connector(&sink_config).await.expect_status(201);
    let errors = connect.connector_status("claims-s3").await["validation_errors"].clone();
    let text = "kafka.service.account.id: User does not have CREATE access to topic prefixed with dlq-lcc";
    assert_eq!(errors, json!([text]));
    // Subjects of the Schema Registry.
    let mut avro = connect.datagen_config("claims-avro");
    avro["output.data.format"] = json!("AVRO");
    connect.create_connector(&avro).await.expect_status(201);
    let said = connect.connector_status("claims-avro").await["connector"]["trace"].to_string();
    assert!(
        said.contains("denied operation Write on Subject: claims-orders-value"),
        "{said}"
    );
    // A grant is sufficient: the service restarts the connector (docs/reference/connect.md#automatic-restart).
    let subject = "/schema-registry=lsrc-prod1/subject=claims-*";
    let environment = connect.api.seed.stages[0].address.environment_crn();
    connect
        .api
        .bind(&connect.runtime, "DeveloperWrite", &format!("{environment}{subject}"))
        .await;
    assert_eq!(connect.connector_state("claims-avro").await, "RUNNING");
}

// Source: docs/reference/rbac.md#access-of-a-connectors-account. The name of the schema history topic has no
// department's prefix.
#[tokio::test]
async fn a_schema_history_topic_needs_its_own_grant_or_a_name_inside_the_prefix() {
    let connect = ConnectSandbox::new().await;
    let key = "schema.history.internal.kafka.topic";
    let mut config = connect.cdc_config("claims-hr", &json!({ "connector.class": "MySqlCdcSourceV2" }));
    connect.create_connector(&config).await.expect_status(201);
    let said = connect.connector_status("claims-hr").await["connector"]["trace"].to_string();
    assert!(
        said.contains("Not authorized to access topics: [dbhistory.claims-hr.lcc-"),
        "{said}"
    );
    config[key] = json!("claims-hr-history");
    connect.put_config(&config).await.expect_status(200);
    assert_eq!(connect.connector_state("claims-hr").await, "RUNNING");
    assert!(connect.topics().await.contains(&"claims-hr-history".to_owned()));
}
