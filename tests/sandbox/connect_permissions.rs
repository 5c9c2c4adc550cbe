//! Connectors, as far as the probes of an onboarding use them (docs/reference/rbac.md#connector-roles).

use confluent_ebs::sandbox::{ListVisibility, SandboxAssumptions, SandboxSettings};
use serde_json::{Value, json};

use crate::common::{Caller, JsonAccess as _, SandboxServer};

const CONNECTORS_PATH: &str = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";

/// A principal that holds one role on `connector=claims-*`, or on the cluster.
async fn create_key_with_role(api: &SandboxServer, role: &str, on_cluster: bool) -> Caller {
    let account = api.create_account(&format!("{role}-{on_cluster}")).await;
    let cluster = api.cluster_crn();
    let pattern = if on_cluster {
        cluster
    } else {
        format!("{cluster}/connector=claims-*")
    };
    api.bind(&account, role, &pattern).await;
    api.create_key(&account, "cloud").await
}

fn connector_body(name: &str, runtime: &str) -> Value {
    json!({ "name": name, "config": {
        "connector.class": "DatagenSource", "name": name, "kafka.auth.mode": "SERVICE_ACCOUNT",
        "kafka.service.account.id": runtime, "tasks.max": "2", "kafka.topic": "claims-x",
    }, "offsets": null })
}

