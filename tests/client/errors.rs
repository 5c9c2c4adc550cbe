//! Messages of errors in each of the formats of the service (docs/reference/rbac.md#error-bodies and
//! docs/reference/connect.md#error-bodies).

use std::io::Write as _;

use confluent_ebs::{
    api::{connect, keys},
    client::ClientError,
    hint::Advice,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, method, path},
};

use crate::common::scripted_service::{
    ACCOUNT_BODY, ScriptedTransport, TestClient, create_request, http_response, read_request,
};

async fn error_for_response(status: u16, body: Vec<u8>, request_id: Option<&str>) -> ClientError {
    let server = MockServer::start().await;
    let mut answer = ResponseTemplate::new(status).set_body_bytes(body);
    if let Some(id) = request_id {
        answer = answer.insert_header("x-request-id", id);
    }
    Mock::given(method("GET"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    TestClient::with_base_url(&server.uri())
        .client
        .send(&read_request())
        .await
        .unwrap_err()
}

/// The service quotes stored values that this process never had, for example when a connector is restarted.
#[tokio::test]
async fn a_secret_that_only_the_service_knows_is_not_repeated() {
    for detail in [
        "connection.password: Invalid value Canary-7f3a9c2e for configuration connection.password: wrong",
        "cannot connect to jdbc:postgresql://app:Canary-7f3a9c2e@db.example.com/orders",
        "FATAL: rejected { password=Canary-7f3a9c2e, user=app }",
    ] {
        let body = serde_json::json!({ "error_code": 40003, "message": detail });
        let error = error_for_response(400, body.to_string().into_bytes(), None).await;
        let text = format!("{error} {error:?}");
        assert!(!text.contains("Canary"), "{text}");
        assert!(text.contains("40003"), "{text}");
    }
}

#[tokio::test]
async fn the_four_error_shapes_give_the_same_message_format() {
    let shapes = [
        (
            403,
            r#"{"errors":[{"id":"r1","status":"403","code":"forbidden_access","detail":"Forbidden Access."}]}"#,
            "403 forbidden_access: Forbidden Access (request r1)",
        ),
        (
            403,
            r#"{"status":403,"error":{"code":"FORBIDDEN","message":"Not yours."},"requestId":"r2"}"#,
            "403 FORBIDDEN: Not yours (request r2)",
        ),
        (
            403,
            r#"{"error_code":40301,"message":"Either unauthorized"}"#,
            "403 40301: Either unauthorized",
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"Bad config"}}"#,
            "400: Bad config",
        ),
        (
            407,
            "<html><body>Proxy says no</body></html>",
            "407: <html><body>Proxy says no</body></html>",
        ),
        (404, "", "404 Not Found"),
    ];
    for (status, body, expected) in shapes {
        let text = error_for_response(status, body.into(), None).await.to_string();
        assert_eq!(
            text,
            format!("could not read service account `sa-1`: Confluent Cloud returned {expected}")
        );
    }
}

#[tokio::test]
async fn the_header_request_id_wins_over_the_body_request_id() {
    let body = r#"{"errors":[{"id":"inner","detail":"no"}]}"#;
    let error = error_for_response(404, body.into(), Some("outer")).await;
    assert_eq!(error.request_id(), Some("outer"));
    assert!(error.is_not_found());
}

