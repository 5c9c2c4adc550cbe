//! Organization, environments, clusters, Schema Registries, roles and quotas.

use confluent_ebs::sandbox::{Sandbox, SandboxSettings, Seed};
use serde_json::{Value, json};

use crate::common::{Caller, JsonAccess as _, SandboxServer};

#[tokio::test]
async fn organization_and_environment_lists_depend_on_the_rights_of_the_key() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let login = api.create_key(&account, "cloud").await;
    // A key without roles: the Terraform provider tests new keys like this.
    let list = api.get(&login, "/org/v2/environments").await.expect_status(200);
    assert_eq!(list.items().len(), 0);
    assert_eq!(
        api.get(&login, "/org/v2/organizations")
            .await
            .expect_status(200)
            .items()
            .len(),
        1
    );
    api.get(&login, "/org/v2/environments/env-prod1")
        .await
        .expect_status(403);

    api.bind(
        &account,
        "DeveloperRead",
        &format!("{}/connector=claims-*", api.cluster_crn()),
    )
    .await;
    let list = api.get(&login, "/org/v2/environments").await.expect_status(200);
    assert_eq!(list.string_at("/data/0/id"), "env-prod1");
    assert_eq!(list.items().len(), 1);
    api.get(&login, "/org/v2/environments/env-prod1")
        .await
        .expect_status(200);
    api.get(&login, "/org/v2/environments/env-test1")
        .await
        .expect_status(403);
    api.get(&login, "/org/v2/environments/env-nope")
        .await
        .expect_status(403);
    api.get(&api.admin, "/org/v2/environments/env-nope")
        .await
        .expect_status(404);
    let organization = format!("/org/v2/organizations/{}", api.seed.organization);
    api.get(&login, &organization).await.expect_status(200);
    api.get(&api.admin, "/org/v2/organizations/other")
        .await
        .expect_status(403);
}

#[tokio::test]
async fn clusters_report_their_type_and_rbac_crn() {
    let api = SandboxServer::new();
    let kind = async |environment: &str, id: &str| {
        let target = format!("/cmk/v2/clusters/{id}?environment={environment}");
        api.get(&api.admin, &target)
            .await
            .expect_status(200)
            .string_at("/spec/config/kind")
    };
    assert_eq!(kind("env-prod1", "lkc-prod1").await, "Enterprise");
    assert_eq!(kind("env-test1", "lkc-test1").await, "Standard");
    assert_eq!(kind("env-test1", "lkc-dedicated1").await, "Dedicated");
    assert_eq!(kind("env-test1", "lkc-basic1").await, "Basic");
    let cluster = api
        .get(&api.admin, "/cmk/v2/clusters/lkc-prod1?environment=env-prod1")
        .await;
    assert_eq!(
        cluster.string_at("/metadata/resource_name"),
        format!("{}/kafka=lkc-prod1", api.cluster_crn())
    );
    assert_eq!(cluster.string_at("/spec/http_endpoint"), "http://127.0.0.1");
    let list = api.list_all(&api.admin, "/cmk/v2/clusters?environment=env-test1").await;
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
        api.get(&api.admin, target).await.expect_status(status);
    }
    // The provisioner can read the clusters of its stages and no others.
    let list = api
        .list_all(&api.provisioner, "/cmk/v2/clusters?environment=env-test1")
        .await;
    assert_eq!(list.len(), 1);
}

#[tokio::test]
async fn an_environment_without_schema_registry_is_supported() {
    let mut seed = Seed::default();
    seed.stages[0].address.schema_registry = None;
    let sandbox = Sandbox::in_memory(seed.clone(), SandboxSettings::instant()).unwrap();
    let api = SandboxServer::from_sandbox(sandbox, seed);
    let list = api.get(&api.admin, "/srcm/v3/clusters?environment=env-prod1").await;
    assert_eq!(list.expect_status(200).items().len(), 0);
    let environment = api.get(&api.admin, "/org/v2/environments/env-prod1").await;
    assert!(environment.json().get("stream_governance_config").is_none());
    assert!(api.sandbox.info(false).unwrap().schema_registry.is_none());
}

#[tokio::test]
async fn seeded_environments_and_clusters_cannot_be_changed() {
    let api = SandboxServer::new();
    let organization = format!("/org/v2/organizations/{}", api.seed.organization);
    for (method, target) in [
        ("PATCH", organization.as_str()),
        ("POST", "/org/v2/environments"),
        ("PATCH", "/org/v2/environments/env-prod1"),
        ("DELETE", "/org/v2/environments/env-prod1"),
        ("POST", "/cmk/v2/clusters"),
        ("PATCH", "/cmk/v2/clusters/lkc-prod1"),
        ("DELETE", "/cmk/v2/clusters/lkc-prod1"),
    ] {
        api.send(&api.admin, method, target, Some(json!({})))
            .await
            .expect_status(405);
        let status = api.send(&api.provisioner, method, target, Some(json!({}))).await.status;
        // It administers its cluster, which cannot be changed; it has no access to other objects.
        let expected = if target.ends_with("lkc-prod1") && method == "PATCH" {
            405
        } else {
            403
        };
        assert_eq!(status, expected, "{method} {target}");
    }
}