/// The rows of the table in docs `managed-connector-rbac`, and the probes that distinguish them: 400 or 404 if allowed,
/// 403 if not.
#[tokio::test]
async fn roles_allow_the_documented_connector_operations() {
    let api = SandboxServer::new();
    for (role, on_cluster, [create, status, config, delete]) in [
        ("CloudClusterAdmin", true, [true, true, true, true]),
        ("ResourceOwner", false, [true, true, true, true]),
        ("ConnectManager", false, [false, true, true, false]),
        ("Operator", true, [false, true, false, false]),
        ("DeveloperWrite", false, [false, true, true, false]),
        ("DeveloperRead", false, [false, true, true, false]),
        ("MetricsViewer", true, [false, false, false, false]),
    ] {
        let login = create_key_with_role(&api, role, on_cluster).await;
        let path = format!("{CONNECTORS_PATH}/claims-x");
        let expect = |allowed: bool, otherwise: u16| if allowed { otherwise } else { 403 };
        for (what, answer, expected) in [
            (
                "create",
                api.post(&login, CONNECTORS_PATH, json!({ "name": "claims-x", "config": {} }))
                    .await,
                expect(create, 400),
            ),
            (
                "create without a name",
                api.post(&login, CONNECTORS_PATH, json!({})).await,
                expect(create, 400),
            ),
            (
                "status",
                api.get(&login, &format!("{path}/status")).await,
                expect(status, 404),
            ),
            ("config", api.get(&login, &path).await, expect(config, 404)),
            ("delete", api.delete(&login, &path).await, expect(delete, 404)),
            (
                "foreign status",
                api.get(&login, &format!("{CONNECTORS_PATH}/fraud-x/status")).await,
                expect(status && on_cluster, 404),
            ),
        ] {
            assert_eq!(answer.status.as_u16(), expected, "{role}: {what}: {:?}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_connector_is_created_updated_and_deleted() {
    let api = SandboxServer::new();
    let runtime = api.create_account("runtime").await;
    let owner = create_key_with_role(&api, "ResourceOwner", false).await;
    // Without Assigner the runtime account cannot be attached (docs/reference/rbac.md#roles-on-a-service-account).
    api.post(&owner, CONNECTORS_PATH, connector_body("claims-x", &runtime))
        .await
        .expect_status(403);
    let id = api.sandbox.keys().unwrap();
    let Caller::ApiKey(key, _) = &owner else { unreachable!() };
    let own = id.iter().find(|found| found.id.as_str() == key).unwrap();
    let organization = api.seed.stages[0].address.organization_crn();
    api.bind(
        &own.spec.owner.id,
        "Assigner",
        &format!("{organization}/service-account={runtime}"),
    )
    .await;
    for role in ["DeveloperWrite", "DeveloperManage"] {
        let topics = format!("{}/kafka=lkc-prod1/topic=claims-*", api.cluster_crn());
        api.bind(&runtime, role, &topics).await;
    }
    let made = api
        .post(&owner, CONNECTORS_PATH, connector_body("claims-x", &runtime))
        .await
        .expect_status(201);
    assert_eq!(
        (made.string_at("/name"), made.string_at("/type")),
        ("claims-x".into(), "source".into())
    );
    api.post(&owner, CONNECTORS_PATH, connector_body("claims-x", &runtime))
        .await
        .expect_status(409);
    api.post(&owner, CONNECTORS_PATH, connector_body("fraud-x", &runtime))
        .await
        .expect_status(403);
    api.post(&api.admin, CONNECTORS_PATH, connector_body("fraud-x", &runtime))
        .await
        .expect_status(201);

    let names = api.get(&owner, CONNECTORS_PATH).await.expect_status(200);
    assert_eq!(names.json(), &json!(["claims-x"]));
    // The Confluent CLI expands twice.
    let all = api
        .get(
            &owner,
            &format!("{CONNECTORS_PATH}?expand=info%2Cstatus%2Cid&expand=id,status"),
        )
        .await
        .expect_status(200);
    let expanded = &all.json()["claims-x"];
    assert!(expanded.text("/id/id").starts_with("lcc-"));
    assert_eq!(expanded["info"]["config"]["kafka.service.account.id"], json!(runtime));
    assert_eq!(expanded.items("/status/tasks").len(), 2);
    let state = api
        .get(&owner, &format!("{CONNECTORS_PATH}/claims-x/status"))
        .await
        .expect_status(200);
    assert_eq!(state.string_at("/connector/state"), "RUNNING");
    let gone = api
        .delete(&owner, &format!("{CONNECTORS_PATH}/claims-x"))
        .await
        .expect_status(200);
    assert_eq!(gone.json(), &json!({ "error": null }));
    api.delete(&owner, &format!("{CONNECTORS_PATH}/claims-x"))
        .await
        .expect_status(404);
    api.delete(&owner, &format!("{CONNECTORS_PATH}/fraud-x"))
        .await
        .expect_status(403);
}

#[tokio::test]
async fn invalid_connector_configurations_name_the_key() {
    let api = SandboxServer::new();
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
        let (_, detail) = api
            .post(&api.admin, CONNECTORS_PATH, body)
            .await
            .expect_status(400)
            .first_error();
        assert!(detail.contains(&format!("\n{key}: ")), "{detail}");
    }
    let account = api.create_account("runtime").await;
    let Caller::ApiKey(key, secret) = api.create_key(&account, "lkc-prod1").await else {
        unreachable!()
    };
    let body = json!({ "name": "claims-x", "config": { "connector.class": "DatagenSource", "tasks.max": "1",
        "kafka.topic": "claims-x", "kafka.api.key": key, "kafka.api.secret": secret, "connection.password": "P" } });
    let made = api.post(&api.admin, CONNECTORS_PATH, body).await.expect_status(201);
    for key in ["kafka.api.secret", "connection.password"] {
        assert_eq!(made.json()["config"][key], "****************");
    }
}

#[tokio::test]
async fn connector_lists_depend_on_the_visibility_assumption() {
    for mode in [
        ListVisibility::Filtered,
        ListVisibility::Refused,
        ListVisibility::Everything,
    ] {
        let api = SandboxServer::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                connector_list: mode,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let runtime = api.create_account("runtime").await;
        for name in ["claims-x", "fraud-x"] {
            api.post(&api.admin, CONNECTORS_PATH, connector_body(name, &runtime))
                .await
                .expect_status(201);
        }
        let reader = create_key_with_role(&api, "DeveloperRead", false).await;
        let manager = create_key_with_role(&api, "ConnectManager", true).await;
        let list = api.get(&reader, CONNECTORS_PATH).await;
        match mode {
            ListVisibility::Filtered => assert_eq!(list.expect_status(200).json(), &json!(["claims-x"])),
            ListVisibility::Refused => drop(list.expect_status(403)),
            ListVisibility::Everything => assert_eq!(list.expect_status(200).json(), &json!(["claims-x", "fraud-x"])),
        }
        assert_eq!(
            api.get(&manager, CONNECTORS_PATH)
                .await
                .expect_status(200)
                .json()
                .items("")
                .len(),
            2
        );
    }
    // Without a role in the cluster the list is refused with every setting.
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let login = api.create_key(&account, "cloud").await;
    api.get(&login, CONNECTORS_PATH).await.expect_status(403);
    let elsewhere = CONNECTORS_PATH.replace("lkc-prod1", "lkc-test1");
    api.get(&api.admin, &elsewhere).await.expect_status(404);
}

#[tokio::test]
async fn attaching_an_account_without_assigner_is_403_or_400() {
    for (forbidden, status) in [(true, 403), (false, 400)] {
        let api = SandboxServer::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                missing_assigner_is_forbidden: forbidden,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let runtime = api.create_account("runtime").await;
        let owner = create_key_with_role(&api, "ResourceOwner", false).await;
        let answer = api
            .post(&owner, CONNECTORS_PATH, connector_body("claims-x", &runtime))
            .await;
        answer.expect_status(status);
    }
}
