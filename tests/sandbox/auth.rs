//! Authentication and 401 (docs/reference/rbac.md#credentials-by-api and docs/reference/cli.md#login-requests).

use std::time::Duration;

use axum::body::Body;
use confluent_ebs::sandbox::{RouteAuth, Sandbox};
use http::Request;
use serde_json::json;

use crate::sandbox_fixture::{Caller, SandboxFixture};

const ENVIRONMENTS_PATH: &str = "/org/v2/environments";

#[tokio::test]
async fn an_invalid_key_gets_401_with_a_challenge() {
    let fixture = SandboxFixture::new();
    let Caller::ApiKey(id, secret) = fixture.admin.clone() else {
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
        let answer = fixture.get(&login, ENVIRONMENTS_PATH).await.expect_status(401);
        assert!(answer.header("www-authenticate").is_some(), "{login:?}");
        assert_eq!(answer.first_error().0, "user_unauthenticated");
    }
    // The Terraform provider distinguishes a bad key from a deleted object by this text.
    let answer = fixture.get(&Caller::api_key(&id, "x"), ENVIRONMENTS_PATH).await;
    assert!(answer.first_error().1.contains("invalid API key"));
    fixture.get(&fixture.admin, ENVIRONMENTS_PATH).await.expect_status(200);
}

#[tokio::test]
async fn every_route_except_login_requires_authentication() {
    let fixture = SandboxFixture::new();
    for route in Sandbox::routes() {
        let path = route.path.replace(['{', '}'], "");
        let answer = fixture
            .send(&Caller::Anonymous, route.method.as_str(), &path, None)
            .await;
        match route.auth {
            RouteAuth::Anonymous => assert_ne!(answer.status, 401, "{path}"),
            _ => assert_eq!(answer.status, 401, "{} {path}", route.method),
        }
    }
}

#[tokio::test]
async fn a_key_is_accepted_only_by_its_own_resource() {
    let fixture = SandboxFixture::new();
    let account = fixture.create_account("claims").await;
    fixture
        .bind(&account, "CloudClusterAdmin", &fixture.cluster_crn())
        .await;
    let kafka = fixture.create_key(&account, "lkc-prod1").await;
    let other = fixture.create_key(&account, "lkc-test1").await;
    let registry = fixture.create_key(&account, "lsrc-prod1").await;
    let cloud = fixture.create_key(&account, "cloud").await;
    for login in [&kafka, &other, &registry] {
        fixture.get(login, ENVIRONMENTS_PATH).await.expect_status(401);
    }
    let topics = "/kafka/v3/clusters/lkc-prod1/topics";
    fixture.get(&kafka, topics).await.expect_status(200);
    for login in [&other, &registry, &cloud] {
        fixture.get(login, topics).await.expect_status(401);
    }
}

#[tokio::test]
async fn revoked_keys_and_keys_of_deleted_accounts_are_rejected() {
    let fixture = SandboxFixture::new();
    let account = fixture.create_account("claims").await;
    let (first, second) = (
        fixture.create_key(&account, "cloud").await,
        fixture.create_key(&account, "cloud").await,
    );
    let Caller::ApiKey(id, _) = &first else { unreachable!() };
    let path = format!("/iam/v2/api-keys/{id}");
    fixture.delete(&fixture.provisioner, &path).await.expect_status(204);
    fixture.get(&first, ENVIRONMENTS_PATH).await.expect_status(401);
    fixture.get(&second, ENVIRONMENTS_PATH).await.expect_status(200);
    // Afterwards the response is that for a key of another owner.
    fixture.get(&fixture.provisioner, &path).await.expect_status(403);
    fixture.delete(&fixture.provisioner, &path).await.expect_status(403);
    let account = format!("/iam/v2/service-accounts/{account}");
    fixture.delete(&fixture.provisioner, &account).await.expect_status(204);
    fixture.get(&second, ENVIRONMENTS_PATH).await.expect_status(401);
}

