//! Create, read, replace, list, validate (dossier `connect.md` §2, §4).

use confluent_ebs::sandbox::{Settings, TASKS_PER_CLUSTER};
use serde_json::json;

use crate::world::{CONNECTORS, PLUGINS, World};

#[tokio::test]
async fn a_connector_is_created_without_an_id_and_found_in_the_expanded_list() {
    let world = World::new().await;
    let made = world.create(&world.datagen("claims-orders")).await.expect(201);
    assert_eq!(made.json()["tasks"], json!([]));
    assert!(made.json().get("id").is_none());
    let twice = format!("{CONNECTORS}?expand=info%2Cstatus%2Cid&expand=id,status");
    let all = world.harness.get(world.admin(), &twice).await.expect(200);
    let found = &all.json()["claims-orders"];
    assert!(found["id"]["id"].as_str().unwrap().starts_with("lcc-"));
    assert_eq!(found["status"]["connector"]["state"], "RUNNING");
    for key in ["cloud.environment", "cloud.provider", "kafka.endpoint", "kafka.region"] {
        assert!(found["info"]["config"][key].is_string(), "{key}");
    }
    let only = world
        .harness
        .get(world.admin(), &format!("{CONNECTORS}?expand=id"))
        .await
        .expect(200);
    assert!(only.json()["claims-orders"].get("status").is_none());
}

#[tokio::test]
async fn a_taken_name_conflicts_and_a_deleted_one_gets_another_id() {
    let world = World::new().await;
    let id = async || {
        let all = world
            .harness
            .get(world.admin(), &format!("{CONNECTORS}?expand=id"))
            .await;
        all.text("/claims-orders/id/id")
    };
    let config = world.datagen("claims-orders");
    world.create(&config).await.expect(201);
    let first = id().await;
    let (_, detail) = world.create(&config).await.expect(409).error();
    assert_eq!(detail, "Connector claims-orders already exists");
    let gone = world.act("DELETE", "claims-orders").await.expect(200);
    assert_eq!(gone.json(), &json!({ "error": null }));
    world.create(&config).await.expect(201);
    assert_ne!(first, id().await);
}

#[tokio::test]
async fn a_deleted_connector_stays_in_the_list_for_a_while_and_keeps_its_name() {
    let world = World::with(Settings::real()).await;
    world.advance(120);
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.advance(120);
    world.act("DELETE", "claims-orders").await.expect(200);
    world.get("claims-orders").await.expect(404);
    let all = world.harness.get(world.admin(), CONNECTORS).await.expect(200);
    assert_eq!(all.json(), &json!(["claims-orders"]));
    world.create(&world.datagen("claims-orders")).await.expect(409);
    world.advance(31);
    world.create(&world.datagen("claims-orders")).await.expect(201);
}

#[tokio::test]
async fn a_put_replaces_everything_creates_what_is_missing_and_keeps_masked_secrets() {
    let world = World::new().await;
    world.put(&world.datagen("claims-orders")).await.expect(200);
    let sink = world.sink("claims-s3", &json!({ "rotate.interval.ms": "60000" }));
    world.create(&sink).await.expect(201);
    let read = world.get("claims-s3/config").await.expect(200);
    assert_eq!(read.json()["aws.secret.access.key"], "****************");
    let mut next = world.sink("claims-s3", &json!({ "aws.secret.access.key": "****************" }));
    let stored = |secret: &str| {
        let sandbox = &world.harness.sandbox;
        sandbox
            .connector_secret_matches("claims-s3", "aws.secret.access.key", secret)
            .unwrap()
    };
    world.put(&next).await.expect(200);
    assert!(stored("s3cret-canary"));
    let read = world.get("claims-s3/config").await.expect(200);
    assert!(
        read.json().get("rotate.interval.ms").is_none(),
        "what is not named is removed"
    );
    next["aws.secret.access.key"] = json!("another");
    world.put(&next).await.expect(200);
    assert!(stored("another"));
    next["name"] = json!("claims-s3");
    next.as_object_mut().unwrap().remove("s3.bucket.name");
    let (_, detail) = world.put(&next).await.expect(400).error();
    assert!(
        detail.contains("s3.bucket.name: \"s3.bucket.name\" is required"),
        "{detail}"
    );
}

