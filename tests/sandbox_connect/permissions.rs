//! Roles per connector name (docs/reference/rbac.md#connector-roles).

use serde_json::{Value, json};

use crate::common::{CONNECTORS_PATH, Caller, ConnectSandbox, JsonAccess as _};

pub(crate) async fn create_key_with_role(connect: &ConnectSandbox, role: &str) -> (String, Caller) {
    let account = connect.api.create_account(&format!("holder-{role}")).await;
    let pattern = format!("{}/connector=claims-*", connect.api.cluster_crn());
    connect.api.bind(&account, role, &pattern).await;
    let key = connect.api.create_key(&account, "cloud").await;
    (account, key)
}

#[tokio::test]
async fn each_connector_operation_needs_its_own_role() {
    let connect = ConnectSandbox::new().await;
    for name in ["claims-orders", "fraud-orders"] {
        connect
            .create_connector(&connect.datagen_config(name))
            .await
            .expect_status(201);
    }
    // config, tasks, status, offsets | pause, resume, restart | put, alter
    for (role, [read, lifecycle, configure]) in [
        ("ResourceOwner", [true, true, true]),
        ("ConnectManager", [true, true, false]),
        ("DeveloperWrite", [true, false, true]),
        ("DeveloperRead", [true, false, false]),
    ] {
        let (_, login) = create_key_with_role(&connect, role).await;
        for (method, below, body, allowed, status) in [
            ("GET", "config", None, read, 200),
            ("GET", "tasks", None, read, 200),
            ("GET", "status", None, read, 200),
            ("GET", "offsets", None, read, 200),
            ("POST", "restart", None, lifecycle, 202),
            ("PUT", "pause", None, lifecycle, 202),
            ("PUT", "resume", None, lifecycle, 202),
            (
                "PUT",
                "config",
                Some(connect.datagen_config("claims-orders")),
                configure,
                200,
            ),
            (
                "POST",
                "offsets/request",
                Some(json!({ "type": "DELETE" })),
                configure,
                202,
            ),
        ] {
            let send = async |name: &str, body: Option<Value>| {
                let path = format!("{CONNECTORS_PATH}/{name}/{below}");
                connect.api.send(&login, method, &path, body).await.status.as_u16()
            };
            let expected = if allowed { status } else { 403 };
            assert_eq!(
                send("claims-orders", body.clone()).await,
                expected,
                "{role}: {method} {below}"
            );
            assert_eq!(
                send("fraud-orders", body).await,
                403,
                "{role}: {method} {below} of another"
            );
        }
    }
}

#[tokio::test]
async fn developer_write_can_change_the_config_but_not_the_account_or_create() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    let (_, writer) = create_key_with_role(&connect, "DeveloperWrite").await;
    let other = connect.api.create_account("other").await;
    let put = async |login: &Caller, config: Value| {
        let path = format!("{CONNECTORS_PATH}/{}/config", config.text("/name"));
        connect.api.send(login, "PUT", &path, Some(config)).await
    };
    let mut stolen = connect.datagen_config("claims-orders");
    stolen["kafka.service.account.id"] = json!(other);
    put(&writer, stolen.clone()).await.expect_status(403);
    put(&writer, connect.datagen_config("claims-new"))
        .await
        .expect_status(403);
    let (owner, login) = create_key_with_role(&connect, "ResourceOwner").await;
    put(&login, stolen.clone()).await.expect_status(403);
    let organization = connect.api.seed.stages[0].address.organization_crn();
    let pattern = format!("{organization}/service-account={other}");
    connect.api.bind(&owner, "Assigner", &pattern).await;
    put(&login, stolen).await.expect_status(200);
}

/// ACLs of docs/reference/rbac.md#personas for a sink's identity.
async fn create_allow_acl(connect: &ConnectSandbox, permission: &str, operation: &str, resource: &str, name: &str) {
    let acl = json!({
        "resource_type": resource, "resource_name": name, "pattern_type": "PREFIXED",
        "principal": format!("User:{}", connect.runtime), "host": "*", "operation": operation, "permission": permission,
    });
    let acls = "/kafka/v3/clusters/lkc-prod1/acls";
    connect.api.post(&connect.kafka, acls, acl).await.expect_status(201);
}

// Source: docs/reference/rbac.md#roles-of-a-connectors-account and
// docs/reference/rbac.md#access-of-a-connectors-account. Without it the error is "User does not have CREATE access to
// topic prefixed with dlq-lcc".
#[tokio::test]
async fn a_sink_with_acls_on_the_shared_dead_letter_prefix_creates_its_own_topic() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-source").await;
    assert_eq!(connect.connector_state("claims-source").await, "RUNNING");
    // Its queue is `dlq-` and the connector's id, the default of the plugin.
    let mut sink_config = connect.sink_config("claims-sink", &json!({}));
    sink_config
        .as_object_mut()
        .unwrap()
        .remove("errors.deadletterqueue.topic.name");
    connect.create_connector(&sink_config).await.expect_status(201);
    let trace = async || {
        let connector_status = connect.connector_status("claims-sink").await;
        (
            connector_status.text("/connector/state").to_owned(),
            connector_status["connector"]["trace"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let (state, said) = trace().await;
    assert_eq!(state, "FAILED");
    assert!(said.contains("CREATE"), "{said}");
    create_allow_acl(&connect, "ALLOW", "CREATE", "TOPIC", "dlq-lcc").await;
    let (state, said) = trace().await;
    assert_eq!(state, "FAILED", "it may not write to the topic it created");
    assert!(said.contains("WRITE"), "{said}");
    create_allow_acl(&connect, "ALLOW", "WRITE", "TOPIC", "dlq-lcc").await;
    assert_eq!(connect.connector_state("claims-sink").await, "RUNNING");
    let topics = connect.topics().await;
    assert!(topics.iter().any(|topic| topic.starts_with("dlq-lcc-")), "{topics:?}");
    // A DENY overrides the roles of the template.
    create_allow_acl(&connect, "DENY", "READ", "TOPIC", "claims-").await;
    let (state, said) = trace().await;
    assert_eq!(state, "FAILED");
    assert!(said.contains("claims-orders"), "{said}");
}

// Source: docs/reference/rbac.md#cluster-types-with-rbac. A Basic cluster has no granular roles, so a connector can
// only have ACLs.
#[tokio::test]
async fn on_a_basic_cluster_only_acls_grant_topic_access() {
    let connect = ConnectSandbox::new().await;
    let connectors = CONNECTORS_PATH
        .replace("prod1", "test1")
        .replace("lkc-test1", "lkc-basic1");
    let body = json!({ "name": "claims-source", "config": connect.datagen_config("claims-source") });
    connect
        .api
        .post(connect.admin(), &connectors, body)
        .await
        .expect_status(201);
    let state = async || {
        let path = format!("{connectors}/claims-source/status");
        let status = connect.api.get(connect.admin(), &path).await.expect_status(200);
        status.string_at("/connector/state")
    };
    assert_eq!(state().await, "FAILED");
    let acls = "/kafka/v3/clusters/lkc-basic1/acls";
    for operation in ["CREATE", "WRITE"] {
        let acl = json!({
            "resource_type": "TOPIC", "resource_name": "claims-", "pattern_type": "PREFIXED",
            "principal": format!("User:{}", connect.runtime), "host": "*", "operation": operation, "permission": "ALLOW",
        });
        connect.api.post(&connect.kafka, acls, acl).await.expect_status(201);
    }
    assert_eq!(state().await, "RUNNING");
}
