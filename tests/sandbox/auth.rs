//! Authentication and 401 (docs/reference/rbac.md#credentials-by-api and docs/reference/cli.md#login-requests).

use std::time::Duration;

use axum::body::Body;
use confluent_ebs::sandbox::{RouteAuth, Sandbox};
use http::Request;
use serde_json::json;

use crate::common::{Caller, SandboxServer};

const ENVIRONMENTS_PATH: &str = "/org/v2/environments";

#[tokio::test]
async fn an_invalid_key_gets_401_with_a_challenge() {
    let api = SandboxServer::new();
    let Caller::ApiKey(id, secret) = api.admin.clone() else {
        unreachable!()
    };
    for login in [
        Caller::Anonymous,
        Caller::api_key("UNKNOWNKEY123456", &secret),
        Caller::api_key(&id, "cfltwrong"),
        Caller::api_key(&id, ""),
        Caller::Bearer("a.b.c".into()),
        Caller::Bearer(String::new()),
    ] {
        let answer = api.get(&login, ENVIRONMENTS_PATH).await.expect_status(401);
        assert!(answer.header("www-authenticate").is_some(), "{login:?}");
        assert_eq!(answer.first_error().0, "user_unauthenticated");
    }
    // The Terraform provider distinguishes a bad key from a deleted object by this text.
    let answer = api.get(&Caller::api_key(&id, "x"), ENVIRONMENTS_PATH).await;
    assert!(answer.first_error().1.contains("invalid API key"));
    api.get(&api.admin, ENVIRONMENTS_PATH).await.expect_status(200);
}

#[tokio::test]
async fn every_route_except_login_requires_authentication() {
    let api = SandboxServer::new();
    for route in Sandbox::routes() {
        let path = route.path.replace(['{', '}'], "");
        let answer = api.send(&Caller::Anonymous, route.method.as_str(), &path, None).await;
        match route.auth {
            RouteAuth::Anonymous => assert_ne!(answer.status, 401, "{path}"),
            _ => assert_eq!(answer.status, 401, "{} {path}", route.method),
        }
    }
}

#[tokio::test]
async fn a_key_is_accepted_only_by_its_own_resource() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    api.bind(&account, "CloudClusterAdmin", &api.cluster_crn()).await;
    let kafka = api.create_key(&account, "lkc-prod1").await;
    let other = api.create_key(&account, "lkc-test1").await;
    let registry = api.create_key(&account, "lsrc-prod1").await;
    let cloud = api.create_key(&account, "cloud").await;
    for login in [&kafka, &other, &registry] {
        api.get(login, ENVIRONMENTS_PATH).await.expect_status(401);
    }
    let topics = "/kafka/v3/clusters/lkc-prod1/topics";
    api.get(&kafka, topics).await.expect_status(200);
    for login in [&other, &registry, &cloud] {
        api.get(login, topics).await.expect_status(401);
    }
}

#[tokio::test]
async fn revoked_keys_and_keys_of_deleted_accounts_are_rejected() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let (first, second) = (
        api.create_key(&account, "cloud").await,
        api.create_key(&account, "cloud").await,
    );
    let Caller::ApiKey(id, _) = &first else { unreachable!() };
    let path = format!("/iam/v2/api-keys/{id}");
    api.delete(&api.provisioner, &path).await.expect_status(204);
    api.get(&first, ENVIRONMENTS_PATH).await.expect_status(401);
    api.get(&second, ENVIRONMENTS_PATH).await.expect_status(200);
    // Afterwards the response is that for a key of another owner.
    api.get(&api.provisioner, &path).await.expect_status(403);
    api.delete(&api.provisioner, &path).await.expect_status(403);
    let account = format!("/iam/v2/service-accounts/{account}");
    api.delete(&api.provisioner, &account).await.expect_status(204);
    api.get(&second, ENVIRONMENTS_PATH).await.expect_status(401);
}

