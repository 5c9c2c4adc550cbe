//! Sockets: timeouts, certificates, redirects, proxies, and connections that must not be opened.

use std::{sync::Arc, time::Duration};

use confluent_ebs::{
    client::{
        CertificateIssuer, Client, ClientError, HttpTransport, HttpTransportSettings, RetryPolicy, Transport,
        TransportError,
    },
    clock::Clock,
    hint::Advice,
};
use tokio::process::Command;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header_exists, path},
};

use crate::common::{
    scripted_service::{ACCOUNT_BODY, RawTcpServer, TestClient, canary_auth, create_request, read_request},
    tls_inspection::start_inspecting_proxy,
};

fn transport_error(error: &ClientError) -> &TransportError {
    match error {
        ClientError::NoResponse { cause, .. } => cause,
        other => panic!("not a transport error: {other}"),
    }
}

#[tokio::test]
async fn a_request_without_a_response_times_out() {
    // Bound and never accepted: the connection is established, but there is no response.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap());
    let settings = HttpTransportSettings {
        timeout: Duration::from_millis(40),
        ..HttpTransportSettings::default()
    };
    let policy = RetryPolicy {
        max_attempts: 2,
        ..RetryPolicy::default()
    };
    let test = TestClient::with_transport(&base, Arc::new(HttpTransport::new(settings)), |builder| {
        builder.policy(policy)
    });
    let error = test.client.send(&read_request()).await.unwrap_err();
    assert!(
        matches!(transport_error(&error), TransportError::Timeout { .. }),
        "{error}"
    );
    assert_eq!(error.tries().count, 2);
    let error = test.client.send(&create_request()).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.tries().count == 1, "{error}");
}

#[tokio::test]
async fn a_redirect_to_the_same_host_keeps_method_body_and_credentials() {
    let server = MockServer::start().await;
    Mock::given(path("/iam/v2/service-accounts"))
        .respond_with(ResponseTemplate::new(307).insert_header("location", "/moved?to=here"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/moved"))
        .and(header_exists("authorization"))
        .and(wiremock::matchers::method("POST"))
        .and(wiremock::matchers::body_partial_json(
            serde_json::json!({ "display_name": "ebs-prod-claims-operator" }),
        ))
        .respond_with(ResponseTemplate::new(201).set_body_string(ACCOUNT_BODY))
        .expect(1)
        .mount(&server)
        .await;
    TestClient::with_base_url(&server.uri())
        .client
        .send(&create_request())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_redirect_to_another_host_is_an_error_and_sends_no_credentials() {
    let (server, elsewhere) = (MockServer::start().await, MockServer::start().await);
    Mock::given(any())
        .respond_with(ResponseTemplate::new(302).insert_header("location", elsewhere.uri()))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT_BODY))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let error = TestClient::with_base_url(&server.uri())
        .client
        .send(&read_request())
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 302);
    assert!(
        error
            .to_string()
            .contains(&format!("redirect to `{}` not followed", elsewhere.uri())),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_loop_ends_with_an_error() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(307).insert_header("location", "/again"))
        .expect(4)
        .mount(&server)
        .await;
    let error = TestClient::with_base_url(&server.uri())
        .client
        .send(&read_request())
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 307);
}

#[tokio::test]
async fn a_loopback_only_socket_refuses_other_hosts() {
    let settings = HttpTransportSettings {
        loopback_only: true,
        ..HttpTransportSettings::default()
    };
    let socket = Arc::new(HttpTransport::new(settings));
    let test = TestClient::with_transport("https://api.example.com", socket.clone(), |builder| builder);
    let error = test.client.send(&read_request()).await.unwrap_err();
    assert!(matches!(transport_error(&error), TransportError::NotSent(_)), "{error}");
    assert_eq!((error.tries().count, error.is_transient()), (1, false));
    assert!(
        error
            .to_string()
            .ends_with("`api.example.com` is not a loopback host, and the sandbox allows no other host"),
        "{error}"
    );

    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT_BODY))
        .expect(1)
        .mount(&server)
        .await;
    let named = server.uri().replace("127.0.0.1", "localhost");
    TestClient::with_transport(&named, socket, |builder| builder)
        .client
        .send(&read_request())
        .await
        .unwrap();
}

