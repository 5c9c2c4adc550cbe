//! API keys: who may create them for whom, what they reveal, what cannot be changed
//! (docs/reference/rbac.md#who-may-create-api-keys).

use confluent_ebs::sandbox::{SandboxAssumptions, SandboxSettings};
use serde_json::{Value, json};

use crate::common::{Caller, SEEDED_KEY_COUNT, SandboxServer};

const KEYS_PATH: &str = "/iam/v2/api-keys";

fn key_body(owner: &str, resource: &str) -> Value {
    json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource } } })
}

/// The newest table of docs `manage-api-keys`, for a service account of another creator.
#[tokio::test]
async fn roles_allow_the_documented_key_creation() {
    const RESOURCES: [&str; 3] = ["cloud", "lkc-prod1", "lsrc-prod1"];
    let api = SandboxServer::new();
    let address = &api.seed.stages[0].address;
    let (organization, environment, cluster) = (
        address.organization_crn().to_string(),
        address.environment_crn().to_string(),
        address.cluster_crn().to_string(),
    );
    let victim = api
        .post(
            &api.admin,
            "/iam/v2/service-accounts",
            json!({ "display_name": "victim" }),
        )
        .await
        .string_at("/id");
    let on_victim = format!("{organization}/service-account={victim}");
    for (role, pattern, allowed) in [
        ("OrganizationAdmin", &organization, [true, true, true]),
        ("ResourceOwner", &on_victim, [true, true, true]),
        ("EnvironmentAdmin", &environment, [false, true, true]),
        ("CloudClusterAdmin", &cluster, [false, true, false]),
        ("ResourceKeyAdmin", &organization, [false, true, true]),
        ("AccountAdmin", &organization, [false, false, false]),
        ("Assigner", &on_victim, [false, false, false]),
        ("Operator", &cluster, [false, false, false]),
    ] {
        let maker = api.create_account(role).await;
        api.bind(&maker, role, pattern).await;
        let login = api.create_key(&maker, "cloud").await;
        for (resource, allowed) in RESOURCES.into_iter().zip(allowed) {
            let answer = api.post(&login, KEYS_PATH, key_body(&victim, resource)).await;
            let status = if allowed { 202 } else { 403 };
            assert_eq!(
                answer.status.as_u16(),
                status,
                "{role} for {resource}: {:?}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn own_keys_are_readable_and_manageable_when_assumed() {
    for manageable in [true, false] {
        for readable in [true, false] {
            let api = SandboxServer::with_settings(SandboxSettings {
                assumptions: SandboxAssumptions {
                    own_keys_manageable: manageable,
                    own_key_readable: readable,
                    ..SandboxAssumptions::default()
                },
                ..SandboxSettings::instant()
            });
            let (own, other) = (api.create_account("claims").await, api.create_account("fraud").await);
            let login = api.create_key(&own, "cloud").await;
            api.bind(
                &own,
                "DeveloperRead",
                &format!("{}/connector=claims-*", api.cluster_crn()),
            )
            .await;
            let Caller::ApiKey(id, _) = &login else { unreachable!() };
            let read = api.get(&login, &format!("{KEYS_PATH}/{id}")).await;
            read.expect_status(if manageable || readable { 200 } else { 403 });
            let minted = api.post(&login, KEYS_PATH, key_body(&own, "cloud")).await;
            minted.expect_status(if manageable { 202 } else { 403 });
            api.post(&login, KEYS_PATH, key_body(&other, "cloud"))
                .await
                .expect_status(403);
            let list = api.get(&login, KEYS_PATH).await.expect_status(200);
            let expected = usize::from(manageable || readable) + usize::from(manageable);
            assert_eq!(list.items().len(), expected);
        }
    }
}

#[tokio::test]
async fn the_secret_of_a_key_is_returned_only_at_creation() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let made = api
        .post(&api.provisioner, KEYS_PATH, key_body(&account, "cloud"))
        .await
        .expect_status(202);
    let (id, secret) = (made.string_at("/id"), made.string_at("/spec/secret"));
    assert!(id.len() == 16 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    assert!(secret.len() == 64 && secret.starts_with("cflt"));
    let id_path = format!("{KEYS_PATH}/{id}");
    for answer in [
        api.get(&api.provisioner, &id_path).await,
        api.get(&api.provisioner, KEYS_PATH).await,
        api.send(&api.provisioner, "PATCH", &id_path, Some(json!({ "spec": {} })))
            .await,
    ] {
        assert!(!answer.expect_status(200).json().to_string().contains("secret"));
    }
    assert!(api.sandbox.secret_matches(&id.parse().unwrap(), &secret).unwrap());
}

/// Bodies of both official clients (`traces/`): the Confluent CLI names the cloud, the Terraform provider names no
/// resource at all.
#[tokio::test]
async fn key_requests_of_the_confluent_cli_and_terraform_create_cloud_keys() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let owner = json!({ "id": account, "kind": "ServiceAccount", "related": "", "resource_name": "" });
    for spec in [
        json!({ "owner": owner, "display_name": "k", "description": "d" }),
        json!({ "owner": owner, "resource": null }),
        json!({ "owner": owner, "resource": { "id": "cloud", "related": "", "resource_name": "" } }),
    ] {
        let made = api
            .post(&api.provisioner, KEYS_PATH, json!({ "spec": spec }))
            .await
            .expect_status(202);
        assert_eq!(made.string_at("/spec/resource/id"), "cloud");
        assert_eq!(made.string_at("/spec/owner/kind"), "ServiceAccount");
    }
}

#[tokio::test]
async fn invalid_key_requests_are_400_and_immutable_fields_422() {
    let api = SandboxServer::new();
    let (account, other) = (api.create_account("claims").await, api.create_account("other").await);
    let post = async |body| api.post(&api.provisioner, KEYS_PATH, body).await;
    post(json!({ "spec": {} })).await.expect_status(400);
    post(json!({})).await.expect_status(400);
    post(key_body("pool-abc1", "cloud")).await.expect_status(400);
    post(key_body(&account, "global")).await.expect_status(400);
    post(key_body(&account, "lkc-nope1")).await.expect_status(400);
    api.post(&api.admin, KEYS_PATH, key_body("sa-nope99", "cloud"))
        .await
        .expect_status(400);
    post(key_body("sa-nope99", "cloud")).await.expect_status(403);
    post(key_body(api.seed.admin().as_str(), "cloud"))
        .await
        .expect_status(403);
    post(key_body(api.seed.admin().as_str(), "nonsense"))
        .await
        .expect_status(403);

    let made = post(key_body(&account, "lkc-prod1")).await.expect_status(202);
    assert_eq!(made.string_at("/spec/resource/environment"), "env-prod1");
    let path = format!("{KEYS_PATH}/{}", made.string_at("/id"));
    let patch = async |spec: Value| {
        let body = json!({ "spec": spec });
        api.send(&api.provisioner, "PATCH", &path, Some(body)).await
    };
    patch(json!({ "owner": { "id": other } })).await.expect_status(422);
    patch(json!({ "resource": { "id": "cloud" } })).await.expect_status(422);
    patch(json!({ "secret": "x" })).await.expect_status(422);
    let same = json!({ "owner": { "id": account }, "resource": { "id": "lkc-prod1" }, "description": "state=live" });
    assert_eq!(
        patch(same).await.expect_status(200).string_at("/spec/description"),
        "state=live"
    );
}

#[tokio::test]
async fn key_lists_filter_by_owner_and_resource_and_by_rights() {
    let api = SandboxServer::new();
    let (claims, fraud) = (api.create_account("claims").await, api.create_account("fraud").await);
    for (owner, resource) in [(&claims, "cloud"), (&claims, "lkc-prod1"), (&fraud, "cloud")] {
        api.post(&api.provisioner, KEYS_PATH, key_body(owner, resource))
            .await
            .expect_status(202);
    }
    let count = async |login: &Caller, query: &str| api.list_all(login, &format!("{KEYS_PATH}?{query}")).await.len();
    assert_eq!(count(&api.admin, "").await, 3 + SEEDED_KEY_COUNT);
    assert_eq!(
        count(&api.provisioner, "").await,
        2 + SEEDED_KEY_COUNT,
        "not the administrator's"
    );
    assert_eq!(
        count(&api.provisioner, &format!("spec.owner={claims}&spec.resource=")).await,
        2
    );
    assert_eq!(
        count(&api.provisioner, &format!("spec.owner={claims}&spec.resource=cloud")).await,
        1
    );
    assert_eq!(count(&api.provisioner, "spec.owner=sa-nope99").await, 0);
    let login = api.create_key(&claims, "cloud").await;
    assert_eq!(count(&login, "").await, 3);
    assert_eq!(count(&login, &format!("spec.owner={fraud}")).await, 0);
}
