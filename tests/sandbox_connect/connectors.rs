//! Create, read, replace, list, validate (docs/reference/connect.md#endpoints and
//! docs/reference/connect.md#common-configuration-keys).

use confluent_ebs::sandbox::{SandboxSettings, TASKS_PER_CLUSTER};
use serde_json::json;

use crate::common::{CONNECTORS_PATH, ConnectSandbox, JsonAccess as _, PLUGINS_PATH};

#[tokio::test]
async fn a_connector_is_created_without_an_id_and_found_in_the_expanded_list() {
    let connect = ConnectSandbox::new().await;
    let made = connect
        .create_connector(&connect.datagen_config("claims-orders"))
        .await
        .expect_status(201);
    assert_eq!(made.json()["tasks"], json!([]));
    assert!(made.json().get("id").is_none());
    let twice = format!("{CONNECTORS_PATH}?expand=info%2Cstatus%2Cid&expand=id,status");
    let all = connect.api.get(connect.admin(), &twice).await.expect_status(200);
    let found = &all.json()["claims-orders"];
    assert!(found.text("/id/id").starts_with("lcc-"));
    assert_eq!(found["status"]["connector"]["state"], "RUNNING");
    for key in ["cloud.environment", "cloud.provider", "kafka.endpoint", "kafka.region"] {
        assert!(found["info"]["config"][key].is_string(), "{key}");
    }
    let only = connect
        .api
        .get(connect.admin(), &format!("{CONNECTORS_PATH}?expand=id"))
        .await
        .expect_status(200);
    assert!(only.json()["claims-orders"].get("status").is_none());
}

#[tokio::test]
async fn a_taken_name_conflicts_and_a_recreated_connector_gets_a_new_id() {
    let connect = ConnectSandbox::new().await;
    let id = async || {
        let all = connect
            .api
            .get(connect.admin(), &format!("{CONNECTORS_PATH}?expand=id"))
            .await;
        all.string_at("/claims-orders/id/id")
    };
    let config = connect.datagen_config("claims-orders");
    connect.create_connector(&config).await.expect_status(201);
    let first = id().await;
    let (_, detail) = connect.create_connector(&config).await.expect_status(409).first_error();
    assert_eq!(detail, "Connector claims-orders already exists");
    let gone = connect.send_action("DELETE", "claims-orders").await.expect_status(200);
    assert_eq!(gone.json(), &json!({ "error": null }));
    connect.create_connector(&config).await.expect_status(201);
    assert_ne!(first, id().await);
}

#[tokio::test]
async fn a_deleted_connector_stays_in_the_list_for_a_while_and_keeps_its_name() {
    let connect = ConnectSandbox::with_settings(SandboxSettings::real()).await;
    connect.advance_clock(120);
    connect.create_datagen("claims-orders").await;
    connect.advance_clock(120);
    connect.send_action("DELETE", "claims-orders").await.expect_status(200);
    connect.get("claims-orders").await.expect_status(404);
    let all = connect
        .api
        .get(connect.admin(), CONNECTORS_PATH)
        .await
        .expect_status(200);
    assert_eq!(all.json(), &json!(["claims-orders"]));
    connect
        .create_connector(&connect.datagen_config("claims-orders"))
        .await
        .expect_status(409);
    connect.advance_clock(31);
    connect.create_datagen("claims-orders").await;
}

#[tokio::test]
async fn a_put_replaces_the_config_creates_missing_connectors_and_keeps_masked_secrets() {
    let connect = ConnectSandbox::new().await;
    connect
        .put_config(&connect.datagen_config("claims-orders"))
        .await
        .expect_status(200);
    let sink_config = connect.sink_config("claims-s3", &json!({ "rotate.interval.ms": "60000" }));
    connect.create_connector(&sink_config).await.expect_status(201);
    let read = connect.get("claims-s3/config").await.expect_status(200);
    assert_eq!(read.json()["aws.secret.access.key"], "****************");
    let mut next = connect.sink_config("claims-s3", &json!({ "aws.secret.access.key": "****************" }));
    let stored = |secret: &str| {
        let sandbox = &connect.api.sandbox;
        sandbox
            .connector_secret_matches("claims-s3", "aws.secret.access.key", secret)
            .unwrap()
    };
    connect.put_config(&next).await.expect_status(200);
    assert!(stored("s3cret-canary"));
    let read = connect.get("claims-s3/config").await.expect_status(200);
    assert!(
        read.json().get("rotate.interval.ms").is_none(),
        "what is not named is removed"
    );
    next["aws.secret.access.key"] = json!("another");
    connect.put_config(&next).await.expect_status(200);
    assert!(stored("another"));
    next["name"] = json!("claims-s3");
    next.as_object_mut().unwrap().remove("s3.bucket.name");
    let (_, detail) = connect.put_config(&next).await.expect_status(400).first_error();
    assert!(
        detail.contains("s3.bucket.name: \"s3.bucket.name\" is required"),
        "{detail}"
    );
}

