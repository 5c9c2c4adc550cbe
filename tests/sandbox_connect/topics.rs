//! The runtime account's grants determine whether a connector runs, and which topics it creates
//! (docs/reference/rbac.md#access-of-a-connectors-account).

use serde_json::json;

use crate::connect_fixture::ConnectFixture;

#[tokio::test]
async fn a_source_creates_its_topic_and_a_sink_reads_it() {
    let fixture = ConnectFixture::new().await;
    fixture
        .create_connector(&fixture.sink_config("claims-s3", &json!({})))
        .await
        .expect_status(201);
    let connector_status = fixture.connector_status("claims-s3").await;
    let trace = connector_status["connector"]["trace"].as_str().unwrap();
    assert!(trace.contains("UnknownTopicOrPartitionException"), "{connector_status}");
    fixture.create_datagen("claims-orders").await;
    assert_eq!(fixture.topics().await, ["claims-dlq", "claims-orders"]);
    assert_eq!(fixture.connector_state("claims-s3").await, "RUNNING");
    let topic = "/kafka/v3/clusters/lkc-prod1/topics/claims-orders";
    fixture.api.get(&fixture.kafka, topic).await.expect_status(200);
    fixture.api.delete(&fixture.kafka, topic).await.expect_status(204);
    fixture.api.get(&fixture.kafka, topic).await.expect_status(404);
    // It is recreated only at the next start (docs/reference/quotas.md#connector-limits).
    assert_eq!(fixture.connector_state("claims-orders").await, "FAILED");
    fixture.advance_clock(1);
    fixture
        .send_action("PUT", "claims-orders/pause")
        .await
        .expect_status(202);
    fixture
        .send_action("PUT", "claims-orders/resume")
        .await
        .expect_status(202);
    assert_eq!(fixture.connector_state("claims-orders").await, "RUNNING");
    assert!(fixture.topics().await.contains(&"claims-orders".to_owned()));
}

#[tokio::test]
async fn topics_can_be_created_over_kafka_rest() {
    let fixture = ConnectFixture::new().await;
    let topics = "/kafka/v3/clusters/lkc-prod1/topics";
    let body = json!({ "topic_name": "claims-x", "partitions_count": 3 });
    let made = fixture
        .api
        .post(&fixture.kafka, topics, body.clone())
        .await
        .expect_status(201);
    assert_eq!(made.json()["partitions_count"], 3);
    let again = fixture.api.post(&fixture.kafka, topics, body).await.expect_status(400);
    assert_eq!(again.json()["error_code"], 40002);
    fixture
        .api
        .post(&fixture.kafka, topics, json!({ "topic_name": "a b" }))
        .await
        .expect_status(400);
}

#[tokio::test]
async fn missing_topic_access_fails_with_the_kafka_error() {
    let fixture = ConnectFixture::new().await;
    let mut foreign = fixture.datagen_config("claims-foreign");
    foreign["kafka.topic"] = json!("fraud-orders");
    fixture.create_connector(&foreign).await.expect_status(201);
    let said = fixture.connector_status("claims-foreign").await["connector"]["trace"].to_string();
    assert!(
        said.contains("TopicAuthorizationException: Not authorized to access topics: [fraud-orders]"),
        "{said}"
    );
    // The default dead letter queue is named after the id (pattern 5).
    fixture.create_datagen("claims-orders").await;
    fixture.connector_status("claims-orders").await;
    let mut sink_config = fixture.sink_config("claims-s3", &json!({}));
    sink_config
        .as_object_mut()
        .unwrap()
        .remove("errors.deadletterqueue.topic.name");
    fixture.create_connector(&sink_config).await.expect_status(201);
    let errors = fixture.connector_status("claims-s3").await["validation_errors"].clone();
    let text = "kafka.service.account.id: User does not have CREATE access to topic prefixed with dlq-lcc";
    assert_eq!(errors, json!([text]));
    // Subjects of the Schema Registry.
    let mut avro = fixture.datagen_config("claims-avro");
    avro["output.data.format"] = json!("AVRO");
    fixture.create_connector(&avro).await.expect_status(201);
    let said = fixture.connector_status("claims-avro").await["connector"]["trace"].to_string();
    assert!(
        said.contains("denied operation Write on Subject: claims-orders-value"),
        "{said}"
    );
    // A grant is sufficient: the service restarts the connector (docs/reference/connect.md#automatic-restart).
    let subject = "/schema-registry=lsrc-prod1/subject=claims-*";
    let environment = fixture.api.seed.stages[0].address.environment_crn();
    fixture
        .api
        .bind(&fixture.runtime, "DeveloperWrite", &format!("{environment}{subject}"))
        .await;
    assert_eq!(fixture.connector_state("claims-avro").await, "RUNNING");
}

// Source: docs/reference/rbac.md#access-of-a-connectors-account. The name of the schema history topic has no
// department's prefix.
#[tokio::test]
async fn a_schema_history_topic_needs_its_own_grant_or_a_name_inside_the_prefix() {
    let fixture = ConnectFixture::new().await;
    let key = "schema.history.internal.kafka.topic";
    let mut config = fixture.cdc_config("claims-hr", &json!({ "connector.class": "MySqlCdcSourceV2" }));
    fixture.create_connector(&config).await.expect_status(201);
    let said = fixture.connector_status("claims-hr").await["connector"]["trace"].to_string();
    assert!(
        said.contains("Not authorized to access topics: [dbhistory.claims-hr.lcc-"),
        "{said}"
    );
    config[key] = json!("claims-hr-history");
    fixture.put_config(&config).await.expect_status(200);
    assert_eq!(fixture.connector_state("claims-hr").await, "RUNNING");
    assert!(fixture.topics().await.contains(&"claims-hr-history".to_owned()));
}
