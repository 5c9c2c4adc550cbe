//! Connectors, as far as an onboarding proves itself with them (dossier `rbac.md` §1.1).

use confluent_ebs::sandbox::{Assumptions, Listing, Settings};
use serde_json::{Value, json};

use crate::harness::{Harness, Login};

const CONNECTORS: &str = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";

/// A principal that holds one role on `connector=claims-*`, or on the cluster.
async fn holder(world: &Harness, role: &str, on_cluster: bool) -> Login {
    let account = world.account(&format!("{role}-{on_cluster}")).await;
    let cluster = world.cluster_crn();
    let pattern = if on_cluster {
        cluster
    } else {
        format!("{cluster}/connector=claims-*")
    };
    world.bind(&account, role, &pattern).await;
    world.make_key(&account, "cloud").await
}

fn connector(name: &str, runtime: &str) -> Value {
    json!({ "name": name, "config": {
        "connector.class": "DatagenSource", "name": name, "kafka.auth.mode": "SERVICE_ACCOUNT",
        "kafka.service.account.id": runtime, "tasks.max": "2", "kafka.topic": "claims-x",
    }, "offsets": null })
}

/// The rows of the table in docs `managed-connector-rbac`, and the probes that tell them apart: 400 or 404 for who may,
/// 403 for who may not.
#[tokio::test]
async fn the_table_of_who_may_do_what_with_connectors() {
    let world = Harness::new();
    for (role, on_cluster, [create, status, config, delete]) in [
        ("CloudClusterAdmin", true, [true, true, true, true]),
        ("ResourceOwner", false, [true, true, true, true]),
        ("ConnectManager", false, [false, true, true, false]),
        ("Operator", true, [false, true, false, false]),
        ("DeveloperWrite", false, [false, true, true, false]),
        ("DeveloperRead", false, [false, true, true, false]),
        ("MetricsViewer", true, [false, false, false, false]),
    ] {
        let login = holder(&world, role, on_cluster).await;
        let path = format!("{CONNECTORS}/claims-x");
        let expect = |allowed: bool, otherwise: u16| if allowed { otherwise } else { 403 };
        for (what, answer, expected) in [
            (
                "create",
                world
                    .post(&login, CONNECTORS, json!({ "name": "claims-x", "config": {} }))
                    .await,
                expect(create, 400),
            ),
            (
                "create without a name",
                world.post(&login, CONNECTORS, json!({})).await,
                expect(create, 400),
            ),
            (
                "status",
                world.get(&login, &format!("{path}/status")).await,
                expect(status, 404),
            ),
            ("config", world.get(&login, &path).await, expect(config, 404)),
            ("delete", world.delete(&login, &path).await, expect(delete, 404)),
            (
                "foreign status",
                world.get(&login, &format!("{CONNECTORS}/fraud-x/status")).await,
                expect(status && on_cluster, 404),
            ),
        ] {
            assert_eq!(answer.status.as_u16(), expected, "{role}: {what}: {:?}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_connector_lives_from_its_creation_to_its_deletion() {
    let world = Harness::new();
    let runtime = world.account("runtime").await;
    let owner = holder(&world, "ResourceOwner", false).await;
    // Without Assigner the runtime account cannot be attached (dossier `rbac.md` §2.4).
    world
        .post(&owner, CONNECTORS, connector("claims-x", &runtime))
        .await
        .expect(403);
    let id = world.sandbox.keys().unwrap();
    let Login::Key(key, _) = &owner else { unreachable!() };
    let own = id.iter().find(|found| found.id.as_str() == key).unwrap();
    let organization = world.seed.stages[0].address.organization_crn();
    world
        .bind(
            &own.spec.owner.id,
            "Assigner",
            &format!("{organization}/service-account={runtime}"),
        )
        .await;
    for role in ["DeveloperWrite", "DeveloperManage"] {
        let topics = format!("{}/kafka=lkc-prod1/topic=claims-*", world.cluster_crn());
        world.bind(&runtime, role, &topics).await;
    }
    let made = world
        .post(&owner, CONNECTORS, connector("claims-x", &runtime))
        .await
        .expect(201);
    assert_eq!(
        (made.text("/name"), made.text("/type")),
        ("claims-x".into(), "source".into())
    );
    world
        .post(&owner, CONNECTORS, connector("claims-x", &runtime))
        .await
        .expect(409);
    world
        .post(&owner, CONNECTORS, connector("fraud-x", &runtime))
        .await
        .expect(403);
    world
        .post(&world.admin, CONNECTORS, connector("fraud-x", &runtime))
        .await
        .expect(201);

    let names = world.get(&owner, CONNECTORS).await.expect(200);
    assert_eq!(names.json(), &json!(["claims-x"]));
    // The stock CLI expands twice.
    let all = world
        .get(
            &owner,
            &format!("{CONNECTORS}?expand=info%2Cstatus%2Cid&expand=id,status"),
        )
        .await
        .expect(200);
    let expanded = &all.json()["claims-x"];
    assert!(expanded["id"]["id"].as_str().unwrap().starts_with("lcc-"));
    assert_eq!(expanded["info"]["config"]["kafka.service.account.id"], json!(runtime));
    assert_eq!(expanded["status"]["tasks"].as_array().unwrap().len(), 2);
    let state = world
        .get(&owner, &format!("{CONNECTORS}/claims-x/status"))
        .await
        .expect(200);
    assert_eq!(state.text("/connector/state"), "RUNNING");
    let gone = world
        .delete(&owner, &format!("{CONNECTORS}/claims-x"))
        .await
        .expect(200);
    assert_eq!(gone.json(), &json!({ "error": null }));
    world
        .delete(&owner, &format!("{CONNECTORS}/claims-x"))
        .await
        .expect(404);
    world.delete(&owner, &format!("{CONNECTORS}/fraud-x")).await.expect(403);
}

#[tokio::test]
async fn configurations_are_checked_line_by_line() {
    let world = Harness::new();
    for (config, key) in [
        (json!(null), "config"),
        (json!({}), "connector.class"),
        (json!({ "connector.class": 7 }), "connector.class"),
        (json!({ "connector.class": "DatagenSource", "name": "other" }), "name"),
        (json!({ "connector.class": "DatagenSource" }), "kafka.api.key"),
        (
            json!({ "connector.class": "DatagenSource", "kafka.auth.mode": "SERVICE_ACCOUNT" }),
            "kafka.service.account.id",
        ),
        (
            json!({ "connector.class": "DatagenSource", "kafka.auth.mode": "NONE" }),
            "kafka.auth.mode",
        ),
    ] {
        let body = json!({ "name": "claims-x", "config": config });
        let (_, detail) = world.post(&world.admin, CONNECTORS, body).await.expect(400).error();
        assert!(detail.contains(&format!("\n{key}: ")), "{detail}");
    }
    let account = world.account("runtime").await;
    let Login::Key(key, secret) = world.make_key(&account, "lkc-prod1").await else {
        unreachable!()
    };
    let body = json!({ "name": "claims-x", "config": { "connector.class": "DatagenSource", "tasks.max": "1",
        "kafka.topic": "claims-x", "kafka.api.key": key, "kafka.api.secret": secret, "connection.password": "P" } });
    let made = world.post(&world.admin, CONNECTORS, body).await.expect(201);
    for key in ["kafka.api.secret", "connection.password"] {
        assert_eq!(made.json()["config"][key], "****************");
    }
}

#[tokio::test]
async fn who_sees_which_connectors_in_a_list_is_an_assumption() {
    for mode in [Listing::Filtered, Listing::Refused, Listing::Everything] {
        let world = Harness::with(Settings {
            assumptions: Assumptions {
                connector_list: mode,
                ..Assumptions::default()
            },
            ..Settings::instant()
        });
        let runtime = world.account("runtime").await;
        for name in ["claims-x", "fraud-x"] {
            world
                .post(&world.admin, CONNECTORS, connector(name, &runtime))
                .await
                .expect(201);
        }
        let reader = holder(&world, "DeveloperRead", false).await;
        let manager = holder(&world, "ConnectManager", true).await;
        let list = world.get(&reader, CONNECTORS).await;
        match mode {
            Listing::Filtered => assert_eq!(list.expect(200).json(), &json!(["claims-x"])),
            Listing::Refused => drop(list.expect(403)),
            Listing::Everything => assert_eq!(list.expect(200).json(), &json!(["claims-x", "fraud-x"])),
        }
        assert_eq!(
            world
                .get(&manager, CONNECTORS)
                .await
                .expect(200)
                .json()
                .as_array()
                .unwrap()
                .len(),
            2
        );
    }
    // Without a role in the cluster the list is refused in any mode.
    let world = Harness::new();
    let account = world.account("claims").await;
    let login = world.make_key(&account, "cloud").await;
    world.get(&login, CONNECTORS).await.expect(403);
    let elsewhere = CONNECTORS.replace("lkc-prod1", "lkc-test1");
    world.get(&world.admin, &elsewhere).await.expect(404);
}

#[tokio::test]
async fn attaching_a_foreign_identity_is_403_or_400() {
    for (forbidden, status) in [(true, 403), (false, 400)] {
        let world = Harness::with(Settings {
            assumptions: Assumptions {
                missing_assigner_is_forbidden: forbidden,
                ..Assumptions::default()
            },
            ..Settings::instant()
        });
        let runtime = world.account("runtime").await;
        let owner = holder(&world, "ResourceOwner", false).await;
        let answer = world.post(&owner, CONNECTORS, connector("claims-x", &runtime)).await;
        answer.expect(status);
    }
}