#[tokio::test]
async fn invalid_configurations_are_refused_with_the_service_message() {
    let connect = ConnectSandbox::new().await;
    let refused = async |config: serde_json::Value| {
        connect
            .create_connector(&config)
            .await
            .expect_status(400)
            .first_error()
            .1
    };
    let mut number = connect.datagen_config("claims-x");
    number["tasks.max"] = json!(1);
    assert!(refused(number).await.contains("\ntasks.max: "));
    let small = connect.sink_config("claims-x", &json!({ "flush.size": "10" }));
    assert!(
        refused(small)
            .await
            .contains("\"flush.size\" should be greater than or equal to 1000")
    );
    let lower = connect.config(
        "claims-x",
        "DatagenSource",
        &json!({ "kafka.topic": "claims-t", "quickstart": "orders" }),
    );
    assert!(
        refused(lower)
            .await
            .contains("doesn't belong to the property's \"quickstart\" enum")
    );
    let java = connect.config("claims-x", "io.confluent.connect.s3.S3SinkConnector", &json!({}));
    let answer = connect.create_connector(&java).await.expect_status(500);
    assert_eq!(answer.json()["error_code"], 500);
    assert!(
        answer
            .string_at("/message")
            .starts_with("Failed to find any class that implements Connector")
    );
    let mut key = connect.datagen_config("claims-x");
    key["kafka.auth.mode"] = json!("KAFKA_API_KEY");
    key["kafka.api.key"] = json!("ABCDEFGHIJ234567");
    key["kafka.api.secret"] = json!("nothing");
    assert!(refused(key).await.contains("Provided Kafka ApiKey is invalid"));
    let mut account = connect.datagen_config("claims-x");
    account["kafka.service.account.id"] = json!("sa-nobody");
    assert!(
        refused(account)
            .await
            .contains("kafka.service.account.id: sa-nobody does not exist")
    );
    let body = json!({ "name": "claims-y", "config": connect.datagen_config("claims-x") });
    connect
        .api
        .post(connect.admin(), CONNECTORS_PATH, body)
        .await
        .expect_status(400);
}

#[tokio::test]
async fn tasks_beyond_the_cluster_limit_are_refused() {
    let mut settings = SandboxSettings::instant();
    settings.quotas.insert(TASKS_PER_CLUSTER.into(), 3);
    let connect = ConnectSandbox::with_settings(settings).await;
    let many = |name: &str, tasks: &str| {
        let mut config = connect.datagen_config(name);
        config["tasks.max"] = json!(tasks);
        config
    };
    connect
        .create_connector(&many("claims-a", "2"))
        .await
        .expect_status(201);
    let (_, detail) = connect
        .create_connector(&many("claims-b", "2"))
        .await
        .expect_status(402)
        .first_error();
    assert!(detail.contains("is currently limited to 3"), "{detail}");
    connect
        .create_connector(&many("claims-b", "1"))
        .await
        .expect_status(201);
    connect.put_config(&many("claims-b", "2")).await.expect_status(402);
    connect.put_config(&many("claims-a", "1")).await.expect_status(200);
    connect.put_config(&many("claims-b", "2")).await.expect_status(200);
}

#[tokio::test]
async fn plugins_are_listed_and_validated_with_their_keys() {
    let connect = ConnectSandbox::new().await;
    let all = connect.api.get(connect.admin(), PLUGINS_PATH).await.expect_status(200);
    assert!(all.json().items("").len() > 100);
    let validate = async |class: &str, config: serde_json::Value| {
        let path = format!("{PLUGINS_PATH}/{class}/config/validate");
        connect.api.send(connect.admin(), "PUT", &path, Some(config)).await
    };
    let bare = validate("DatagenSource", json!({ "connector.class": "DatagenSource" }))
        .await
        .expect_status(200);
    let keys = bare.json().items("/configs");
    let key = |name: &str| keys.iter().find(|key| key["definition"]["name"] == name).unwrap();
    assert_eq!(
        key("kafka.topic")["value"]["errors"],
        json!(["\"kafka.topic\" is required"])
    );
    assert_eq!(key("kafka.api.secret")["definition"]["type"], "PASSWORD");
    assert!(key("quickstart").items("/value/recommended_values").len() > 30);
    let good = validate("S3_SINK", connect.sink_config("claims-s3", &json!({})))
        .await
        .expect_status(200);
    assert_eq!(good.json()["error_count"], 0, "{}", good.json());
    assert!(!good.json().to_string().contains("s3cret-canary"));
    validate("Nothing", json!({})).await.expect_status(500);
}
