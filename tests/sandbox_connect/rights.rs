//! Roles per connector name (dossier `rbac.md` §1.1).

use serde_json::{Value, json};

use crate::{
    harness::Login,
    world::{CONNECTORS, World},
};

pub(crate) async fn holder(world: &World, role: &str) -> (String, Login) {
    let account = world.harness.account(&format!("holder-{role}")).await;
    let pattern = format!("{}/connector=claims-*", world.harness.cluster_crn());
    world.harness.bind(&account, role, &pattern).await;
    let key = world.harness.make_key(&account, "cloud").await;
    (account, key)
}

#[tokio::test]
async fn each_verb_needs_its_own_right() {
    let world = World::new().await;
    for name in ["claims-orders", "fraud-orders"] {
        world.create(&world.datagen(name)).await.expect(201);
    }
    // config, tasks, status, offsets | pause, resume, restart | put, alter
    for (role, [read, lifecycle, configure]) in [
        ("ResourceOwner", [true, true, true]),
        ("ConnectManager", [true, true, false]),
        ("DeveloperWrite", [true, false, true]),
        ("DeveloperRead", [true, false, false]),
    ] {
        let (_, login) = holder(&world, role).await;
        for (method, below, body, allowed, status) in [
            ("GET", "config", None, read, 200),
            ("GET", "tasks", None, read, 200),
            ("GET", "status", None, read, 200),
            ("GET", "offsets", None, read, 200),
            ("POST", "restart", None, lifecycle, 202),
            ("PUT", "pause", None, lifecycle, 202),
            ("PUT", "resume", None, lifecycle, 202),
            ("PUT", "config", Some(world.datagen("claims-orders")), configure, 200),
            (
                "POST",
                "offsets/request",
                Some(json!({ "type": "DELETE" })),
                configure,
                202,
            ),
        ] {
            let send = async |name: &str, body: Option<Value>| {
                let path = format!("{CONNECTORS}/{name}/{below}");
                world.harness.send(&login, method, &path, body).await.status.as_u16()
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
async fn who_may_configure_may_not_change_the_identity_nor_create() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let (_, writer) = holder(&world, "DeveloperWrite").await;
    let other = world.harness.account("other").await;
    let put = async |login: &Login, config: Value| {
        let path = format!("{CONNECTORS}/{}/config", config["name"].as_str().unwrap());
        world.harness.send(login, "PUT", &path, Some(config)).await
    };
    let mut stolen = world.datagen("claims-orders");
    stolen["kafka.service.account.id"] = json!(other);
    put(&writer, stolen.clone()).await.expect(403);
    put(&writer, world.datagen("claims-new")).await.expect(403);
    let (owner, login) = holder(&world, "ResourceOwner").await;
    put(&login, stolen.clone()).await.expect(403);
    let organization = world.harness.seed.stages[0].address.organization_crn();
    let pattern = format!("{organization}/service-account={other}");
    world.harness.bind(&owner, "Assigner", &pattern).await;
    put(&login, stolen).await.expect(200);
}

/// What dossier `rbac.md` §8.3 gives a sink's identity as ACLs.
async fn allow(world: &World, permission: &str, operation: &str, resource: &str, name: &str) {
    let acl = json!({
        "resource_type": resource, "resource_name": name, "pattern_type": "PREFIXED",
        "principal": format!("User:{}", world.runtime), "host": "*", "operation": operation, "permission": permission,
    });
    let acls = "/kafka/v3/clusters/lkc-prod1/acls";
    world.harness.post(&world.kafka, acls, acl).await.expect(201);
}

// Dossier `rbac.md` §2.2, option A, and `connect.md` §6: without it "User does not have CREATE access to topic prefixed
// with dlq-lcc".
#[tokio::test]
async fn a_sink_whose_account_may_create_and_write_the_shared_queues_makes_its_own() {
    let world = World::new().await;
    world.create(&world.datagen("claims-source")).await.expect(201);
    assert_eq!(world.state("claims-source").await, "RUNNING");
    // Its queue is `dlq-` and the connector's id, as the plugin has it by default.
    let mut sink = world.sink("claims-sink", &json!({}));
    sink.as_object_mut()
        .unwrap()
        .remove("errors.deadletterqueue.topic.name");
    world.create(&sink).await.expect(201);
    let trace = async || {
        let status = world.status("claims-sink").await;
        (
            status["connector"]["state"].as_str().unwrap().to_owned(),
            status["connector"]["trace"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (state, said) = trace().await;
    assert_eq!(state, "FAILED");
    assert!(said.contains("CREATE"), "{said}");
    allow(&world, "ALLOW", "CREATE", "TOPIC", "dlq-lcc").await;
    let (state, said) = trace().await;
    assert_eq!(state, "FAILED", "it could not write what it makes");
    assert!(said.contains("WRITE"), "{said}");
    allow(&world, "ALLOW", "WRITE", "TOPIC", "dlq-lcc").await;
    assert_eq!(world.state("claims-sink").await, "RUNNING");
    let topics = world.topics().await;
    assert!(topics.iter().any(|topic| topic.starts_with("dlq-lcc-")), "{topics:?}");
    // A denial beats what the roles of the template give.
    allow(&world, "DENY", "READ", "TOPIC", "claims-").await;
    let (state, said) = trace().await;
    assert_eq!(state, "FAILED");
    assert!(said.contains("claims-orders"), "{said}");
}

// Dossier `rbac.md` §1.3: a Basic cluster knows no granular roles, so that ACLs are all a connector can have.
#[tokio::test]
async fn on_a_basic_cluster_acls_are_all_there_is() {
    let world = World::new().await;
    let connectors = CONNECTORS.replace("prod1", "test1").replace("lkc-test1", "lkc-basic1");
    let body = json!({ "name": "claims-source", "config": world.datagen("claims-source") });
    world.harness.post(world.admin(), &connectors, body).await.expect(201);
    let state = async || {
        let path = format!("{connectors}/claims-source/status");
        let status = world.harness.get(world.admin(), &path).await.expect(200);
        status.text("/connector/state")
    };
    assert_eq!(state().await, "FAILED");
    let acls = "/kafka/v3/clusters/lkc-basic1/acls";
    for operation in ["CREATE", "WRITE"] {
        let acl = json!({
            "resource_type": "TOPIC", "resource_name": "claims-", "pattern_type": "PREFIXED",
            "principal": format!("User:{}", world.runtime), "host": "*", "operation": operation, "permission": "ALLOW",
        });
        world.harness.post(&world.kafka, acls, acl).await.expect(201);
    }
    assert_eq!(state().await, "RUNNING");
}
