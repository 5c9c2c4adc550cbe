//! The requests of an onboarding, with the provisioner's key.

use confluent_ebs::sandbox::PROVISIONER;
use serde_json::json;

use crate::common::{Caller, SEEDED_KEY_COUNT, SandboxServer, encode_query_value};

#[tokio::test]
async fn the_provisioner_onboards_and_offboards_with_its_own_roles() {
    let api = SandboxServer::new();
    let (me, cluster) = (&api.provisioner, api.cluster_crn());
    let Caller::ApiKey(own, _) = me else { unreachable!() };
    let who = api.get(me, &format!("/iam/v2/api-keys/{own}")).await.expect_status(200);
    assert_eq!(who.string_at("/spec/owner/id"), api.seed.provisioner().as_str());

    let target = format!(
        "/iam/v2/service-accounts?assigned_resource_owner={}",
        api.seed.provisioner()
    );
    let body = json!({ "display_name": "ebs-prod-claims-operator", "description": "d" });
    let account = api.post(me, &target, body.clone()).await.expect_status(201);
    let id = account.string_at("/id");
    assert_eq!(
        account.header("location"),
        Some(account.string_at("/metadata/self").as_str())
    );
    let (_, detail) = api.post(me, &target, body).await.expect_status(409).first_error();
    assert!(detail.contains("already in use"));

    let binding = json!({
        "principal": format!("User:{id}"), "role_name": "ConnectManager",
        "crn_pattern": format!("{cluster}/connector=claims-*"),
    });
    let bound = api
        .post(me, "/iam/v2/role-bindings", binding.clone())
        .await
        .expect_status(201);
    api.post(me, "/iam/v2/role-bindings", binding).await.expect_status(409);
    let key = json!({ "spec": { "owner": { "id": id }, "resource": { "id": "cloud" } } });
    let key = api.post(me, "/iam/v2/api-keys", key).await.expect_status(202);
    let login = Caller::ApiKey(key.string_at("/id"), key.string_at("/spec/secret"));
    let read = api.get(me, &format!("/iam/v2/api-keys/{}", key.string_at("/id"))).await;
    assert!(read.expect_status(200).json()["spec"].get("secret").is_none());

    let connectors = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
    api.get(&login, &format!("{connectors}?expand=info,status,id"))
        .await
        .expect_status(200);
    api.get(&login, &format!("{connectors}/claims-x/status"))
        .await
        .expect_status(404);
    api.get(&login, &format!("{connectors}/fraud-x/status"))
        .await
        .expect_status(403);

    let below = encode_query_value(&format!("{cluster}/*"));
    let list = api
        .list_all(me, &format!("/iam/v2/role-bindings?crn_pattern={below}&page_size=1"))
        .await;
    assert_eq!(list.len(), 1);
    let quotas = api
        .list_all(me, "/service-quota/v1/applied-quotas?scope=organization")
        .await;
    assert_eq!(quotas.len(), 11);

    let gone = format!("/iam/v2/role-bindings/{}", bound.string_at("/id"));
    api.delete(me, &gone).await.expect_status(200);
    api.delete(me, &format!("/iam/v2/service-accounts/{id}"))
        .await
        .expect_status(204);
    api.get(&login, connectors).await.expect_status(401);
    assert_eq!(api.sandbox.accounts().unwrap()[0].display_name, PROVISIONER);
    assert_eq!(api.sandbox.keys().unwrap().len(), SEEDED_KEY_COUNT);
    assert_eq!(api.sandbox.bindings().unwrap().len(), 5);
}
