//! Organization, environments, clusters, Schema Registries, roles and quotas.

use confluent_ebs::sandbox::{Sandbox, Seed, Settings};
use serde_json::{Value, json};

use crate::harness::{Harness, Login};

#[tokio::test]
async fn organization_and_environments_answer_every_key_cut_to_what_it_may_see() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let login = world.make_key(&account, "cloud").await;
    // A key without any role: Terraform's provider tries new keys exactly so.
    let list = world.get(&login, "/org/v2/environments").await.expect(200);
    assert_eq!(list.data().len(), 0);
    assert_eq!(
        world
            .get(&login, "/org/v2/organizations")
            .await
            .expect(200)
            .data()
            .len(),
        1
    );
    world.get(&login, "/org/v2/environments/env-prod1").await.expect(403);

    world
        .bind(
            &account,
            "DeveloperRead",
            &format!("{}/connector=claims-*", world.cluster_crn()),
        )
        .await;
    let list = world.get(&login, "/org/v2/environments").await.expect(200);
    assert_eq!(list.text("/data/0/id"), "env-prod1");
    assert_eq!(list.data().len(), 1);
    world.get(&login, "/org/v2/environments/env-prod1").await.expect(200);
    world.get(&login, "/org/v2/environments/env-test1").await.expect(403);
    world.get(&login, "/org/v2/environments/env-nope").await.expect(403);
    world
        .get(&world.admin, "/org/v2/environments/env-nope")
        .await
        .expect(404);
    let organization = format!("/org/v2/organizations/{}", world.seed.organization);
    world.get(&login, &organization).await.expect(200);
    world.get(&world.admin, "/org/v2/organizations/other").await.expect(403);
}

#[tokio::test]
async fn clusters_say_their_type_and_terraform_can_make_its_rbac_crn() {
    let world = Harness::new();
    let kind = async |environment: &str, id: &str| {
        let target = format!("/cmk/v2/clusters/{id}?environment={environment}");
        world
            .get(&world.admin, &target)
            .await
            .expect(200)
            .text("/spec/config/kind")
    };
    assert_eq!(kind("env-prod1", "lkc-prod1").await, "Enterprise");
    assert_eq!(kind("env-test1", "lkc-test1").await, "Standard");
    assert_eq!(kind("env-test1", "lkc-dedicated1").await, "Dedicated");
    assert_eq!(kind("env-test1", "lkc-basic1").await, "Basic");
    let cluster = world
        .get(&world.admin, "/cmk/v2/clusters/lkc-prod1?environment=env-prod1")
        .await;
    assert_eq!(
        cluster.text("/metadata/resource_name"),
        format!("{}/kafka=lkc-prod1", world.cluster_crn())
    );
    assert_eq!(cluster.text("/spec/http_endpoint"), "http://127.0.0.1");
    let list = world.all(&world.admin, "/cmk/v2/clusters?environment=env-test1").await;
    assert_eq!(list.len(), 3);
    for (target, status) in [
        ("/cmk/v2/clusters", 400),
        ("/cmk/v2/clusters/lkc-prod1", 400),
        ("/cmk/v2/clusters/lkc-prod1?environment=", 400),
        ("/cmk/v2/clusters/lkc-prod1?environment=env-test1", 404),
        ("/cmk/v2/clusters/lkc-nope?environment=env-prod1", 404),
        ("/cmk/v2/clusters/nonsense?environment=env-prod1", 400),
        ("/srcm/v3/clusters?environment=env-prod1", 200),
        ("/srcm/v3/clusters/lsrc-prod1?environment=env-prod1", 200),
        ("/srcm/v3/clusters/lsrc-prod1?environment=env-test1", 404),
        ("/srcm/v3/clusters", 400),
    ] {
        world.get(&world.admin, target).await.expect(status);
    }
    // The provisioner sees the clusters of its stages and no others.
    let list = world
        .all(&world.provisioner, "/cmk/v2/clusters?environment=env-test1")
        .await;
    assert_eq!(list.len(), 1);
}

#[tokio::test]
async fn an_environment_can_be_without_a_schema_registry() {
    let mut seed = Seed::default();
    seed.stages[0].address.schema_registry = None;
    let sandbox = Sandbox::in_memory(seed.clone(), Settings::instant()).unwrap();
    let world = Harness::around(sandbox, seed);
    let list = world.get(&world.admin, "/srcm/v3/clusters?environment=env-prod1").await;
    assert_eq!(list.expect(200).data().len(), 0);
    let environment = world.get(&world.admin, "/org/v2/environments/env-prod1").await;
    assert!(environment.json().get("stream_governance_config").is_none());
    assert!(world.sandbox.info(false).unwrap().schema_registry.is_none());
}

#[tokio::test]
async fn what_is_seeded_cannot_be_changed() {
    let world = Harness::new();
    let organization = format!("/org/v2/organizations/{}", world.seed.organization);
    for (method, target) in [
        ("PATCH", organization.as_str()),
        ("POST", "/org/v2/environments"),
        ("PATCH", "/org/v2/environments/env-prod1"),
        ("DELETE", "/org/v2/environments/env-prod1"),
        ("POST", "/cmk/v2/clusters"),
        ("PATCH", "/cmk/v2/clusters/lkc-prod1"),
        ("DELETE", "/cmk/v2/clusters/lkc-prod1"),
    ] {
        world
            .send(&world.admin, method, target, Some(json!({})))
            .await
            .expect(405);
        let status = world
            .send(&world.provisioner, method, target, Some(json!({})))
            .await
            .status;
        // It administers its cluster, so it learns that the cluster is fixed; nothing else is its business.
        let expected = if target.ends_with("lkc-prod1") && method == "PATCH" {
            405
        } else {
            403
        };
        assert_eq!(status, expected, "{method} {target}");
    }
}

