//! The transport to a service in the same process, as used for the sandbox.

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
    client::{Auth, InProcessTransport},
};
use futures_util::stream;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::common::scripted_service::{ACCOUNT_BODY, TestClient, create_request, read_request};

#[tokio::test]
async fn an_in_process_request_equals_a_socket_request() {
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
    let test = TestClient::with_transport(
        "http://127.0.0.1:1",
        Arc::new(InProcessTransport::new(router)),
        |builder| builder,
    );
    let answer = test.client.send(&create_request()).await.unwrap();
    assert_eq!(answer.value.display_name, "ebs-prod-claims-operator");
    assert!(answer.value.description.parse::<usize>().unwrap() > 20);
}

#[tokio::test]
async fn impersonation_headers_replace_the_authorization_header() {
    let who = get(|headers: HeaderMap| async move {
        assert!(headers.get("authorization").is_none());
        Json(json!({ "id": "sa-1", "display_name": headers["x-acting-as"].to_str().unwrap() }))
    });
    let router = Router::new().route(iam::SERVICE_ACCOUNT, who);
    let test = TestClient::with_transport(
        "http://127.0.0.1:1",
        Arc::new(InProcessTransport::new(router)),
        |builder| builder,
    );
    let acting = Auth::Headers(vec![(
        HeaderName::from_static("x-acting-as"),
        HeaderValue::from_static("claims/operator"),
    )]);
    let answer = test.client.with_auth(acting).send(&read_request()).await.unwrap();
    assert_eq!(answer.value.display_name, "claims/operator");
}

#[tokio::test]
async fn a_truncated_response_body_is_a_lost_response() {
    fn truncated_body() -> Body {
        let pieces = [Ok(ACCOUNT_BODY[..10].to_owned()), Err(std::io::Error::other("cut"))];
        Body::from_stream(stream::iter(pieces))
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let once_broken = get(|| async move {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => truncated_body(),
            _ => Body::from(ACCOUNT_BODY),
        }
    });
    let router = Router::new()
        .route(iam::SERVICE_ACCOUNT, once_broken)
        .route(iam::SERVICE_ACCOUNTS, post(|| async { truncated_body() }));
    let test = TestClient::with_transport(
        "http://127.0.0.1:1",
        Arc::new(InProcessTransport::new(router)),
        |builder| builder,
    );
    test.client.send(&read_request()).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let error = test.client.send(&create_request()).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("broke before the response was complete: cut"),
        "{error}"
    );
}
