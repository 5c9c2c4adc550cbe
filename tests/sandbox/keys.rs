//! API keys: who may make them for whom, what they show, what cannot be changed (dossier `rbac.md` §5.2).

use confluent_ebs::sandbox::{Assumptions, Settings};
use serde_json::{Value, json};

use crate::harness::{Harness, Login, SEEDED_KEYS};

const KEYS: &str = "/iam/v2/api-keys";

fn body(owner: &str, resource: &str) -> Value {
    json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource } } })
}

/// The newest table of docs `manage-api-keys`, for a service account that somebody else made.
#[tokio::test]
async fn the_table_of_who_makes_keys_for_service_accounts() {
    const RESOURCES: [&str; 3] = ["cloud", "lkc-prod1", "lsrc-prod1"];
    let world = Harness::new();
    let address = &world.seed.stages[0].address;
    let (organization, environment, cluster) = (
        address.organization_crn().to_string(),
        address.environment_crn().to_string(),
        address.cluster_crn().to_string(),
    );
    let victim = world
        .post(
            &world.admin,
            "/iam/v2/service-accounts",
            json!({ "display_name": "victim" }),
        )
        .await
        .text("/id");
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
        let maker = world.account(role).await;
        world.bind(&maker, role, pattern).await;
        let login = world.make_key(&maker, "cloud").await;
        for (resource, allowed) in RESOURCES.into_iter().zip(allowed) {
            let answer = world.post(&login, KEYS, body(&victim, resource)).await;
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
async fn own_keys_are_an_assumption() {
    for manageable in [true, false] {
        for readable in [true, false] {
            let world = Harness::with(Settings {
                assumptions: Assumptions {
                    own_keys_manageable: manageable,
                    own_key_readable: readable,
                    ..Assumptions::default()
                },
                ..Settings::instant()
            });
            let (own, other) = (world.account("claims").await, world.account("fraud").await);
            let login = world.make_key(&own, "cloud").await;
            world
                .bind(
                    &own,
                    "DeveloperRead",
                    &format!("{}/connector=claims-*", world.cluster_crn()),
                )
                .await;
            let Login::Key(id, _) = &login else { unreachable!() };
            let read = world.get(&login, &format!("{KEYS}/{id}")).await;
            read.expect(if manageable || readable { 200 } else { 403 });
            let minted = world.post(&login, KEYS, body(&own, "cloud")).await;
            minted.expect(if manageable { 202 } else { 403 });
            world.post(&login, KEYS, body(&other, "cloud")).await.expect(403);
            let list = world.get(&login, KEYS).await.expect(200);
            let expected = usize::from(manageable || readable) + usize::from(manageable);
            assert_eq!(list.data().len(), expected);
        }
    }
}

#[tokio::test]
async fn the_secret_is_shown_once_and_looks_real() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let made = world
        .post(&world.provisioner, KEYS, body(&account, "cloud"))
        .await
        .expect(202);
    let (id, secret) = (made.text("/id"), made.text("/spec/secret"));
    assert!(id.len() == 16 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    assert!(secret.len() == 64 && secret.starts_with("cflt"));
    let id_path = format!("{KEYS}/{id}");
    for answer in [
        world.get(&world.provisioner, &id_path).await,
        world.get(&world.provisioner, KEYS).await,
        world
            .send(&world.provisioner, "PATCH", &id_path, Some(json!({ "spec": {} })))
            .await,
    ] {
        assert!(!answer.expect(200).json().to_string().contains("secret"));
    }
    assert!(world.sandbox.secret_matches(&id.parse().unwrap(), &secret).unwrap());
}

/// Both stock clients' bodies (`traces/`): the CLI names the cloud, Terraform's provider names no resource at all.
#[tokio::test]
async fn both_clients_ways_of_asking_for_a_cloud_key() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let owner = json!({ "id": account, "kind": "ServiceAccount", "related": "", "resource_name": "" });
    for spec in [
        json!({ "owner": owner, "display_name": "k", "description": "d" }),
        json!({ "owner": owner, "resource": null }),
        json!({ "owner": owner, "resource": { "id": "cloud", "related": "", "resource_name": "" } }),
    ] {
        let made = world
            .post(&world.provisioner, KEYS, json!({ "spec": spec }))
            .await
            .expect(202);
        assert_eq!(made.text("/spec/resource/id"), "cloud");
        assert_eq!(made.text("/spec/owner/kind"), "ServiceAccount");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_400_and_what_cannot_be_changed_422() {
    let world = Harness::new();
    let (account, other) = (world.account("claims").await, world.account("other").await);
    let post = async |body| world.post(&world.provisioner, KEYS, body).await;
    post(json!({ "spec": {} })).await.expect(400);
    post(json!({})).await.expect(400);
    post(body("pool-abc1", "cloud")).await.expect(400);
    post(body(&account, "global")).await.expect(400);
    post(body(&account, "lkc-nope1")).await.expect(400);
    world
        .post(&world.admin, KEYS, body("sa-nope99", "cloud"))
        .await
        .expect(400);
    post(body("sa-nope99", "cloud")).await.expect(403);
    post(body(world.seed.admin().as_str(), "cloud")).await.expect(403);
    post(body(world.seed.admin().as_str(), "nonsense")).await.expect(403);

    let made = post(body(&account, "lkc-prod1")).await.expect(202);
    assert_eq!(made.text("/spec/resource/environment"), "env-prod1");
    let path = format!("{KEYS}/{}", made.text("/id"));
    let patch = async |spec: Value| {
        let body = json!({ "spec": spec });
        world.send(&world.provisioner, "PATCH", &path, Some(body)).await
    };
    patch(json!({ "owner": { "id": other } })).await.expect(422);
    patch(json!({ "resource": { "id": "cloud" } })).await.expect(422);
    patch(json!({ "secret": "x" })).await.expect(422);
    let same = json!({ "owner": { "id": account }, "resource": { "id": "lkc-prod1" }, "description": "state=live" });
    assert_eq!(patch(same).await.expect(200).text("/spec/description"), "state=live");
}

#[tokio::test]
async fn lists_filter_by_owner_and_resource_and_show_what_the_caller_may_touch() {
    let world = Harness::new();
    let (claims, fraud) = (world.account("claims").await, world.account("fraud").await);
    for (owner, resource) in [(&claims, "cloud"), (&claims, "lkc-prod1"), (&fraud, "cloud")] {
        world
            .post(&world.provisioner, KEYS, body(owner, resource))
            .await
            .expect(202);
    }
    let count = async |login: &Login, query: &str| world.all(login, &format!("{KEYS}?{query}")).await.len();
    assert_eq!(count(&world.admin, "").await, 3 + SEEDED_KEYS);
    assert_eq!(
        count(&world.provisioner, "").await,
        2 + SEEDED_KEYS,
        "not the administrator's"
    );
    assert_eq!(
        count(&world.provisioner, &format!("spec.owner={claims}&spec.resource=")).await,
        2
    );
    assert_eq!(
        count(&world.provisioner, &format!("spec.owner={claims}&spec.resource=cloud")).await,
        1
    );
    assert_eq!(count(&world.provisioner, "spec.owner=sa-nope99").await, 0);
    let login = world.make_key(&claims, "cloud").await;
    assert_eq!(count(&login, "").await, 3);
    assert_eq!(count(&login, &format!("spec.owner={fraud}")).await, 0);
}
