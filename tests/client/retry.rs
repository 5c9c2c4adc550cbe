//! Retry rules (docs/reference/rbac.md#repeating-requests and docs/reference/rbac.md#rate-limits-and-retries).

use std::{sync::Arc, time::Duration};

use confluent_ebs::{
    api::{keys, mds},
    client::{Client, ClientError, Jitter, RequestFailure, RetryPolicy},
    clock::Clock,
};
use futures_util::future::join_all;
use http::StatusCode;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use crate::common::scripted_service::{
    ACCOUNT_BODY, ManualClock, RawTcpServer, ScriptedTransport, TestClient, canary_auth, create_request, http_response,
    read_request, register_tracing_callsites,
};

/// Mounts the responses of `first`, then a valid one, and expects exactly this number of requests.
async fn mount_responses(verb: &str, first: Vec<ResponseTemplate>, good: u64) -> MockServer {
    let server = MockServer::start().await;
    for answer in first {
        Mock::given(method(verb))
            .respond_with(answer)
            .up_to_n_times(1)
            .expect(1)
            .mount(&server)
            .await;
    }
    let answer = ResponseTemplate::new(200).set_body_string(ACCOUNT_BODY);
    Mock::given(method(verb))
        .respond_with(answer)
        .expect(good)
        .mount(&server)
        .await;
    server
}

fn throttled_response(header: &str, value: &str) -> ResponseTemplate {
    ResponseTemplate::new(429).insert_header(header, value)
}

#[tokio::test]
async fn a_429_is_retried_for_every_method_after_the_wait_in_its_headers() {
    let date = throttled_response("retry-after", "Sun, 22 Nov 2026 12:01:00 GMT")
        .insert_header("date", "Sun, 22 Nov 2026 12:00:00 GMT");
    let answers = [
        (throttled_response("retry-after", "7"), 7),
        (date, 60),
        (throttled_response("x-ratelimit-reset", "11"), 11),
        (
            throttled_response("retry-after", "5").insert_header("x-ratelimit-reset", "99"),
            5,
        ),
    ];
    for (answer, seconds) in answers {
        let server = mount_responses("POST", vec![answer], 1).await;
        let test = TestClient::with_base_url(&server.uri());
        test.client.send(&create_request()).await.unwrap();
        assert_eq!(test.total_wait(), Duration::from_secs(seconds));
        assert_eq!(test.wait_seconds(), [seconds]);
        server.verify().await;
    }
}

#[tokio::test]
async fn a_429_without_retry_after_backs_off_exponentially() {
    let server = mount_responses("DELETE", vec![ResponseTemplate::new(429); 4], 1).await;
    let test = TestClient::with_builder(&server.uri(), |builder| builder.jitter(Jitter::ceiling()));
    test.client
        .send(&keys::DeleteApiKey("KEY".parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(test.wait_seconds(), [1, 2, 4, 8]);
    assert_eq!(test.total_wait(), Duration::from_secs(15));
    let notice = test.notices.lock().unwrap()[2].clone();
    assert_eq!(notice.call, "delete API key `KEY`");
    assert_eq!(notice.reason, "Confluent Cloud returned 429 Too Many Requests");
    assert_eq!(notice.attempts, 3);
}

#[tokio::test]
async fn retries_stop_at_the_wait_budget_and_the_error_reports_the_wait() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(throttled_response("retry-after", "40"))
        .expect(3)
        .mount(&server)
        .await;
    let policy = RetryPolicy {
        budget: Duration::from_secs(100),
        ..RetryPolicy::default()
    };
    let test = TestClient::with_builder(&server.uri(), |builder| builder.policy(policy));
    let error = test.client.send(&read_request()).await.unwrap_err();
    assert!(error.is_throttled() && error.is_transient());
    assert_eq!(
        error.to_string(),
        "could not read service account `sa-1`: Confluent Cloud returned 429 Too Many Requests (3 attempts, 80 s of waiting)"
    );
    assert_eq!(test.total_wait(), Duration::from_secs(80));
}

#[tokio::test]
async fn a_retry_after_beyond_the_budget_fails_at_once_for_all_callers() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(throttled_response("retry-after", "3600"))
        .expect(1)
        .mount(&server)
        .await;
    let test = TestClient::with_base_url(&server.uri());
    let error = test.client.send(&read_request()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::TOO_MANY_REQUESTS));
    let error = test.client.send(&read_request()).await.unwrap_err();
    assert!(matches!(error, ClientError::RetryBudgetExceeded { .. }) && error.is_throttled());
    assert_eq!(
        error.to_string(),
        "could not read service account `sa-1`: Confluent Cloud asks to wait 3600 s, but only 300 s are left for retries"
    );
    assert_eq!(test.total_wait(), Duration::ZERO);
}