#[tokio::test]
async fn roles_say_where_they_can_be_bound() {
    let world = Harness::new();
    let roles = world
        .get(&world.admin, "/api/metadata/security/v2alpha1/roles")
        .await
        .expect(200);
    let names: Vec<_> = roles
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].as_str())
        .collect();
    assert!(names.contains(&Some("ConnectManager")));
    let none = world
        .get(&world.admin, "/api/metadata/security/v2alpha1/roles?namespace=usm")
        .await;
    assert_eq!(none.json(), &json!([]));
    let role = world
        .get(
            &world.admin,
            "/api/metadata/security/v2alpha1/roles/ConnectManager?namespace=dataplane,public",
        )
        .await
        .expect(200);
    let with_resource = role.json()["policies"]
        .as_array()
        .unwrap()
        .iter()
        .any(|policy| policy["bindWithResource"] == Value::Bool(true));
    assert!(with_resource, "the answer to Q1 as the sandbox assumes it");
    world
        .get(&world.admin, "/api/metadata/security/v2alpha1/roles/Wizard")
        .await
        .expect(404);
}

/// A cluster of no stage, of which nobody holds a key yet.
const KAFKA: &str = "kafka_cluster&environment=env-test1&kafka_cluster=lkc-dedicated1";

async fn usage(world: &Harness, scope: &str, code: &str) -> Option<i64> {
    let target = format!("/service-quota/v1/applied-quotas?scope={scope}&id={code}");
    let list = world.get(&world.admin, &target).await.expect(200);
    list.data()[0]["usage"].as_i64()
}

#[tokio::test]
async fn quotas_count_and_say_nothing_before_the_first_use() {
    let world = Harness::new();
    assert_eq!(
        usage(&world, "organization", "iam.max_service_accounts.per_org").await,
        Some(1)
    );
    assert_eq!(usage(&world, KAFKA, "kafka.max_api_keys.per_cluster").await, None);
    let account = world.account("claims").await;
    let key = world.make_key(&account, "lkc-dedicated1").await;
    assert_eq!(
        usage(&world, "ORGANIZATION", "iam.max_service_accounts.per_org").await,
        Some(2)
    );
    assert_eq!(usage(&world, KAFKA, "kafka.max_api_keys.per_cluster").await, Some(1));
    let Login::Key(id, _) = key else { unreachable!() };
    world
        .delete(&world.admin, &format!("/iam/v2/api-keys/{id}"))
        .await
        .expect(204);
    assert_eq!(
        usage(&world, KAFKA, "kafka.max_api_keys.per_cluster").await,
        Some(0),
        "it was in use once"
    );
    // A quota whose usage the service never reports.
    assert_eq!(
        usage(&world, KAFKA, "iam.max_rbac_role_bindings.per_cluster").await,
        None
    );
    for (target, status) in [
        ("/service-quota/v1/applied-quotas", 400),
        ("/service-quota/v1/applied-quotas?scope=nonsense", 400),
        (
            "/service-quota/v1/applied-quotas?scope=environment&environment=env-prod1",
            200,
        ),
        ("/service-quota/v1/applied-quotas?scope=service_account", 200),
        ("/service-quota/v1/applied-quotas?scope=user_account", 200),
        ("/service-quota/v1/applied-quotas?scope=network", 200),
        ("/service-quota/v1/applied-quotas/iam.max_service_accounts.per_org", 200),
        ("/service-quota/v1/applied-quotas/nonsense", 404),
        ("/service-quota/v1/scopes", 200),
        ("/service-quota/v1/scopes/ORGANIZATION", 200),
        ("/service-quota/v1/scopes/NONSENSE", 404),
    ] {
        world.get(&world.admin, target).await.expect(status);
    }
    assert_eq!(
        world
            .all(&world.admin, "/service-quota/v1/scopes?page_size=3")
            .await
            .len(),
        8
    );
}

#[tokio::test]
async fn a_full_quota_is_402_in_the_words_that_the_stock_cli_looks_for() {
    let codes = [
        "iam.max_service_accounts.per_org",
        "iam.max_cloud_api_keys.per_org",
        "kafka.max_api_keys.per_cluster",
        "iam.max_rbac_role_bindings.per_cluster",
        "iam.max_cluster_api_keys.per_service_account",
        "iam.max_rbac_role_bindings_all_roles.per_org",
    ];
    for code in codes {
        let world = Harness::new();
        let account = world.account("claims").await;
        let mut settings = Settings::instant();
        settings.quotas.insert(code.to_owned(), 0);
        world.sandbox.set_settings(settings).unwrap();
        let answer = match code {
            "iam.max_service_accounts.per_org" => {
                let body = json!({ "display_name": "x" });
                world.post(&world.admin, "/iam/v2/service-accounts", body).await
            }
            "iam.max_cloud_api_keys.per_org" => {
                let body = json!({ "spec": { "owner": { "id": account } } });
                world.post(&world.admin, "/iam/v2/api-keys", body).await
            }
            "kafka.max_api_keys.per_cluster" | "iam.max_cluster_api_keys.per_service_account" => {
                let body = json!({ "spec": { "owner": { "id": account }, "resource": { "id": "lkc-prod1" } } });
                world.post(&world.admin, "/iam/v2/api-keys", body).await
            }
            _ => {
                let body = json!({
                    "principal": format!("User:{account}"), "role_name": "DeveloperRead",
                    "crn_pattern": format!("{}/connector=claims-*", world.cluster_crn()),
                });
                world.post(&world.admin, "/iam/v2/role-bindings", body).await
            }
        };
        let (error, detail) = answer.expect(402).error();
        assert_eq!(error, "quota_exceeded");
        assert!(detail.contains(" is currently limited to 0"), "{detail}");
    }
}
