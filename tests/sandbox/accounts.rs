//! Service accounts and users: who may make, see, change and delete them.

use confluent_ebs::sandbox::{Assumptions, Settings};
use serde_json::json;

use crate::harness::{Harness, Login, SEEDED_KEYS};

const ACCOUNTS: &str = "/iam/v2/service-accounts";

/// An account with a Cloud key and one role.
async fn someone(world: &Harness, name: &str, role: &str, pattern: &str) -> (String, Login) {
    let id = world.account(name).await;
    world.bind(&id, role, pattern).await;
    let login = world.make_key(&id, "cloud").await;
    (id, login)
}

#[tokio::test]
async fn ids_follow_from_the_names_and_not_from_the_order() {
    let (one, two) = (Harness::new(), Harness::new());
    let first = (one.account("claims").await, one.account("fraud").await);
    let second = (two.account("fraud").await, two.account("claims").await);
    assert_eq!(first, (second.1, second.0));
    // A name that comes back gets another id.
    one.delete(&one.admin, &format!("{ACCOUNTS}/{}", first.0))
        .await
        .expect(204);
    assert_ne!(one.account("claims").await, first.0);
}

#[tokio::test]
async fn without_an_owner_the_maker_cannot_manage_what_it_made() {
    let world = Harness::new();
    // Docs `create-service-accounts`: "users without self-assigned ownership cannot manage".
    let body = json!({ "display_name": "orphan" });
    let made = world.post(&world.provisioner, ACCOUNTS, body).await.expect(201);
    let path = format!("{ACCOUNTS}/{}", made.text("/id"));
    world.get(&world.provisioner, &path).await.expect(200);
    let change = json!({ "description": "x" });
    world
        .send(&world.provisioner, "PATCH", &path, Some(change.clone()))
        .await
        .expect(403);
    world.delete(&world.provisioner, &path).await.expect(403);
    let key = json!({ "spec": { "owner": { "id": made.text("/id") }, "resource": { "id": "cloud" } } });
    world
        .post(&world.provisioner, "/iam/v2/api-keys", key)
        .await
        .expect(403);
    world.send(&world.admin, "PATCH", &path, Some(change)).await.expect(200);
    world.delete(&world.admin, &path).await.expect(204);
}

#[tokio::test]
async fn ownership_comes_with_the_account_unless_the_assumption_is_off() {
    for honoured in [true, false] {
        let world = Harness::with(Settings {
            assumptions: Assumptions {
                owner_at_creation: honoured,
                ..Assumptions::default()
            },
            ..Settings::instant()
        });
        let id = world.account("claims").await;
        let key = json!({ "spec": { "owner": { "id": id }, "resource": { "id": "cloud" } } });
        let answer = world.post(&world.provisioner, "/iam/v2/api-keys", key).await;
        answer.expect(if honoured { 202 } else { 403 });
    }
}

#[tokio::test]
async fn who_owns_any_resource_may_make_accounts_and_who_reads_may_not() {
    let world = Harness::new();
    let connectors = format!("{}/connector=claims-*", world.cluster_crn());
    let (deployer, owner) = someone(&world, "deployer", "ResourceOwner", &connectors).await;
    let (_, operator) = someone(&world, "operator", "ConnectManager", &connectors).await;
    // Threat T4: an owner of one prefix makes a shadow account and owns it.
    let target = format!("{ACCOUNTS}?assigned_resource_owner={deployer}");
    let shadow = world
        .post(&owner, &target, json!({ "display_name": "shadow" }))
        .await
        .expect(201);
    let key = json!({ "spec": { "owner": { "id": shadow.text("/id") } } });
    world.post(&owner, "/iam/v2/api-keys", key).await.expect(202);
    world
        .post(&operator, ACCOUNTS, json!({ "display_name": "x" }))
        .await
        .expect(403);
    // Refused before the body is looked at, so that a probe with an invalid body tells the right.
    world.post(&operator, ACCOUNTS, json!({})).await.expect(403);
    world.post(&owner, ACCOUNTS, json!({})).await.expect(400);
}

#[tokio::test]
async fn fields_are_checked_and_names_are_unique() {
    let world = Harness::new();
    let post = async |body| world.post(&world.admin, ACCOUNTS, body).await;
    post(json!({ "display_name": "" })).await.expect(400);
    post(json!("text")).await.expect(400);
    post(json!({ "display_name": 7 })).await.expect(400);
    post(json!({ "display_name": "n".repeat(65) })).await.expect(422);
    post(json!({ "display_name": "n", "description": "d".repeat(129) }))
        .await
        .expect(422);
    let made = post(json!({ "display_name": "n".repeat(64), "description": "d".repeat(128) }))
        .await
        .expect(201);
    let (code, detail) = post(json!({ "display_name": "n".repeat(64) }))
        .await
        .expect(409)
        .error();
    assert_eq!(code, "resource_already_exists");
    assert!(detail.contains("already in use"));
    let target = format!("{ACCOUNTS}?assigned_resource_owner=sa-nobody");
    world
        .post(&world.admin, &target, json!({ "display_name": "x" }))
        .await
        .expect(400);
    let path = format!("{ACCOUNTS}/{}", made.text("/id"));
    let patch = async |body| world.send(&world.admin, "PATCH", &path, Some(body)).await;
    patch(json!({ "display_name": "ebs-provisioner" })).await.expect(409);
    patch(json!({ "id": "sa-other" })).await.expect(422);
    let changed = patch(json!({ "display_name": "m", "description": "e" }))
        .await
        .expect(200);
    assert_eq!(
        (changed.text("/display_name"), changed.text("/description")),
        ("m".into(), "e".into())
    );
    post(json!({ "display_name": "n".repeat(64) })).await.expect(201);
}