#[tokio::test]
async fn a_429_pauses_all_concurrent_calls() {
    let transport = ScriptedTransport::new(|number, _| match number {
        1 => http_response(429, &[("retry-after", "30")], ""),
        _ => http_response(200, &[], ACCOUNT_BODY),
    });
    let held = ManualClock::new();
    register_tracing_callsites();
    let client = Client::builder(
        "http://127.0.0.1:1".parse().unwrap(),
        transport.clone(),
        canary_auth(),
        Clock::new(held.clone()),
    )
    .jitter(Jitter::none())
    .build();
    let call = |client: Client| tokio::spawn(async move { client.send(&read_request()).await.map(|_| ()) });
    let first = call(client.clone());
    held.wait_for_sleepers(1).await;
    // Another caller of the same service also waits.
    let others = [call(client.clone()), call(client.with_auth(canary_auth()))];
    held.wait_for_sleepers(3).await;
    held.advance(Duration::from_secs(29));
    tokio::task::yield_now().await;
    assert_eq!(transport.request_count(), 1);
    held.advance(Duration::from_secs(1));
    for done in join_all(others.into_iter().chain([first])).await {
        done.unwrap().unwrap();
    }
    assert_eq!(transport.request_count(), 4);
}

#[tokio::test]
async fn concurrency_is_bounded_halved_after_a_429_and_restored() {
    let transport = ScriptedTransport::new(|number, _| match number {
        21 => http_response(429, &[("retry-after", "1")], ""),
        _ => http_response(200, &[], ACCOUNT_BODY),
    });
    let test = TestClient::with_transport("http://127.0.0.1:1", transport.clone(), |builder| {
        builder.concurrency(6)
    });
    let wave = |count: usize| {
        let client = test.client.clone();
        async move {
            let read = read_request();
            for answer in join_all((0..count).map(|_| client.send(&read))).await {
                answer.unwrap();
            }
        }
    };
    wave(20).await;
    assert_eq!(transport.max_running.load(std::sync::atomic::Ordering::SeqCst), 6);
    wave(1).await;
    assert_eq!(test.client.allowed_concurrency(), 3);
    wave(2).await;
    assert_eq!(test.client.allowed_concurrency(), 4);
    wave(40).await;
    assert_eq!(test.client.allowed_concurrency(), 6);
}

#[tokio::test]
async fn a_5xx_is_retried_for_idempotent_methods() {
    for (verb, status) in [("GET", 500), ("PATCH", 502), ("DELETE", 503), ("GET", 504)] {
        let server = mount_responses(verb, vec![ResponseTemplate::new(status); 2], 1).await;
        let test = TestClient::with_builder(&server.uri(), |builder| builder.jitter(Jitter::ceiling()));
        match verb {
            "GET" => test.client.send(&read_request()).await.map(|_| ()),
            "PATCH" => test
                .client
                .send(&confluent_ebs::api::iam::UpdateServiceAccount {
                    id: "sa-1".parse().unwrap(),
                    description: "d".into(),
                })
                .await
                .map(|_| ()),
            _ => test
                .client
                .send(&mds::DeleteRoleBinding("rb-1".parse().unwrap()))
                .await
                .map(|_| ()),
        }
        .unwrap();
        assert_eq!(test.wait_seconds(), [1, 2]);
        server.verify().await;
    }
}

#[tokio::test]
async fn a_persistent_500_is_tried_five_times() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(500))
        .expect(5)
        .mount(&server)
        .await;
    let test = TestClient::with_builder(&server.uri(), |builder| builder.jitter(Jitter::ceiling()));
    let error = test.client.send(&read_request()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("returned 500 Internal Server Error (5 attempts, 15 s of waiting)"),
        "{text}"
    );
    assert_eq!(
        (error.tries().count, error.tries().waited),
        (5, Duration::from_secs(15))
    );
}