#[tokio::test]
async fn wrong_configurations_are_refused_in_the_words_of_the_service() {
    let world = World::new().await;
    let refused = async |config: serde_json::Value| world.create(&config).await.expect(400).error().1;
    let mut number = world.datagen("claims-x");
    number["tasks.max"] = json!(1);
    assert!(refused(number).await.contains("\ntasks.max: "));
    let small = world.sink("claims-x", &json!({ "flush.size": "10" }));
    assert!(
        refused(small)
            .await
            .contains("\"flush.size\" should be greater than or equal to 1000")
    );
    let lower = world.config(
        "claims-x",
        "DatagenSource",
        &json!({ "kafka.topic": "claims-t", "quickstart": "orders" }),
    );
    assert!(
        refused(lower)
            .await
            .contains("doesn't belong to the property's \"quickstart\" enum")
    );
    let java = world.config("claims-x", "io.confluent.connect.s3.S3SinkConnector", &json!({}));
    let answer = world.create(&java).await.expect(500);
    assert_eq!(answer.json()["error_code"], 500);
    assert!(
        answer
            .text("/message")
            .starts_with("Failed to find any class that implements Connector")
    );
    let mut key = world.datagen("claims-x");
    key["kafka.auth.mode"] = json!("KAFKA_API_KEY");
    key["kafka.api.key"] = json!("ABCDEFGHIJ234567");
    key["kafka.api.secret"] = json!("nothing");
    assert!(refused(key).await.contains("Provided Kafka ApiKey is invalid"));
    let mut account = world.datagen("claims-x");
    account["kafka.service.account.id"] = json!("sa-nobody");
    assert!(
        refused(account)
            .await
            .contains("kafka.service.account.id: sa-nobody does not exist")
    );
    let body = json!({ "name": "claims-y", "config": world.datagen("claims-x") });
    world.harness.post(world.admin(), CONNECTORS, body).await.expect(400);
}

#[tokio::test]
async fn a_cluster_carries_so_many_tasks_and_no_more() {
    let mut settings = Settings::instant();
    settings.quotas.insert(TASKS_PER_CLUSTER.into(), 3);
    let world = World::with(settings).await;
    let many = |name: &str, tasks: &str| {
        let mut config = world.datagen(name);
        config["tasks.max"] = json!(tasks);
        config
    };
    world.create(&many("claims-a", "2")).await.expect(201);
    let (_, detail) = world.create(&many("claims-b", "2")).await.expect(402).error();
    assert!(detail.contains("is currently limited to 3"), "{detail}");
    world.create(&many("claims-b", "1")).await.expect(201);
    world.put(&many("claims-b", "2")).await.expect(402);
    world.put(&many("claims-a", "1")).await.expect(200);
    world.put(&many("claims-b", "2")).await.expect(200);
}

#[tokio::test]
async fn plugins_are_listed_and_say_what_they_take() {
    let world = World::new().await;
    let all = world.harness.get(world.admin(), PLUGINS).await.expect(200);
    assert!(all.json().as_array().unwrap().len() > 100);
    let validate = async |class: &str, config: serde_json::Value| {
        let path = format!("{PLUGINS}/{class}/config/validate");
        world.harness.send(world.admin(), "PUT", &path, Some(config)).await
    };
    let bare = validate("DatagenSource", json!({ "connector.class": "DatagenSource" }))
        .await
        .expect(200);
    let keys = bare.json()["configs"].as_array().unwrap();
    let key = |name: &str| keys.iter().find(|key| key["definition"]["name"] == name).unwrap();
    assert_eq!(
        key("kafka.topic")["value"]["errors"],
        json!(["\"kafka.topic\" is required"])
    );
    assert_eq!(key("kafka.api.secret")["definition"]["type"], "PASSWORD");
    assert!(
        key("quickstart")["value"]["recommended_values"]
            .as_array()
            .unwrap()
            .len()
            > 30
    );
    let good = validate("S3_SINK", world.sink("claims-s3", &json!({})))
        .await
        .expect(200);
    assert_eq!(good.json()["error_count"], 0, "{}", good.json());
    assert!(!good.json().to_string().contains("s3cret-canary"));
    validate("Nothing", json!({})).await.expect(500);
}
