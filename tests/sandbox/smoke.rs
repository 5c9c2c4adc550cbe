//! The requests of an onboarding, with the provisioner's key.

use confluent_ebs::sandbox::PROVISIONER;
use serde_json::json;

use crate::sandbox_fixture::{Caller, SEEDED_KEY_COUNT, SandboxFixture, encode_query_value};

#[tokio::test]
async fn the_provisioner_onboards_and_offboards_with_its_own_roles() {
    let fixture = SandboxFixture::new();
    let (me, cluster) = (&fixture.provisioner, fixture.cluster_crn());
    let Caller::ApiKey(own, _) = me else { unreachable!() };
    let who = fixture
        .get(me, &format!("/iam/v2/api-keys/{own}"))
        .await
        .expect_status(200);
    assert_eq!(who.string_at("/spec/owner/id"), fixture.seed.provisioner().as_str());

    let target = format!(
        "/iam/v2/service-accounts?assigned_resource_owner={}",
        fixture.seed.provisioner()
    );
    let body = json!({ "display_name": "ebs-prod-claims-operator", "description": "d" });
    let account = fixture.post(me, &target, body.clone()).await.expect_status(201);
    let id = account.string_at("/id");
    assert_eq!(
        account.header("location"),
        Some(account.string_at("/metadata/self").as_str())
    );
    let (_, detail) = fixture.post(me, &target, body).await.expect_status(409).first_error();
    assert!(detail.contains("already in use"));

    let binding = json!({
        "principal": format!("User:{id}"), "role_name": "ConnectManager",
        "crn_pattern": format!("{cluster}/connector=claims-*"),
    });
    let bound = fixture
        .post(me, "/iam/v2/role-bindings", binding.clone())
        .await
        .expect_status(201);
    fixture
        .post(me, "/iam/v2/role-bindings", binding)
        .await
        .expect_status(409);
    let key = json!({ "spec": { "owner": { "id": id }, "resource": { "id": "cloud" } } });
    let key = fixture.post(me, "/iam/v2/api-keys", key).await.expect_status(202);
    let login = Caller::ApiKey(key.string_at("/id"), key.string_at("/spec/secret"));
    let read = fixture
        .get(me, &format!("/iam/v2/api-keys/{}", key.string_at("/id")))
        .await;
    assert!(read.expect_status(200).json()["spec"].get("secret").is_none());

    let connectors = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
    fixture
        .get(&login, &format!("{connectors}?expand=info,status,id"))
        .await
        .expect_status(200);
    fixture
        .get(&login, &format!("{connectors}/claims-x/status"))
        .await
        .expect_status(404);
    fixture
        .get(&login, &format!("{connectors}/fraud-x/status"))
        .await
        .expect_status(403);

    let below = encode_query_value(&format!("{cluster}/*"));
    let list = fixture
        .list_all(me, &format!("/iam/v2/role-bindings?crn_pattern={below}&page_size=1"))
        .await;
    assert_eq!(list.len(), 1);
    let quotas = fixture
        .list_all(me, "/service-quota/v1/applied-quotas?scope=organization")
        .await;
    assert_eq!(quotas.len(), 11);

    let gone = format!("/iam/v2/role-bindings/{}", bound.string_at("/id"));
    fixture.delete(me, &gone).await.expect_status(200);
    fixture
        .delete(me, &format!("/iam/v2/service-accounts/{id}"))
        .await
        .expect_status(204);
    fixture.get(&login, connectors).await.expect_status(401);
    assert_eq!(fixture.sandbox.accounts().unwrap()[0].display_name, PROVISIONER);
    assert_eq!(fixture.sandbox.keys().unwrap().len(), SEEDED_KEY_COUNT);
    assert_eq!(fixture.sandbox.bindings().unwrap().len(), 5);
}
