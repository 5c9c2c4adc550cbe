//! Service accounts and users: who may create, read, update and delete them.

use confluent_ebs::sandbox::{SandboxAssumptions, SandboxSettings};
use serde_json::json;

use crate::common::{Caller, SEEDED_KEY_COUNT, SandboxServer};

const ACCOUNTS_PATH: &str = "/iam/v2/service-accounts";

/// An account with a Cloud API key and one role.
async fn create_account_with_role(api: &SandboxServer, name: &str, role: &str, pattern: &str) -> (String, Caller) {
    let id = api.create_account(name).await;
    api.bind(&id, role, pattern).await;
    let login = api.create_key(&id, "cloud").await;
    (id, login)
}

#[tokio::test]
async fn account_ids_depend_on_names_and_not_on_creation_order() {
    let (one, two) = (SandboxServer::new(), SandboxServer::new());
    let first = (one.create_account("claims").await, one.create_account("fraud").await);
    let second = (two.create_account("fraud").await, two.create_account("claims").await);
    assert_eq!(first, (second.1, second.0));
    // A name that is used again gets another id.
    one.delete(&one.admin, &format!("{ACCOUNTS_PATH}/{}", first.0))
        .await
        .expect_status(204);
    assert_ne!(one.create_account("claims").await, first.0);
}

#[tokio::test]
async fn an_account_created_without_an_owner_cannot_be_managed_by_its_creator() {
    let api = SandboxServer::new();
    // Docs `create-service-accounts`: "users without self-assigned ownership cannot manage".
    let body = json!({ "display_name": "orphan" });
    let made = api.post(&api.provisioner, ACCOUNTS_PATH, body).await.expect_status(201);
    let path = format!("{ACCOUNTS_PATH}/{}", made.string_at("/id"));
    api.get(&api.provisioner, &path).await.expect_status(200);
    let change = json!({ "description": "x" });
    api.send(&api.provisioner, "PATCH", &path, Some(change.clone()))
        .await
        .expect_status(403);
    api.delete(&api.provisioner, &path).await.expect_status(403);
    let key = json!({ "spec": { "owner": { "id": made.string_at("/id") }, "resource": { "id": "cloud" } } });
    api.post(&api.provisioner, "/iam/v2/api-keys", key)
        .await
        .expect_status(403);
    api.send(&api.admin, "PATCH", &path, Some(change))
        .await
        .expect_status(200);
    api.delete(&api.admin, &path).await.expect_status(204);
}

#[tokio::test]
async fn an_account_belongs_to_its_assigned_owner_when_assumed() {
    for honoured in [true, false] {
        let api = SandboxServer::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                owner_at_creation: honoured,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let id = api.create_account("claims").await;
        let key = json!({ "spec": { "owner": { "id": id }, "resource": { "id": "cloud" } } });
        let answer = api.post(&api.provisioner, "/iam/v2/api-keys", key).await;
        answer.expect_status(if honoured { 202 } else { 403 });
    }
}

#[tokio::test]
async fn a_resource_owner_can_create_accounts_and_a_reader_cannot() {
    let api = SandboxServer::new();
    let connectors = format!("{}/connector=claims-*", api.cluster_crn());
    let (deployer, owner) = create_account_with_role(&api, "deployer", "ResourceOwner", &connectors).await;
    let (_, operator) = create_account_with_role(&api, "operator", "ConnectManager", &connectors).await;
    // Threat T4: an owner of one prefix creates an account and owns it.
    let target = format!("{ACCOUNTS_PATH}?assigned_resource_owner={deployer}");
    let owned = api
        .post(&owner, &target, json!({ "display_name": "owned" }))
        .await
        .expect_status(201);
    let key = json!({ "spec": { "owner": { "id": owned.string_at("/id") } } });
    api.post(&owner, "/iam/v2/api-keys", key).await.expect_status(202);
    api.post(&operator, ACCOUNTS_PATH, json!({ "display_name": "x" }))
        .await
        .expect_status(403);
    // Authorization is checked before the body, so that a probe with an invalid body reveals the access.
    api.post(&operator, ACCOUNTS_PATH, json!({})).await.expect_status(403);
    api.post(&owner, ACCOUNTS_PATH, json!({})).await.expect_status(400);
}

#[tokio::test]
async fn account_fields_are_validated_and_names_are_unique() {
    let api = SandboxServer::new();
    let post = async |body| api.post(&api.admin, ACCOUNTS_PATH, body).await;
    post(json!({ "display_name": "" })).await.expect_status(400);
    post(json!("text")).await.expect_status(400);
    post(json!({ "display_name": 7 })).await.expect_status(400);
    post(json!({ "display_name": "n".repeat(65) })).await.expect_status(422);
    post(json!({ "display_name": "n", "description": "d".repeat(129) }))
        .await
        .expect_status(422);
    let made = post(json!({ "display_name": "n".repeat(64), "description": "d".repeat(128) }))
        .await
        .expect_status(201);
    let (code, detail) = post(json!({ "display_name": "n".repeat(64) }))
        .await
        .expect_status(409)
        .first_error();
    assert_eq!(code, "resource_already_exists");
    assert!(detail.contains("already in use"));
    let target = format!("{ACCOUNTS_PATH}?assigned_resource_owner=sa-nobody");
    api.post(&api.admin, &target, json!({ "display_name": "x" }))
        .await
        .expect_status(400);
    let path = format!("{ACCOUNTS_PATH}/{}", made.string_at("/id"));
    let patch = async |body| api.send(&api.admin, "PATCH", &path, Some(body)).await;
    patch(json!({ "display_name": "ebs-provisioner" }))
        .await
        .expect_status(409);
    patch(json!({ "id": "sa-other" })).await.expect_status(422);
    let changed = patch(json!({ "display_name": "m", "description": "e" }))
        .await
        .expect_status(200);
    assert_eq!(
        (changed.string_at("/display_name"), changed.string_at("/description")),
        ("m".into(), "e".into())
    );
    post(json!({ "display_name": "n".repeat(64) })).await.expect_status(201);
}

