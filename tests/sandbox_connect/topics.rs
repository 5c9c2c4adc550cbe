//! The runtime account's grants decide whether a connector runs, and which topics come to be (dossier `connect.md` §6).

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_source_makes_its_topic_and_a_sink_reads_it() {
    let world = World::new().await;
    world.create(&world.sink("claims-s3", &json!({}))).await.expect(201);
    let status = world.status("claims-s3").await;
    let trace = status["connector"]["trace"].as_str().unwrap();
    assert!(trace.contains("UnknownTopicOrPartitionException"), "{status}");
    world.create(&world.datagen("claims-orders")).await.expect(201);
    assert_eq!(world.topics().await, ["claims-dlq", "claims-orders"]);
    assert_eq!(world.state("claims-s3").await, "RUNNING");
    let topic = "/kafka/v3/clusters/lkc-prod1/topics/claims-orders";
    world.harness.get(&world.kafka, topic).await.expect(200);
    world.harness.delete(&world.kafka, topic).await.expect(204);
    world.harness.get(&world.kafka, topic).await.expect(404);
    // It comes back with the next start only (§7).
    assert_eq!(world.state("claims-orders").await, "FAILED");
    world.act("PUT", "claims-orders/pause").await.expect(202);
    world.act("PUT", "claims-orders/resume").await.expect(202);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
    assert!(world.topics().await.contains(&"claims-orders".to_owned()));
}

#[tokio::test]
async fn topics_are_made_by_hand_too() {
    let world = World::new().await;
    let topics = "/kafka/v3/clusters/lkc-prod1/topics";
    let body = json!({ "topic_name": "claims-x", "partitions_count": 3 });
    let made = world.harness.post(&world.kafka, topics, body.clone()).await.expect(201);
    assert_eq!(made.json()["partitions_count"], 3);
    let again = world.harness.post(&world.kafka, topics, body).await.expect(400);
    assert_eq!(again.json()["error_code"], 40002);
    world
        .harness
        .post(&world.kafka, topics, json!({ "topic_name": "a b" }))
        .await
        .expect(400);
}

#[tokio::test]
async fn what_the_identity_may_not_do_is_said_in_kafkas_words() {
    let world = World::new().await;
    let mut foreign = world.datagen("claims-foreign");
    foreign["kafka.topic"] = json!("fraud-orders");
    world.create(&foreign).await.expect(201);
    let said = world.status("claims-foreign").await["connector"]["trace"].to_string();
    assert!(
        said.contains("TopicAuthorizationException: Not authorized to access topics: [fraud-orders]"),
        "{said}"
    );
    // The default dead letter queue is named after the id (pattern 5).
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.status("claims-orders").await;
    let mut sink = world.sink("claims-s3", &json!({}));
    sink.as_object_mut()
        .unwrap()
        .remove("errors.deadletterqueue.topic.name");
    world.create(&sink).await.expect(201);
    let errors = world.status("claims-s3").await["validation_errors"].clone();
    let text = "kafka.service.account.id: User does not have CREATE access to topic prefixed with dlq-lcc";
    assert_eq!(errors, json!([text]));
    // Schemas.
    let mut avro = world.datagen("claims-avro");
    avro["output.data.format"] = json!("AVRO");
    world.create(&avro).await.expect(201);
    let said = world.status("claims-avro").await["connector"]["trace"].to_string();
    assert!(
        said.contains("denied operation Write on Subject: claims-orders-value"),
        "{said}"
    );
    // A grant is enough: the service restarts by itself (§3.4).
    let subject = "/schema-registry=lsrc-prod1/subject=claims-*";
    let environment = world.harness.seed.stages[0].address.environment_crn();
    world
        .harness
        .bind(&world.runtime, "DeveloperWrite", &format!("{environment}{subject}"))
        .await;
    assert_eq!(world.state("claims-avro").await, "RUNNING");
}

// Dossier `rbac.md` §2.1: the history of schemas begins with no department's prefix.
#[tokio::test]
async fn a_history_of_schemas_needs_rights_of_its_own_or_a_name_inside_the_prefix() {
    let world = World::new().await;
    let key = "schema.history.internal.kafka.topic";
    let mut config = world.cdc("claims-hr", &json!({ "connector.class": "MySqlCdcSourceV2" }));
    world.create(&config).await.expect(201);
    let said = world.status("claims-hr").await["connector"]["trace"].to_string();
    assert!(
        said.contains("Not authorized to access topics: [dbhistory.claims-hr.lcc-"),
        "{said}"
    );
    config[key] = json!("claims-hr-history");
    world.put(&config).await.expect(200);
    assert_eq!(world.state("claims-hr").await, "RUNNING");
    assert!(world.topics().await.contains(&"claims-hr-history".to_owned()));
}
