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