#[tokio::test]
async fn role_definitions_list_their_scopes() {
    let api = SandboxServer::new();
    let roles = api
        .get(&api.admin, "/api/metadata/security/v2alpha1/roles")
        .await
        .expect_status(200);
    let names: Vec<_> = roles
        .json()
        .items("")
        .iter()
        .map(|role| role["name"].as_str())
        .collect();
    assert!(names.contains(&Some("ConnectManager")));
    let none = api
        .get(&api.admin, "/api/metadata/security/v2alpha1/roles?namespace=usm")
        .await;
    assert_eq!(none.json(), &json!([]));
    let role = api
        .get(
            &api.admin,
            "/api/metadata/security/v2alpha1/roles/ConnectManager?namespace=dataplane,public",
        )
        .await
        .expect_status(200);
    let with_resource = role
        .json()
        .items("/policies")
        .iter()
        .any(|policy| policy["bindWithResource"] == Value::Bool(true));
    assert!(with_resource, "the answer to Q1 as the sandbox assumes it");
    api.get(&api.admin, "/api/metadata/security/v2alpha1/roles/Wizard")
        .await
        .expect_status(404);
}

/// A cluster outside of the stages, without keys.
const KAFKA_CLUSTER_SCOPE: &str = "kafka_cluster&environment=env-test1&kafka_cluster=lkc-dedicated1";

async fn quota_usage(api: &SandboxServer, scope: &str, code: &str) -> Option<i64> {
    let target = format!("/service-quota/v1/applied-quotas?scope={scope}&id={code}");
    let list = api.get(&api.admin, &target).await.expect_status(200);
    list.items()[0]["usage"].as_i64()
}

#[tokio::test]
async fn quota_usage_counts_and_is_absent_before_first_use() {
    let api = SandboxServer::new();
    assert_eq!(
        quota_usage(&api, "organization", "iam.max_service_accounts.per_org").await,
        Some(1)
    );
    assert_eq!(
        quota_usage(&api, KAFKA_CLUSTER_SCOPE, "kafka.max_api_keys.per_cluster").await,
        None
    );
    let account = api.create_account("claims").await;
    let key = api.create_key(&account, "lkc-dedicated1").await;
    assert_eq!(
        quota_usage(&api, "ORGANIZATION", "iam.max_service_accounts.per_org").await,
        Some(2)
    );
    assert_eq!(
        quota_usage(&api, KAFKA_CLUSTER_SCOPE, "kafka.max_api_keys.per_cluster").await,
        Some(1)
    );
    let Caller::ApiKey(id, _) = key else { unreachable!() };
    api.delete(&api.admin, &format!("/iam/v2/api-keys/{id}"))
        .await
        .expect_status(204);
    assert_eq!(
        quota_usage(&api, KAFKA_CLUSTER_SCOPE, "kafka.max_api_keys.per_cluster").await,
        Some(0),
        "it was in use once"
    );
    // A quota whose usage the service never reports.
    assert_eq!(
        quota_usage(&api, KAFKA_CLUSTER_SCOPE, "iam.max_rbac_role_bindings.per_cluster").await,
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
        api.get(&api.admin, target).await.expect_status(status);
    }
    assert_eq!(
        api.list_all(&api.admin, "/service-quota/v1/scopes?page_size=3")
            .await
            .len(),
        8
    );
}

#[tokio::test]
async fn a_full_quota_is_402_with_the_text_the_confluent_cli_matches() {
    let codes = [
        "iam.max_service_accounts.per_org",
        "iam.max_cloud_api_keys.per_org",
        "kafka.max_api_keys.per_cluster",
        "iam.max_rbac_role_bindings.per_cluster",
        "iam.max_cluster_api_keys.per_service_account",
        "iam.max_rbac_role_bindings_all_roles.per_org",
    ];
    for code in codes {
        let api = SandboxServer::new();
        let account = api.create_account("claims").await;
        let mut settings = SandboxSettings::instant();
        settings.quotas.insert(code.to_owned(), 0);
        api.sandbox.set_settings(settings).unwrap();
        let answer = match code {
            "iam.max_service_accounts.per_org" => {
                let body = json!({ "display_name": "x" });
                api.post(&api.admin, "/iam/v2/service-accounts", body).await
            }
            "iam.max_cloud_api_keys.per_org" => {
                let body = json!({ "spec": { "owner": { "id": account } } });
                api.post(&api.admin, "/iam/v2/api-keys", body).await
            }
            "kafka.max_api_keys.per_cluster" | "iam.max_cluster_api_keys.per_service_account" => {
                let body = json!({ "spec": { "owner": { "id": account }, "resource": { "id": "lkc-prod1" } } });
                api.post(&api.admin, "/iam/v2/api-keys", body).await
            }
            _ => {
                let body = json!({
                    "principal": format!("User:{account}"), "role_name": "DeveloperRead",
                    "crn_pattern": format!("{}/connector=claims-*", api.cluster_crn()),
                });
                api.post(&api.admin, "/iam/v2/role-bindings", body).await
            }
        };
        let (first_error, detail) = answer.expect_status(402).first_error();
        assert_eq!(first_error, "quota_exceeded");
        assert!(detail.contains(" is currently limited to 0"), "{detail}");
    }
}
