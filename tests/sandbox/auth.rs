//! Who gets in, and who gets 401 (dossier `rbac.md` §5.3, `native-cli.md` §5.2).

use std::time::Duration;

use axum::body::Body;
use confluent_ebs::sandbox::{Access, Sandbox};
use http::Request;
use serde_json::json;

use crate::harness::{Harness, Login};

const ENVIRONMENTS: &str = "/org/v2/environments";

#[tokio::test]
async fn without_a_right_key_there_is_401_and_a_challenge() {
    let world = Harness::new();
    let Login::Key(id, secret) = world.admin.clone() else {
        unreachable!()
    };
    for login in [
        Login::Nobody,
        Login::key("UNKNOWNKEY123456", &secret),
        Login::key(&id, "cfltwrong"),
        Login::key(&id, ""),
        Login::Bearer("a.b.c".into()),
        Login::Bearer(String::new()),
    ] {
        let answer = world.get(&login, ENVIRONMENTS).await.expect(401);
        assert!(answer.header("www-authenticate").is_some(), "{login:?}");
        assert_eq!(answer.error().0, "user_unauthenticated");
    }
    // Terraform's provider tells a bad key from a deleted object by these words.
    let answer = world.get(&Login::key(&id, "x"), ENVIRONMENTS).await;
    assert!(answer.error().1.contains("invalid API key"));
    world.get(&world.admin, ENVIRONMENTS).await.expect(200);
}

#[tokio::test]
async fn every_route_but_the_log_in_asks_who_is_there() {
    let world = Harness::new();
    for route in Sandbox::routes() {
        let path = route.path.replace(['{', '}'], "");
        let answer = world.send(&Login::Nobody, route.method.as_str(), &path, None).await;
        match route.access {
            Access::Anonymous => assert_ne!(answer.status, 401, "{path}"),
            _ => assert_eq!(answer.status, 401, "{} {path}", route.method),
        }
    }
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for_and_nothing_else() {
    let world = Harness::new();
    let account = world.account("claims").await;
    world.bind(&account, "CloudClusterAdmin", &world.cluster_crn()).await;
    let kafka = world.make_key(&account, "lkc-prod1").await;
    let other = world.make_key(&account, "lkc-test1").await;
    let registry = world.make_key(&account, "lsrc-prod1").await;
    let cloud = world.make_key(&account, "cloud").await;
    for login in [&kafka, &other, &registry] {
        world.get(login, ENVIRONMENTS).await.expect(401);
    }
    let topics = "/kafka/v3/clusters/lkc-prod1/topics";
    world.get(&kafka, topics).await.expect(200);
    for login in [&other, &registry, &cloud] {
        world.get(login, topics).await.expect(401);
    }
}

#[tokio::test]
async fn a_revoked_key_and_the_key_of_a_deleted_account_open_nothing() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let (first, second) = (
        world.make_key(&account, "cloud").await,
        world.make_key(&account, "cloud").await,
    );
    let Login::Key(id, _) = &first else { unreachable!() };
    let path = format!("/iam/v2/api-keys/{id}");
    world.delete(&world.provisioner, &path).await.expect(204);
    world.get(&first, ENVIRONMENTS).await.expect(401);
    world.get(&second, ENVIRONMENTS).await.expect(200);
    // Afterwards the key answers like somebody else's.
    world.get(&world.provisioner, &path).await.expect(403);
    world.delete(&world.provisioner, &path).await.expect(403);
    let account = format!("/iam/v2/service-accounts/{account}");
    world.delete(&world.provisioner, &account).await.expect(204);
    world.get(&second, ENVIRONMENTS).await.expect(401);
}