#[tokio::test]
async fn a_user_can_log_in_refresh_the_token_and_log_out() {
    let api = SandboxServer::new();
    api.get(&Caller::Anonymous, "/api/login/realm?email=admin@example.com")
        .await
        .expect_status(200);
    for wrong in [
        json!({ "email": "admin@example.com", "password": "wrong" }),
        json!({ "email": "eve@example.com", "password": "sandbox" }),
        json!({ "email": "admin@example.com", "password": "sandbox", "org_resource_id": "other" }),
        json!({ "refresh_token": "v1.nonsense" }),
        json!({}),
    ] {
        api.post(&Caller::Anonymous, "/api/sessions", wrong)
            .await
            .expect_status(403);
    }
    // The Confluent CLI sends the user part of its URL here; it is ignored.
    let login = json!({ "email": "admin@example.com", "password": "sandbox" });
    let session = api
        .post(&Caller::api_key("cpdev.cloud", ""), "/api/sessions", login)
        .await
        .expect_status(200);
    assert_eq!(session.string_at("/token").split('.').count(), 3);
    assert!(session.string_at("/refresh_token").starts_with("v1."));
    let bearer = Caller::Bearer(session.string_at("/token"));
    let me = api.get(&bearer, "/api/me").await.expect_status(200);
    assert_eq!(me.string_at("/user/email"), "admin@example.com");
    assert_eq!(
        me.string_at("/accounts/0/id"),
        "env-prod1",
        "the first stage becomes the active environment"
    );

    let refresh = json!({ "refresh_token": session.string_at("/refresh_token") });
    let renewed = api
        .post(&Caller::Anonymous, "/api/sessions", refresh.clone())
        .await
        .expect_status(200);
    let renewed = Caller::Bearer(renewed.string_at("/token"));
    api.get(&renewed, ENVIRONMENTS_PATH).await.expect_status(200);

    api.sandbox.advance(Duration::from_secs(3_601)).unwrap();
    api.get(&bearer, ENVIRONMENTS_PATH).await.expect_status(401);
    let login = json!({ "email": "admin@example.com", "password": "sandbox" });
    let session = api.post(&Caller::Anonymous, "/api/sessions", login).await;
    let bearer = Caller::Bearer(session.string_at("/token"));
    api.get(&bearer, ENVIRONMENTS_PATH).await.expect_status(200);
    api.delete(&bearer, "/api/sessions").await.expect_status(200);
    api.get(&bearer, ENVIRONMENTS_PATH).await.expect_status(401);
    let refresh = json!({ "refresh_token": session.string_at("/refresh_token") });
    api.post(&Caller::Anonymous, "/api/sessions", refresh)
        .await
        .expect_status(403);
}

#[tokio::test]
async fn a_data_plane_token_is_accepted_only_by_the_data_plane() {
    let api = SandboxServer::new();
    let token = api
        .post(&api.admin, "/api/access_tokens", json!({}))
        .await
        .expect_status(200);
    let token = Caller::Bearer(token.string_at("/token"));
    api.get(&token, "/kafka/v3/clusters/lkc-prod1/topics")
        .await
        .expect_status(200);
    api.get(&token, "/kafka/v3/clusters/lkc-nope/topics")
        .await
        .expect_status(404);
    api.get(&token, ENVIRONMENTS_PATH).await.expect_status(401);
}

#[tokio::test]
async fn only_the_control_token_can_impersonate_principals() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    api.bind(
        &account,
        "DeveloperRead",
        &format!("{}/connector=claims-*", api.cluster_crn()),
    )
    .await;
    let list = api
        .get(&Caller::Impersonated(account.clone()), ENVIRONMENTS_PATH)
        .await
        .expect_status(200);
    assert_eq!(list.items().len(), 1);
    api.get(&Caller::Impersonated("sa-nobody".into()), ENVIRONMENTS_PATH)
        .await
        .expect_status(401);

    let request = |token: Option<&str>| {
        let request = token.map_or_else(Request::builder, |token| {
            Request::builder().header("x-sandbox-token", token)
        });
        request
            .uri("http://127.0.0.1/org/v2/environments")
            .header("x-sandbox-as", account.as_str())
            .body(Body::empty())
            .unwrap()
    };
    api.call(request(None)).await.expect_status(401);
    api.call(request(Some("wrong"))).await.expect_status(401);
    api.call(request(Some(api.sandbox.control_token())))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn control_endpoints_return_404_without_the_control_token() {
    let api = SandboxServer::new();
    for path in ["info", "journal", "faults", "clock", "settings", "nonsense"] {
        api.get(&api.admin, &format!("/sandbox/v1/{path}"))
            .await
            .expect_status(404);
    }
    let ask = |token: String| {
        let request = Request::get("http://127.0.0.1/sandbox/v1/info").header("x-sandbox-token", token);
        request.body(Body::empty()).unwrap()
    };
    api.call(ask("wrong".into())).await.expect_status(401);
    let info = api
        .call(ask(api.sandbox.control_token().to_owned()))
        .await
        .expect_status(200);
    assert_eq!(info.string_at("/cluster"), "lkc-prod1");
    assert!(info.json().get("admin_secret").is_none());
    let entries = api.sandbox.journal().unwrap();
    assert!(
        entries
            .iter()
            .all(|entry| entry.path != "/sandbox/v1/info" || entry.status == 404)
    );
}
