//! Straight into a service of this process, as the sandbox is used.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    body::Body,
    http::{HeaderMap, Uri},
    routing::{get, post},
};
use confluent_ebs::{
    api::iam,
    client::{Auth, InProcess},
};
use futures_util::stream;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::rig::{ACCOUNT, Rig, create, read};

#[tokio::test]
async fn the_service_sees_what_it_would_see_behind_a_socket() {
    let echo = post(|uri: Uri, headers: HeaderMap, Json(body): Json<Value>| async move {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(uri.to_string(), "/iam/v2/service-accounts");
        assert_eq!(header("host"), "127.0.0.1:1");
        assert_eq!(
            header("authorization"),
            "Basic VEVTVEtFWTpjZmx0LWNhbmFyeS1vZi10aGUtb3duLWtleQ=="
        );
        Json(json!({ "id": "sa-7", "display_name": body["display_name"], "description": header("content-length") }))
    });
    let router = Router::new().route(iam::SERVICE_ACCOUNTS, echo);
    let rig = Rig::over("http://127.0.0.1:1", Arc::new(InProcess::new(router)), |builder| {
        builder
    });
    let answer = rig.client.send(&create()).await.unwrap();
    assert_eq!(answer.value.display_name, "ebs-prod-claims-operator");
    assert!(answer.value.description.parse::<usize>().unwrap() > 20);
}

#[tokio::test]
async fn headers_can_stand_for_a_caller() {
    let who = get(|headers: HeaderMap| async move {
        assert!(headers.get("authorization").is_none());
        Json(json!({ "id": "sa-1", "display_name": headers["x-acting-as"].to_str().unwrap() }))
    });
    let router = Router::new().route(iam::SERVICE_ACCOUNT, who);
    let rig = Rig::over("http://127.0.0.1:1", Arc::new(InProcess::new(router)), |builder| {
        builder
    });
    let acting = Auth::Headers(vec![(
        HeaderName::from_static("x-acting-as"),
        HeaderValue::from_static("claims/operator"),
    )]);
    let answer = rig.client.with_auth(acting).send(&read()).await.unwrap();
    assert_eq!(answer.value.display_name, "claims/operator");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_lost_answer() {
    fn broken() -> Body {
        let pieces = [Ok(ACCOUNT[..10].to_owned()), Err(std::io::Error::other("cut"))];
        Body::from_stream(stream::iter(pieces))
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let once_broken = get(|| async move {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => broken(),
            _ => Body::from(ACCOUNT),
        }
    });
    let router = Router::new()
        .route(iam::SERVICE_ACCOUNT, once_broken)
        .route(iam::SERVICE_ACCOUNTS, post(|| async { broken() }));
    let rig = Rig::over("http://127.0.0.1:1", Arc::new(InProcess::new(router)), |builder| {
        builder
    });
    rig.client.send(&read()).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let error = rig.client.send(&create()).await.unwrap_err();
    assert!(error.is_answer_lost(), "{error}");
    assert!(
        error.to_string().ends_with("broke before the answer was complete: cut"),
        "{error}"
    );
}