#[tokio::test]
async fn a_user_can_log_in_refresh_the_token_and_log_out() {
    let fixture = SandboxFixture::new();
    fixture
        .get(&Caller::Anonymous, "/api/login/realm?email=admin@example.com")
        .await
        .expect_status(200);
    for wrong in [
        json!({ "email": "admin@example.com", "password": "wrong" }),
        json!({ "email": "eve@example.com", "password": "sandbox" }),
        json!({ "email": "admin@example.com", "password": "sandbox", "org_resource_id": "other" }),
        json!({ "refresh_token": "v1.nonsense" }),
        json!({}),
    ] {
        fixture
            .post(&Caller::Anonymous, "/api/sessions", wrong)
            .await
            .expect_status(403);
    }
    // The Confluent CLI sends the user part of its URL here; it is ignored.
    let login = json!({ "email": "admin@example.com", "password": "sandbox" });
    let session = fixture
        .post(&Caller::api_key("cpdev.cloud", ""), "/api/sessions", login)
        .await
        .expect_status(200);
    assert_eq!(session.string_at("/token").split('.').count(), 3);
    assert!(session.string_at("/refresh_token").starts_with("v1."));
    let bearer = Caller::Bearer(session.string_at("/token"));
    let me = fixture.get(&bearer, "/api/me").await.expect_status(200);
    assert_eq!(me.string_at("/user/email"), "admin@example.com");
    assert_eq!(
        me.string_at("/accounts/0/id"),
        "env-prod1",
        "the first stage becomes the active environment"
    );

    let refresh = json!({ "refresh_token": session.string_at("/refresh_token") });
    let renewed = fixture
        .post(&Caller::Anonymous, "/api/sessions", refresh.clone())
        .await
        .expect_status(200);
    let renewed = Caller::Bearer(renewed.string_at("/token"));
    fixture.get(&renewed, ENVIRONMENTS_PATH).await.expect_status(200);

    fixture.sandbox.advance(Duration::from_secs(3_601)).unwrap();
    fixture.get(&bearer, ENVIRONMENTS_PATH).await.expect_status(401);
    let login = json!({ "email": "admin@example.com", "password": "sandbox" });
    let session = fixture.post(&Caller::Anonymous, "/api/sessions", login).await;
    let bearer = Caller::Bearer(session.string_at("/token"));
    fixture.get(&bearer, ENVIRONMENTS_PATH).await.expect_status(200);
    fixture.delete(&bearer, "/api/sessions").await.expect_status(200);
    fixture.get(&bearer, ENVIRONMENTS_PATH).await.expect_status(401);
    let refresh = json!({ "refresh_token": session.string_at("/refresh_token") });
    fixture
        .post(&Caller::Anonymous, "/api/sessions", refresh)
        .await
        .expect_status(403);
}

#[tokio::test]
async fn a_data_plane_token_is_accepted_only_by_the_data_plane() {
    let fixture = SandboxFixture::new();
    let token = fixture
        .post(&fixture.admin, "/api/access_tokens", json!({}))
        .await
        .expect_status(200);
    let token = Caller::Bearer(token.string_at("/token"));
    fixture
        .get(&token, "/kafka/v3/clusters/lkc-prod1/topics")
        .await
        .expect_status(200);
    fixture
        .get(&token, "/kafka/v3/clusters/lkc-nope/topics")
        .await
        .expect_status(404);
    fixture.get(&token, ENVIRONMENTS_PATH).await.expect_status(401);
}

#[tokio::test]
async fn only_the_control_token_can_impersonate_principals() {
    let fixture = SandboxFixture::new();
    let account = fixture.create_account("claims").await;
    fixture
        .bind(
            &account,
            "DeveloperRead",
            &format!("{}/connector=claims-*", fixture.cluster_crn()),
        )
        .await;
    let list = fixture
        .get(&Caller::Impersonated(account.clone()), ENVIRONMENTS_PATH)
        .await
        .expect_status(200);
    assert_eq!(list.items().len(), 1);
    fixture
        .get(&Caller::Impersonated("sa-nobody".into()), ENVIRONMENTS_PATH)
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
    fixture.call(request(None)).await.expect_status(401);
    fixture.call(request(Some("wrong"))).await.expect_status(401);
    fixture
        .call(request(Some(fixture.sandbox.control_token())))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn control_endpoints_return_404_without_the_control_token() {
    let fixture = SandboxFixture::new();
    for path in ["info", "journal", "faults", "clock", "settings", "nonsense"] {
        fixture
            .get(&fixture.admin, &format!("/sandbox/v1/{path}"))
            .await
            .expect_status(404);
    }
    let ask = |token: String| {
        let request = Request::get("http://127.0.0.1/sandbox/v1/info").header("x-sandbox-token", token);
        request.body(Body::empty()).unwrap()
    };
    fixture.call(ask("wrong".into())).await.expect_status(401);
    let info = fixture
        .call(ask(fixture.sandbox.control_token().to_owned()))
        .await
        .expect_status(200);
    assert_eq!(info.string_at("/cluster"), "lkc-prod1");
    assert!(info.json().get("admin_secret").is_none());
    let entries = fixture.sandbox.journal().unwrap();
    assert!(
        entries
            .iter()
            .all(|entry| entry.path != "/sandbox/v1/info" || entry.status == 404)
    );
}
