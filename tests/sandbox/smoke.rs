//! The way of an onboarding, call by call, with the provisioner's key.

use confluent_ebs::sandbox::PROVISIONER;
use serde_json::json;

use crate::harness::{Harness, Login, SEEDED_KEYS, escape};

#[tokio::test]
async fn the_provisioner_onboards_and_offboards_with_its_own_roles() {
    let world = Harness::new();
    let (me, cluster) = (&world.provisioner, world.cluster_crn());
    let Login::Key(own, _) = me else { unreachable!() };
    let who = world.get(me, &format!("/iam/v2/api-keys/{own}")).await.expect(200);
    assert_eq!(who.text("/spec/owner/id"), world.seed.provisioner().as_str());

    let target = format!(
        "/iam/v2/service-accounts?assigned_resource_owner={}",
        world.seed.provisioner()
    );
    let body = json!({ "display_name": "ebs-prod-claims-operator", "description": "d" });
    let account = world.post(me, &target, body.clone()).await.expect(201);
    let id = account.text("/id");
    assert_eq!(
        account.header("location"),
        Some(account.text("/metadata/self").as_str())
    );
    let (_, detail) = world.post(me, &target, body).await.expect(409).error();
    assert!(detail.contains("already in use"));

    let binding = json!({
        "principal": format!("User:{id}"), "role_name": "ConnectManager",
        "crn_pattern": format!("{cluster}/connector=claims-*"),
    });
    let bound = world
        .post(me, "/iam/v2/role-bindings", binding.clone())
        .await
        .expect(201);
    world.post(me, "/iam/v2/role-bindings", binding).await.expect(409);
    let key = json!({ "spec": { "owner": { "id": id }, "resource": { "id": "cloud" } } });
    let key = world.post(me, "/iam/v2/api-keys", key).await.expect(202);
    let login = Login::Key(key.text("/id"), key.text("/spec/secret"));
    let read = world.get(me, &format!("/iam/v2/api-keys/{}", key.text("/id"))).await;
    assert!(read.expect(200).json()["spec"].get("secret").is_none());

    let connectors = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
    world
        .get(&login, &format!("{connectors}?expand=info,status,id"))
        .await
        .expect(200);
    world
        .get(&login, &format!("{connectors}/claims-x/status"))
        .await
        .expect(404);
    world
        .get(&login, &format!("{connectors}/fraud-x/status"))
        .await
        .expect(403);

    let below = escape(&format!("{cluster}/*"));
    let list = world
        .all(me, &format!("/iam/v2/role-bindings?crn_pattern={below}&page_size=1"))
        .await;
    assert_eq!(list.len(), 1);
    let quotas = world
        .all(me, "/service-quota/v1/applied-quotas?scope=organization")
        .await;
    assert_eq!(quotas.len(), 11);

    let gone = format!("/iam/v2/role-bindings/{}", bound.text("/id"));
    world.delete(me, &gone).await.expect(200);
    world
        .delete(me, &format!("/iam/v2/service-accounts/{id}"))
        .await
        .expect(204);
    world.get(&login, connectors).await.expect(401);
    assert_eq!(world.sandbox.accounts().unwrap()[0].display_name, PROVISIONER);
    assert_eq!(world.sandbox.keys().unwrap().len(), SEEDED_KEYS);
    assert_eq!(world.sandbox.bindings().unwrap().len(), 5);
}