#[tokio::test]
async fn a_person_logs_in_goes_on_with_the_refresh_token_and_logs_out() {
    let world = Harness::new();
    world
        .get(&Login::Nobody, "/api/login/realm?email=admin@example.com")
        .await
        .expect(200);
    for wrong in [
        json!({ "email": "admin@example.com", "password": "wrong" }),
        json!({ "email": "eve@example.com", "password": "sandbox" }),
        json!({ "email": "admin@example.com", "password": "sandbox", "org_resource_id": "other" }),
        json!({ "refresh_token": "v1.nonsense" }),
        json!({}),
    ] {
        world.post(&Login::Nobody, "/api/sessions", wrong).await.expect(403);
    }
    // The stock CLI sends its URL's user part here: it is ignored.
    let login = json!({ "email": "admin@example.com", "password": "sandbox" });
    let session = world
        .post(&Login::key("cpdev.cloud", ""), "/api/sessions", login)
        .await
        .expect(200);
    assert_eq!(session.text("/token").split('.').count(), 3);
    assert!(session.text("/refresh_token").starts_with("v1."));
    let bearer = Login::Bearer(session.text("/token"));
    let me = world.get(&bearer, "/api/me").await.expect(200);
    assert_eq!(me.text("/user/email"), "admin@example.com");
    assert_eq!(
        me.text("/accounts/0/id"),
        "env-prod1",
        "the first stage becomes the active environment"
    );

    let refresh = json!({ "refresh_token": session.text("/refresh_token") });
    let renewed = world
        .post(&Login::Nobody, "/api/sessions", refresh.clone())
        .await
        .expect(200);
    let renewed = Login::Bearer(renewed.text("/token"));
    world.get(&renewed, ENVIRONMENTS).await.expect(200);

    world.sandbox.advance(Duration::from_secs(3_601)).unwrap();
    world.get(&bearer, ENVIRONMENTS).await.expect(401);
    let login = json!({ "email": "admin@example.com", "password": "sandbox" });
    let session = world.post(&Login::Nobody, "/api/sessions", login).await;
    let bearer = Login::Bearer(session.text("/token"));
    world.get(&bearer, ENVIRONMENTS).await.expect(200);
    world.delete(&bearer, "/api/sessions").await.expect(200);
    world.get(&bearer, ENVIRONMENTS).await.expect(401);
    let refresh = json!({ "refresh_token": session.text("/refresh_token") });
    world.post(&Login::Nobody, "/api/sessions", refresh).await.expect(403);
}

#[tokio::test]
async fn a_data_plane_token_opens_the_data_plane_alone() {
    let world = Harness::new();
    let token = world
        .post(&world.admin, "/api/access_tokens", json!({}))
        .await
        .expect(200);
    let token = Login::Bearer(token.text("/token"));
    world
        .get(&token, "/kafka/v3/clusters/lkc-prod1/topics")
        .await
        .expect(200);
    world
        .get(&token, "/kafka/v3/clusters/lkc-nope/topics")
        .await
        .expect(404);
    world.get(&token, ENVIRONMENTS).await.expect(401);
}

#[tokio::test]
async fn the_control_token_stands_in_for_anybody_and_nobody_else_does() {
    let world = Harness::new();
    let account = world.account("claims").await;
    world
        .bind(
            &account,
            "DeveloperRead",
            &format!("{}/connector=claims-*", world.cluster_crn()),
        )
        .await;
    let list = world.get(&Login::As(account.clone()), ENVIRONMENTS).await.expect(200);
    assert_eq!(list.data().len(), 1);
    world
        .get(&Login::As("sa-nobody".into()), ENVIRONMENTS)
        .await
        .expect(401);

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
    world.call(request(None)).await.expect(401);
    world.call(request(Some("wrong"))).await.expect(401);
    world
        .call(request(Some(world.sandbox.control_token())))
        .await
        .expect(200);
}

#[tokio::test]
async fn control_endpoints_do_not_exist_without_the_token() {
    let world = Harness::new();
    for path in ["info", "journal", "faults", "clock", "settings", "nonsense"] {
        world
            .get(&world.admin, &format!("/sandbox/v1/{path}"))
            .await
            .expect(404);
    }
    let ask = |token: String| {
        let request = Request::get("http://127.0.0.1/sandbox/v1/info").header("x-sandbox-token", token);
        request.body(Body::empty()).unwrap()
    };
    world.call(ask("wrong".into())).await.expect(401);
    let info = world
        .call(ask(world.sandbox.control_token().to_owned()))
        .await
        .expect(200);
    assert_eq!(info.text("/cluster"), "lkc-prod1");
    assert!(info.json().get("admin_secret").is_none());
    let entries = world.sandbox.journal().unwrap();
    assert!(
        entries
            .iter()
            .all(|entry| entry.path != "/sandbox/v1/info" || entry.status == 404)
    );
}
