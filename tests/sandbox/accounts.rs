//! Service accounts and users: who may create, read, update and delete them.

use confluent_ebs::sandbox::{SandboxAssumptions, SandboxSettings};
use serde_json::json;

use crate::sandbox_fixture::{Caller, SEEDED_KEY_COUNT, SandboxFixture};

const ACCOUNTS_PATH: &str = "/iam/v2/service-accounts";

/// An account with a Cloud API key and one role.
async fn create_account_with_role(fixture: &SandboxFixture, name: &str, role: &str, pattern: &str) -> (String, Caller) {
    let id = fixture.create_account(name).await;
    fixture.bind(&id, role, pattern).await;
    let login = fixture.create_key(&id, "cloud").await;
    (id, login)
}

#[tokio::test]
async fn account_ids_depend_on_names_and_not_on_creation_order() {
    let (one, two) = (SandboxFixture::new(), SandboxFixture::new());
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
    let fixture = SandboxFixture::new();
    // Docs `create-service-accounts`: "users without self-assigned ownership cannot manage".
    let body = json!({ "display_name": "orphan" });
    let made = fixture
        .post(&fixture.provisioner, ACCOUNTS_PATH, body)
        .await
        .expect_status(201);
    let path = format!("{ACCOUNTS_PATH}/{}", made.string_at("/id"));
    fixture.get(&fixture.provisioner, &path).await.expect_status(200);
    let change = json!({ "description": "x" });
    fixture
        .send(&fixture.provisioner, "PATCH", &path, Some(change.clone()))
        .await
        .expect_status(403);
    fixture.delete(&fixture.provisioner, &path).await.expect_status(403);
    let key = json!({ "spec": { "owner": { "id": made.string_at("/id") }, "resource": { "id": "cloud" } } });
    fixture
        .post(&fixture.provisioner, "/iam/v2/api-keys", key)
        .await
        .expect_status(403);
    fixture
        .send(&fixture.admin, "PATCH", &path, Some(change))
        .await
        .expect_status(200);
    fixture.delete(&fixture.admin, &path).await.expect_status(204);
}

#[tokio::test]
async fn an_account_belongs_to_its_assigned_owner_when_assumed() {
    for honoured in [true, false] {
        let fixture = SandboxFixture::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                owner_at_creation: honoured,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let id = fixture.create_account("claims").await;
        let key = json!({ "spec": { "owner": { "id": id }, "resource": { "id": "cloud" } } });
        let answer = fixture.post(&fixture.provisioner, "/iam/v2/api-keys", key).await;
        answer.expect_status(if honoured { 202 } else { 403 });
    }
}

#[tokio::test]
async fn a_resource_owner_can_create_accounts_and_a_reader_cannot() {
    let fixture = SandboxFixture::new();
    let connectors = format!("{}/connector=claims-*", fixture.cluster_crn());
    let (deployer, owner) = create_account_with_role(&fixture, "deployer", "ResourceOwner", &connectors).await;
    let (_, operator) = create_account_with_role(&fixture, "operator", "ConnectManager", &connectors).await;
    // Threat T4: an owner of one prefix creates an account and owns it.
    let target = format!("{ACCOUNTS_PATH}?assigned_resource_owner={deployer}");
    let shadow = fixture
        .post(&owner, &target, json!({ "display_name": "shadow" }))
        .await
        .expect_status(201);
    let key = json!({ "spec": { "owner": { "id": shadow.string_at("/id") } } });
    fixture.post(&owner, "/iam/v2/api-keys", key).await.expect_status(202);
    fixture
        .post(&operator, ACCOUNTS_PATH, json!({ "display_name": "x" }))
        .await
        .expect_status(403);
    // Authorization is checked before the body, so that a probe with an invalid body reveals the access.
    fixture
        .post(&operator, ACCOUNTS_PATH, json!({}))
        .await
        .expect_status(403);
    fixture.post(&owner, ACCOUNTS_PATH, json!({})).await.expect_status(400);
}