#[tokio::test]
async fn a_missing_account_is_404_and_a_foreign_one_403() {
    let world = Harness::new();
    let connectors = format!("{}/connector=claims-*", world.cluster_crn());
    let (own, login) = someone(&world, "claims", "DeveloperRead", &connectors).await;
    let foreign = world.account("fraud").await;
    let (code, _) = world
        .get(&login, &format!("{ACCOUNTS}/sa-nope99"))
        .await
        .expect(404)
        .error();
    assert_eq!(code, "service_account_not_found");
    world.get(&login, &format!("{ACCOUNTS}/{foreign}")).await.expect(403);
    world.get(&login, &format!("{ACCOUNTS}/{own}")).await.expect(200);
    let seen = world.all(&login, ACCOUNTS).await;
    assert_eq!(seen.len(), 1, "itself and nothing else");
}

#[tokio::test]
async fn what_goes_with_an_account() {
    for with_it in [true, false] {
        let world = Harness::with(Settings {
            assumptions: Assumptions {
                bindings_on_account_go_with_it: with_it,
                ..Assumptions::default()
            },
            ..Settings::instant()
        });
        let runtime = world.account("runtime").await;
        let deployer = world.account("deployer").await;
        let on_runtime = format!(
            "{}/service-account={runtime}",
            world.seed.stages[0].address.organization_crn()
        );
        world.bind(&deployer, "Assigner", &on_runtime).await;
        world
            .bind(
                &runtime,
                "DeveloperRead",
                &format!("{}/kafka=lkc-prod1/topic=claims-*", world.cluster_crn()),
            )
            .await;
        world.make_key(&runtime, "lkc-prod1").await;
        let before = world.sandbox.bindings().unwrap().len();
        world
            .delete(&world.provisioner, &format!("{ACCOUNTS}/{runtime}"))
            .await
            .expect(204);
        let left = world.sandbox.bindings().unwrap();
        let on_it = left
            .iter()
            .filter(|found| found.binding.pattern.to_string() == on_runtime)
            .count();
        // Its own topic binding goes; the two on it (Assigner, the provisioner's ownership) depend on Q12.
        assert_eq!(on_it, if with_it { 0 } else { 2 });
        assert_eq!(before - left.len(), if with_it { 3 } else { 1 });
        assert_eq!(world.sandbox.keys().unwrap().len(), SEEDED_KEYS);
    }
}

#[tokio::test]
async fn administrators_of_a_cluster_see_all_accounts_unless_the_assumption_is_off() {
    for see in [true, false] {
        let world = Harness::with(Settings {
            assumptions: Assumptions {
                administrators_see_accounts: see,
                ..Assumptions::default()
            },
            ..Settings::instant()
        });
        let own = world.account("owned").await;
        let body = json!({ "display_name": "foreign" });
        let foreign = world.post(&world.admin, ACCOUNTS, body).await.expect(201).text("/id");
        world
            .get(&world.provisioner, &format!("{ACCOUNTS}/{own}"))
            .await
            .expect(200);
        let answer = world.get(&world.provisioner, &format!("{ACCOUNTS}/{foreign}")).await;
        answer.expect(if see { 200 } else { 403 });
        // The name is taken either way.
        world
            .post(&world.provisioner, ACCOUNTS, json!({ "display_name": "foreign" }))
            .await
            .expect(409);
        let seen = world.all(&world.provisioner, ACCOUNTS).await.len();
        assert_eq!(seen, if see { 3 } else { 2 });
    }
}

#[tokio::test]
async fn users_are_for_those_who_administer_people() {
    let world = Harness::new();
    let list = world.get(&world.admin, "/iam/v2/users").await.expect(200);
    assert_eq!(list.text("/data/0/email"), "admin@example.com");
    let path = format!("/iam/v2/users/{}", world.seed.admin());
    world.get(&world.admin, &path).await.expect(200);
    world.get(&world.admin, "/iam/v2/users/u-nobody").await.expect(404);
    world.get(&world.provisioner, "/iam/v2/users").await.expect(403);
    world.get(&world.provisioner, &path).await.expect(403);
    world
        .send(&world.admin, "PATCH", &path, Some(json!({})))
        .await
        .expect(405);
    world.delete(&world.provisioner, &path).await.expect(403);
}