#[tokio::test]
async fn a_503_waits_for_its_retry_after() {
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "20");
    let server = mount_responses("GET", vec![answer], 1).await;
    let test = TestClient::with_base_url(&server.uri());
    test.client.send(&read_request()).await.unwrap();
    assert_eq!(test.total_wait(), Duration::from_secs(20));
}

#[tokio::test]
async fn permanent_errors_are_not_retried() {
    let limited = r#"{"error":{"code":500,"message":"Your organization is currently limited to 5 keys"}}"#;
    for (status, body) in [
        (400, ""),
        (401, ""),
        (402, ""),
        (403, ""),
        (404, ""),
        (409, ""),
        (422, ""),
        (501, ""),
        (500, limited),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_string(body);
        Mock::given(method("GET"))
            .respond_with(answer)
            .expect(1)
            .mount(&server)
            .await;
        let test = TestClient::with_base_url(&server.uri());
        let error = test.client.send(&read_request()).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert!(test.notices.lock().unwrap().is_empty());
        server.verify().await;
    }
}

#[tokio::test]
async fn a_post_is_not_retried_after_a_5xx_and_the_error_says_the_outcome_is_unknown() {
    let server = MockServer::start().await;
    let body = r#"{"errors":[{"id":"r7","status":"500","code":"internal","detail":"Oops."}]}"#;
    let answer = ResponseTemplate::new(500).set_body_string(body);
    Mock::given(method("POST"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    let test = TestClient::with_base_url(&server.uri());
    let error = test.client.send(&create_request()).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert!(
        matches!(&error, ClientError::OutcomeUnknown { failure, .. } if matches!(**failure, RequestFailure::Response(_)))
    );
    assert_eq!(error.request_id(), Some("r7"));
    assert_eq!(
        error.to_string(),
        "unknown whether the request to create service account `ebs-prod-claims-operator` succeeded: \
         Confluent Cloud returned 500 internal: Oops (request r7)"
    );
}

#[tokio::test]
async fn a_lost_response_is_retried_for_a_read_but_not_for_a_create() {
    const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 79\r\n\r\n\
        {\"api_version\":\"iam/v2\",\"kind\":\"ServiceAccount\",\"id\":\"sa-1\",\"display_name\":\"a\"}";
    // Connections closed without a response, and in the middle of one.
    for lost in [None, Some("HTTP/1.1 200 OK\r\ncontent-length: 79\r\n\r\n{\"api_ver")] {
        let raw = RawTcpServer::start(vec![lost, Some(GOOD)]).await;
        let test = TestClient::with_base_url(&raw.url());
        assert_eq!(GOOD.split("\r\n\r\n").nth(1).unwrap().len(), 79);
        test.client.send(&read_request()).await.unwrap();
        assert_eq!(raw.request_count(), 2);

        let raw = RawTcpServer::start(vec![lost, Some(GOOD)]).await;
        let test = TestClient::with_base_url(&raw.url());
        let error = test.client.send(&create_request()).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        assert_eq!((raw.request_count(), error.tries().count), (1, 1));
        assert!(
            error.to_string().contains("broke before the response was complete"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_is_retried_for_every_method() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let test = TestClient::with_builder(&format!("http://127.0.0.1:{port}"), |builder| {
        builder.jitter(Jitter::ceiling())
    });
    let error = test.client.send(&create_request()).await.unwrap_err();
    assert!(!error.is_outcome_unknown() && error.is_transient());
    assert_eq!(test.wait_seconds(), [1, 2, 4, 8]);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "could not create service account `ebs-prod-claims-operator`: cannot connect to `127.0.0.1:{port}`: "
        )),
        "{text}"
    );
    assert!(text.ends_with("(5 attempts, 15 s of waiting)"), "{text}");
}

#[tokio::test]
async fn a_dropped_call_releases_its_concurrency_slot() {
    let transport = ScriptedTransport::new(|_, _| http_response(200, &[], ACCOUNT_BODY));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder.concurrency(1));
    let client = test.client.clone();
    {
        let read = read_request();
        let mut call = std::pin::pin!(client.send(&read));
        // Polled once, so that it holds the only permit, then dropped.
        assert!(futures_util::poll!(call.as_mut()).is_pending());
    }
    let listener = Arc::new(|_: &_| {});
    test.client.with_on_retry(listener).send(&read_request()).await.unwrap();
}