#[tokio::test]
async fn a_gzip_body_without_content_encoding_is_decoded() {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(br#"{"error":{"code":409,"message":"Name taken"}}"#)
        .unwrap();
    let error = error_for_response(409, zip.finish().unwrap(), None).await;
    assert!(error.is_conflict());
    assert_eq!(error.detail(), Some("Name taken"));
    // A truncated body is shown as text and is not fatal.
    assert_eq!(
        error_for_response(409, vec![0x1f, 0x8b, 0x00], None)
            .await
            .status()
            .unwrap()
            .as_u16(),
        409
    );
}

#[tokio::test]
async fn a_delete_error_in_a_200_response_is_an_error() {
    let transport = ScriptedTransport::new(|number, _| match number {
        1 => http_response(200, &[], r#"{"error":{"code":403,"message":"no"}}"#),
        2 => http_response(200, &[], r#"{"error":null}"#),
        3 => http_response(200, &[], r#"{"id":"rb-1"}"#),
        _ => http_response(204, &[], ""),
    });
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder);
    let delete = keys::DeleteApiKey("KEY".parse().unwrap());
    assert_eq!(test.client.send(&delete).await.unwrap_err().detail(), Some("no"));
    for _ in 0..3 {
        test.client.send(&delete).await.unwrap();
    }
}

#[tokio::test]
async fn an_unparsable_success_body_is_reported_with_the_reason() {
    let page = ("<html>Sign in</html>", "it is a web page, not JSON");
    let cut = (r#"{"id":"sa-1""#, "it is truncated");
    let form = (
        r#"{"id":"lkc-1"}"#,
        "it does not have the expected structure (line 1, column 14)",
    );
    for (body, why) in [page, cut, form, ("", "it is empty")] {
        let error = error_for_response(200, body.into(), Some("r9")).await;
        assert_eq!(
            error.to_string(),
            format!("could not read service account `sa-1`: invalid response: {why} (request r9)")
        );
        assert!(error.hints()[0].as_str().contains("proxy"));
    }
}

#[tokio::test]
async fn an_unreadable_create_response_leaves_the_outcome_unknown() {
    let transport = ScriptedTransport::new(|_, _| http_response(201, &[], "{"));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport.clone(), |builder| builder);
    assert!(
        test.client
            .send(&create_request())
            .await
            .unwrap_err()
            .is_outcome_unknown()
    );
    assert!(
        !test
            .client
            .send(&read_request())
            .await
            .unwrap_err()
            .is_outcome_unknown()
    );
    assert_eq!(transport.request_count(), 2);
}

#[tokio::test]
async fn a_success_response_carries_status_and_request_id() {
    let server = MockServer::start().await;
    let version = env!("CARGO_PKG_VERSION");
    let agent = format!(
        "confluent-ebs/{version} ({}; {})",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    Mock::given(method("POST"))
        .and(path("/iam/v2/service-accounts"))
        // `printf TESTKEY:cflt-canary-of-the-own-key | base64`
        .and(header(
            "authorization",
            "Basic VEVTVEtFWTpjZmx0LWNhbmFyeS1vZi10aGUtb3duLWtleQ==",
        ))
        .and(header("user-agent", agent.as_str()))
        .and(header("content-type", "application/json"))
        .respond_with(
            ResponseTemplate::new(201)
                .insert_header("x-request-id", "r3")
                .set_body_string(ACCOUNT_BODY),
        )
        .expect(1)
        .mount(&server)
        .await;
    let answer = TestClient::with_base_url(&server.uri())
        .client
        .send(&create_request())
        .await
        .unwrap();
    assert_eq!(answer.value.id.as_str(), "sa-1");
    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!(answer.request_id.as_deref(), Some("r3"));
}

#[tokio::test]
async fn a_base_url_keeps_its_path() {
    let server = MockServer::start().await;
    Mock::given(path("/api/iam/v2/service-accounts/sa-1"))
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT_BODY))
        .expect(1)
        .mount(&server)
        .await;
    TestClient::with_base_url(&format!("{}/api/", server.uri()))
        .client
        .send(&read_request())
        .await
        .unwrap();
}

#[tokio::test]
async fn names_that_would_change_the_url_path_are_rejected_before_sending() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    for name in ["", ".", ".."] {
        let status = connect::GetConnectorStatus {
            cluster_path: connect::ClusterPath {
                environment: "env-1".parse().unwrap(),
                cluster: "lkc-1".parse().unwrap(),
            },
            name: name.into(),
        };
        let error = TestClient::with_base_url(&server.uri())
            .client
            .send(&status)
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::InvalidRequest { .. }), "{error}");
    }
}