#[tokio::test]
async fn account_fields_are_validated_and_names_are_unique() {
    let fixture = SandboxFixture::new();
    let post = async |body| fixture.post(&fixture.admin, ACCOUNTS_PATH, body).await;
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
    fixture
        .post(&fixture.admin, &target, json!({ "display_name": "x" }))
        .await
        .expect_status(400);
    let path = format!("{ACCOUNTS_PATH}/{}", made.string_at("/id"));
    let patch = async |body| fixture.send(&fixture.admin, "PATCH", &path, Some(body)).await;
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
    let fixture = SandboxFixture::new();
    let connectors = format!("{}/connector=claims-*", fixture.cluster_crn());
    let (own, login) = create_account_with_role(&fixture, "claims", "DeveloperRead", &connectors).await;
    let foreign = fixture.create_account("fraud").await;
    let (code, _) = fixture
        .get(&login, &format!("{ACCOUNTS_PATH}/sa-nope99"))
        .await
        .expect_status(404)
        .first_error();
    assert_eq!(code, "service_account_not_found");
    fixture
        .get(&login, &format!("{ACCOUNTS_PATH}/{foreign}"))
        .await
        .expect_status(403);
    fixture
        .get(&login, &format!("{ACCOUNTS_PATH}/{own}"))
        .await
        .expect_status(200);
    let seen = fixture.list_all(&login, ACCOUNTS_PATH).await;
    assert_eq!(seen.len(), 1, "itself and nothing else");
}

#[tokio::test]
async fn deleting_an_account_deletes_bindings_on_it_only_when_assumed() {
    for with_it in [true, false] {
        let fixture = SandboxFixture::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                account_deletion_removes_bindings: with_it,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let runtime = fixture.create_account("runtime").await;
        let deployer = fixture.create_account("deployer").await;
        let on_runtime = format!(
            "{}/service-account={runtime}",
            fixture.seed.stages[0].address.organization_crn()
        );
        fixture.bind(&deployer, "Assigner", &on_runtime).await;
        fixture
            .bind(
                &runtime,
                "DeveloperRead",
                &format!("{}/kafka=lkc-prod1/topic=claims-*", fixture.cluster_crn()),
            )
            .await;
        fixture.create_key(&runtime, "lkc-prod1").await;
        let before = fixture.sandbox.bindings().unwrap().len();
        fixture
            .delete(&fixture.provisioner, &format!("{ACCOUNTS_PATH}/{runtime}"))
            .await
            .expect_status(204);
        let left = fixture.sandbox.bindings().unwrap();
        let on_it = left
            .iter()
            .filter(|found| found.binding.pattern.to_string() == on_runtime)
            .count();
        // Its own topic binding is deleted; the two on it (Assigner, the provisioner's ownership) depend on Q12.
        assert_eq!(on_it, if with_it { 0 } else { 2 });
        assert_eq!(before - left.len(), if with_it { 3 } else { 1 });
        assert_eq!(fixture.sandbox.keys().unwrap().len(), SEEDED_KEY_COUNT);
    }
}

#[tokio::test]
async fn cluster_administrators_see_foreign_accounts_when_assumed() {
    for see in [true, false] {
        let fixture = SandboxFixture::with_settings(SandboxSettings {
            assumptions: SandboxAssumptions {
                administrators_see_accounts: see,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        });
        let own = fixture.create_account("owned").await;
        let body = json!({ "display_name": "foreign" });
        let foreign = fixture
            .post(&fixture.admin, ACCOUNTS_PATH, body)
            .await
            .expect_status(201)
            .string_at("/id");
        fixture
            .get(&fixture.provisioner, &format!("{ACCOUNTS_PATH}/{own}"))
            .await
            .expect_status(200);
        let answer = fixture
            .get(&fixture.provisioner, &format!("{ACCOUNTS_PATH}/{foreign}"))
            .await;
        answer.expect_status(if see { 200 } else { 403 });
        // The name is in use in both cases.
        fixture
            .post(
                &fixture.provisioner,
                ACCOUNTS_PATH,
                json!({ "display_name": "foreign" }),
            )
            .await
            .expect_status(409);
        let seen = fixture.list_all(&fixture.provisioner, ACCOUNTS_PATH).await.len();
        assert_eq!(seen, if see { 3 } else { 2 });
    }
}

#[tokio::test]
async fn users_are_visible_only_to_organization_administrators() {
    let fixture = SandboxFixture::new();
    let list = fixture.get(&fixture.admin, "/iam/v2/users").await.expect_status(200);
    assert_eq!(list.string_at("/data/0/email"), "admin@example.com");
    let path = format!("/iam/v2/users/{}", fixture.seed.admin());
    fixture.get(&fixture.admin, &path).await.expect_status(200);
    fixture
        .get(&fixture.admin, "/iam/v2/users/u-nobody")
        .await
        .expect_status(404);
    fixture
        .get(&fixture.provisioner, "/iam/v2/users")
        .await
        .expect_status(403);
    fixture.get(&fixture.provisioner, &path).await.expect_status(403);
    fixture
        .send(&fixture.admin, "PATCH", &path, Some(json!({})))
        .await
        .expect_status(405);
    fixture.delete(&fixture.provisioner, &path).await.expect_status(403);
}