#[tokio::test]
async fn a_missing_account_is_404_and_a_foreign_one_403() {
    let api = SandboxServer::new();
    let connectors = format!("{}/connector=claims-*", api.cluster_crn());
    let (own, login) = create_account_with_role(&api, "claims", "DeveloperRead", &connectors).await;
    let foreign = api.create_account("fraud").await;
    let (code, _) = api
        .get(&login, &format!("{ACCOUNTS_PATH}/sa-nope99"))
        .await
        .expect_status(404)
        .first_error();
    assert_eq!(code, "service_account_not_found");
    api.get(&login, &format!("{ACCOUNTS_PATH}/{foreign}"))
        .await
        .expect_status(403);
    api.get(&login, &format!("{ACCOUNTS_PATH}/{own}"))
        .await
        .expect_status(200);
    let seen = api.list_all(&login, ACCOUNTS_PATH).await;
    assert_eq!(seen.len(), 1, "itself and nothing else");
}

#[tokio::test]
async fn deleting_an_account_deletes_bindings_on_it_only_when_assumed() {
    for with_it in [true, false] {
        let api = SandboxServer::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                account_deletion_removes_bindings: with_it,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let runtime = api.create_account("runtime").await;
        let deployer = api.create_account("deployer").await;
        let on_runtime = format!(
            "{}/service-account={runtime}",
            api.seed.stages[0].address.organization_crn()
        );
        api.bind(&deployer, "Assigner", &on_runtime).await;
        api.bind(
            &runtime,
            "DeveloperRead",
            &format!("{}/kafka=lkc-prod1/topic=claims-*", api.cluster_crn()),
        )
        .await;
        api.create_key(&runtime, "lkc-prod1").await;
        let before = api.sandbox.bindings().unwrap().len();
        api.delete(&api.provisioner, &format!("{ACCOUNTS_PATH}/{runtime}"))
            .await
            .expect_status(204);
        let left = api.sandbox.bindings().unwrap();
        let on_it = left
            .iter()
            .filter(|found| found.binding.pattern.to_string() == on_runtime)
            .count();
        // Its own topic binding is deleted; the two on it (Assigner, the provisioner's ownership) depend on Q12.
        assert_eq!(on_it, if with_it { 0 } else { 2 });
        assert_eq!(before - left.len(), if with_it { 3 } else { 1 });
        assert_eq!(api.sandbox.keys().unwrap().len(), SEEDED_KEY_COUNT);
    }
}

#[tokio::test]
async fn cluster_administrators_see_foreign_accounts_when_assumed() {
    for see in [true, false] {
        let api = SandboxServer::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                administrators_see_accounts: see,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let own = api.create_account("owned").await;
        let body = json!({ "display_name": "foreign" });
        let foreign = api
            .post(&api.admin, ACCOUNTS_PATH, body)
            .await
            .expect_status(201)
            .string_at("/id");
        api.get(&api.provisioner, &format!("{ACCOUNTS_PATH}/{own}"))
            .await
            .expect_status(200);
        let answer = api.get(&api.provisioner, &format!("{ACCOUNTS_PATH}/{foreign}")).await;
        answer.expect_status(if see { 200 } else { 403 });
        // The name is in use in both cases.
        api.post(&api.provisioner, ACCOUNTS_PATH, json!({ "display_name": "foreign" }))
            .await
            .expect_status(409);
        let seen = api.list_all(&api.provisioner, ACCOUNTS_PATH).await.len();
        assert_eq!(seen, if see { 3 } else { 2 });
    }
}

#[tokio::test]
async fn users_are_visible_only_to_organization_administrators() {
    let api = SandboxServer::new();
    let list = api.get(&api.admin, "/iam/v2/users").await.expect_status(200);
    assert_eq!(list.string_at("/data/0/email"), "admin@example.com");
    let path = format!("/iam/v2/users/{}", api.seed.admin());
    api.get(&api.admin, &path).await.expect_status(200);
    api.get(&api.admin, "/iam/v2/users/u-nobody").await.expect_status(404);
    api.get(&api.provisioner, "/iam/v2/users").await.expect_status(403);
    api.get(&api.provisioner, &path).await.expect_status(403);
    api.send(&api.admin, "PATCH", &path, Some(json!({})))
        .await
        .expect_status(405);
    api.delete(&api.provisioner, &path).await.expect_status(403);
}