#[tokio::test]
async fn credentials_are_not_sent_over_plain_http_to_another_host() {
    let error = TestClient::with_base_url("http://api.example.com")
        .client
        .send(&read_request())
        .await
        .unwrap_err();
    assert!(matches!(transport_error(&error), TransportError::NotSent(_)), "{error}");
}

#[tokio::test]
async fn an_untrusted_certificate_names_its_issuer_and_is_not_retried() {
    let (address, _) = start_inspecting_proxy(ACCOUNT_BODY).await;
    let test = TestClient::with_base_url(&format!("https://{address}"));
    let error = test.client.send(&create_request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "could not create service account `ebs-prod-claims-operator`: the certificate of `{address}` is not trusted: \
             it was issued by Inspection CA 7 (Example Insurance): its issuer is not trusted on this machine"
        )
    );
    assert_eq!((error.tries().count, error.is_transient()), (1, false));
    assert!(error.hints()[0].as_str().contains("SSL_CERT_FILE"));
}

/// Environment variables are tested in a process of their own, because a test must not change those of others.
async fn run_child_with_environment(base: &str, expected: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "network::a_child_process_sends_one_request",
        "--ignored",
        "--nocapture",
    ]);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child
        .env("TEST_BASE", base)
        .env("TEST_EXPECTED", expected)
        .envs(variables.iter().copied());
    let output = child.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("1 passed"), "{stdout}");
}

#[tokio::test]
#[ignore = "a part of other tests, which start it with an environment of their own"]
async fn a_child_process_sends_one_request() {
    let base = std::env::var("TEST_BASE").unwrap();
    let expected = std::env::var("TEST_EXPECTED").unwrap();
    let policy = RetryPolicy {
        max_attempts: 1,
        ..RetryPolicy::default()
    };
    let socket = Arc::new(HttpTransport::new(HttpTransportSettings::default()));
    let client = Client::builder(base.parse().unwrap(), socket.clone(), canary_auth(), Clock::system())
        .policy(policy)
        .build();
    let request = http::Request::get(format!("{base}/"))
        .body(bytes::Bytes::new())
        .unwrap();
    let outcome = match client.send(&read_request()).await {
        Ok(_) => match socket
            .send(request)
            .await
            .unwrap()
            .extensions()
            .get::<CertificateIssuer>()
        {
            Some(issuer) => format!("answered with a certificate of {}", issuer.0),
            None => "answered".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    assert!(outcome.contains(&expected), "{outcome}");
}

#[tokio::test]
async fn a_certificate_authority_from_the_environment_is_trusted() {
    let (address, pem) = start_inspecting_proxy(ACCOUNT_BODY).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let base = format!("https://{address}");
    // Apple and Microsoft systems have their own rules for valid authorities.
    if cfg!(all(unix, not(target_vendor = "apple"))) {
        let authority = write("authority.pem", &pem);
        run_child_with_environment(
            &base,
            "answered with a certificate of Inspection CA 7 (Example Insurance)",
            &[("SSL_CERT_FILE", &authority)],
        )
        .await;
    }
    let empty = write("empty.pem", "nothing\n");
    run_child_with_environment(
        &base,
        "(from `SSL_CERT_FILE`) contains no certificate",
        &[("SSL_CERT_FILE", &empty)],
    )
    .await;
    run_child_with_environment(&base, "cannot read", &[("SSL_CERT_FILE", "/nowhere/authority.pem")]).await;
}

#[tokio::test]
async fn a_proxy_is_used_for_other_hosts_but_not_for_loopback() {
    let proxy = RawTcpServer::start(vec![Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")]).await;
    let address = proxy.url();
    let variables = [
        ("HTTP_PROXY", address.as_str()),
        ("HTTPS_PROXY", &address),
        ("ALL_PROXY", &address),
    ];

    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT_BODY))
        .expect(4)
        .mount(&server)
        .await;
    run_child_with_environment(&server.uri(), "answered", &variables).await;
    run_child_with_environment(&server.uri().replace("127.0.0.1", "localhost"), "answered", &variables).await;
    assert_eq!(proxy.request_count(), 0);

    run_child_with_environment(
        "https://api.example.com",
        "cannot connect to `api.example.com:443`",
        &variables,
    )
    .await;
    let asked = proxy.requests.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("CONNECT api.example.com:443"), "{asked:?}");
    assert!(
        !asked[0].contains("VEVTVEtFW"),
        "the key is not the proxy's business: {asked:?}"
    );
}
