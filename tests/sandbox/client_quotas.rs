//! Client quotas (docs/reference/quotas.md#client-quotas). Every response is checked against the OpenAPI document.

use confluent_ebs::sandbox::{SandboxAssumptions, SandboxSettings};
use serde_json::{Value, json};

use crate::common::{Caller, SandboxResponse, SandboxServer};

const PATH: &str = "/kafka-quotas/v1/client-quotas";

fn quota_body(environment: &str, cluster: &str, principals: &[&str]) -> Value {
    let reference = |id: &str| json!({ "id": id, "related": "", "resource_name": "" });
    let principals: Vec<Value> = principals.iter().map(|id| reference(id)).collect();
    json!({ "spec": {
        "display_name": "a quota",
        "throughput": { "ingress_byte_rate": "5000000", "egress_byte_rate": "20000000" },
        "cluster": reference(cluster),
        "principals": principals,
        "environment": reference(environment),
    }})
}

async fn send(api: &SandboxServer, who: &Caller, method: &str, target: &str, body: Option<Value>) -> SandboxResponse {
    api.send(who, method, target, body).await
}

#[tokio::test]
async fn a_client_quota_can_be_created_read_changed_and_deleted() {
    let api = SandboxServer::new();
    let account = api.create_account("claims-runtime").await;
    let body = quota_body("env-prod1", "lkc-prod1", &[&account]);
    let made = api.post(&api.admin, PATH, body.clone()).await.expect_status(202);
    let id = made.string_at("/id");
    assert!(id.starts_with("cq-"), "{id}");
    assert!(made.header("location").unwrap().ends_with(&format!("{PATH}/{id}")));
    let list = format!("{PATH}?spec.cluster=lkc-prod1&environment=env-prod1");
    assert_eq!(api.get(&api.admin, &list).await.expect_status(200).items().len(), 1);
    // A second quota of the principal conflicts (docs/assumptions.md, H).
    let error = api.post(&api.admin, PATH, body).await.expect_status(409).first_error();
    assert!(error.1.contains("already has a client quota"), "{error:?}");

    let one = format!("{PATH}/{id}");
    let faster = json!({ "spec": {
        "throughput": { "ingress_byte_rate": "6000000", "egress_byte_rate": "20000000" },
        "environment": { "id": "env-prod1", "related": "", "resource_name": "" },
    }});
    send(&api, &api.admin, "PATCH", &one, Some(faster))
        .await
        .expect_status(200);
    let read = api.get(&api.admin, &one).await.expect_status(200);
    assert_eq!(read.string_at("/spec/throughput/ingress_byte_rate"), "6000000");
    let without_environment = json!({ "spec": { "display_name": "b" } });
    let answer = send(&api, &api.admin, "PATCH", &one, Some(without_environment)).await;
    assert_eq!(answer.status, 422);

    api.delete(&api.admin, &one).await.expect_status(204);
    api.get(&api.admin, &one).await.expect_status(404);
    assert!(api.get(&api.admin, &list).await.items().is_empty());
}

#[tokio::test]
async fn lists_require_cluster_and_environment() {
    let api = SandboxServer::new();
    for target in [
        PATH.to_owned(),
        format!("{PATH}?spec.cluster=lkc-prod1"),
        format!("{PATH}?environment=env-prod1"),
    ] {
        assert_eq!(api.get(&api.admin, &target).await.status, 400, "{target}");
    }
}

#[tokio::test]
async fn basic_and_standard_clusters_have_no_client_quotas() {
    let api = SandboxServer::new();
    let account = api.create_account("claims-runtime").await;
    for (cluster, status) in [("lkc-test1", 422), ("lkc-basic1", 422), ("lkc-dedicated1", 202)] {
        let body = quota_body("env-test1", cluster, &[&account]);
        let answer = api.post(&api.admin, PATH, body).await;
        assert_eq!(answer.status, status, "{cluster}");
        let list = format!("{PATH}?spec.cluster={cluster}&environment=env-test1");
        let count = api.get(&api.admin, &list).await.expect_status(200).items().len();
        assert_eq!(count, usize::from(status == 202), "{cluster}");
    }
}

#[tokio::test]
async fn invalid_quotas_are_refused() {
    let api = SandboxServer::new();
    let account = api.create_account("claims-runtime").await;
    let valid = quota_body("env-prod1", "lkc-prod1", &[&account]);
    let changes: [(&str, Value); 5] = [
        ("principals", json!([])),
        (
            "principals",
            json!([{ "id": "sa-nobody", "related": "", "resource_name": "" }]),
        ),
        (
            "throughput",
            json!({ "ingress_byte_rate": "-1", "egress_byte_rate": "1" }),
        ),
        (
            "throughput",
            json!({ "ingress_byte_rate": "5 MB", "egress_byte_rate": "1" }),
        ),
        ("display_name", Value::Null),
    ];
    for (field, value) in changes {
        let mut body = valid.clone();
        body["spec"][field] = value;
        let answer = api.post(&api.admin, PATH, body).await;
        assert_eq!(answer.status, 422, "{field}");
    }
}

#[tokio::test]
async fn only_administrators_of_the_cluster_read_and_change_client_quotas() {
    let api = SandboxServer::new();
    let account = api.create_account("claims-deployer").await;
    let cluster = api.cluster_crn();
    api.bind(&account, "ResourceOwner", &format!("{cluster}/connector=claims-*"))
        .await;
    let deployer = api.create_key(&account, "cloud").await;
    let list = format!("{PATH}?spec.cluster=lkc-prod1&environment=env-prod1");
    assert_eq!(api.get(&deployer, &list).await.status, 403);
    let body = quota_body("env-prod1", "lkc-prod1", &[&account]);
    assert_eq!(api.post(&deployer, PATH, body.clone()).await.status, 403);
    let made = api.post(&api.admin, PATH, body).await.expect_status(202);
    let one = format!("{PATH}/{}", made.string_at("/id"));
    assert_eq!(api.get(&deployer, &one).await.status, 403);
    assert_eq!(api.delete(&deployer, &one).await.status, 403);
}

#[tokio::test]
async fn several_quotas_per_principal_are_an_assumption() {
    let assumptions = SandboxAssumptions {
        one_client_quota_per_principal: false,
        ..SandboxAssumptions::default()
    };
    let api = SandboxServer::with_settings(SandboxSettings {
        assumptions,
        ..SandboxSettings::instant()
    });
    let account = api.create_account("claims-runtime").await;
    for _ in 0..2 {
        let body = quota_body("env-prod1", "lkc-prod1", &[&account]);
        api.post(&api.admin, PATH, body).await.expect_status(202);
    }
}
