//! Sockets: time limits, certificates, redirects, proxies, and what is never opened.

use std::{sync::Arc, time::Duration};

use confluent_ebs::{
    client::{CertificateIssuer, Client, ClientError, RetryPolicy, Socket, SocketSettings, Transport, TransportError},
    clock::Clock,
    hint::Advice,
};
use tokio::process::Command;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header_exists, path},
};

use crate::inspected::inspected;
use crate::rig::{ACCOUNT, Raw, Rig, auth, create, read};

fn cause(error: &ClientError) -> &TransportError {
    match error {
        ClientError::NoAnswer { cause, .. } => cause,
        other => panic!("no transport failed: {other}"),
    }
}

#[tokio::test]
async fn a_service_that_is_silent_is_given_up_after_its_time() {
    // Bound and never accepted: the connection is made, and nothing is ever said.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap());
    let settings = SocketSettings {
        timeout: Duration::from_millis(40),
        ..SocketSettings::default()
    };
    let policy = RetryPolicy {
        tries: 2,
        ..RetryPolicy::default()
    };
    let rig = Rig::over(&base, Arc::new(Socket::new(settings)), |builder| builder.policy(policy));
    let error = rig.client.send(&read()).await.unwrap_err();
    assert!(matches!(cause(&error), TransportError::Timeout { .. }), "{error}");
    assert_eq!(error.tries().count, 2);
    let error = rig.client.send(&create()).await.unwrap_err();
    assert!(error.is_answer_lost() && error.tries().count == 1, "{error}");
}

#[tokio::test]
async fn a_redirect_is_followed_to_the_same_place_with_everything_the_request_had() {
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
        .respond_with(ResponseTemplate::new(201).set_body_string(ACCOUNT))
        .expect(1)
        .mount(&server)
        .await;
    Rig::at(&server.uri()).client.send(&create()).await.unwrap();
}

#[tokio::test]
async fn a_redirect_elsewhere_is_an_error_and_the_credentials_stay() {
    let (server, elsewhere) = (MockServer::start().await, MockServer::start().await);
    Mock::given(any())
        .respond_with(ResponseTemplate::new(302).insert_header("location", elsewhere.uri()))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let error = Rig::at(&server.uri()).client.send(&read()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 302);
    assert!(
        error.to_string().contains(&format!("it points to {}", elsewhere.uri())),
        "{error}"
    );
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(307).insert_header("location", "/again"))
        .expect(4)
        .mount(&server)
        .await;
    let error = Rig::at(&server.uri()).client.send(&read()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 307);
}

#[tokio::test]
async fn the_sandbox_opens_nothing_but_loopback() {
    let settings = SocketSettings {
        loopback_only: true,
        ..SocketSettings::default()
    };
    let socket = Arc::new(Socket::new(settings));
    let rig = Rig::over("https://api.example.com", socket.clone(), |builder| builder);
    let error = rig.client.send(&read()).await.unwrap_err();
    assert!(matches!(cause(&error), TransportError::Forbidden(_)), "{error}");
    assert_eq!((error.tries().count, error.is_transient()), (1, false));
    assert!(
        error
            .to_string()
            .ends_with("api.example.com is not this machine, and the sandbox opens nothing else"),
        "{error}"
    );

    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT))
        .expect(1)
        .mount(&server)
        .await;
    let named = server.uri().replace("127.0.0.1", "localhost");
    Rig::over(&named, socket, |builder| builder)
        .client
        .send(&read())
        .await
        .unwrap();
}

#[tokio::test]
async fn credentials_are_not_sent_unencrypted_beyond_this_machine() {
    let error = Rig::at("http://api.example.com")
        .client
        .send(&read())
        .await
        .unwrap_err();
    assert!(matches!(cause(&error), TransportError::Forbidden(_)), "{error}");
}

#[tokio::test]
async fn a_refused_certificate_names_its_issuer_and_is_not_tried_again() {
    let (address, _) = inspected(ACCOUNT).await;
    let rig = Rig::at(&format!("https://{address}"));
    let error = rig.client.send(&create()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "could not create service account `ebs-prod-claims-operator`: the certificate of {address} is not trusted: \
             it was issued by Inspection CA 7 (Example Insurance): nobody here vouches for its issuer"
        )
    );
    assert_eq!((error.tries().count, error.is_transient()), (1, false));
    assert!(error.hints()[0].as_str().contains("SSL_CERT_FILE"));
}

/// What the environment changes is tested in a process of its own, since a test must not change that of the others.
async fn in_environment(base: &str, expected: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "network::child", "--ignored", "--nocapture"]);
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
async fn child() {
    let base = std::env::var("TEST_BASE").unwrap();
    let expected = std::env::var("TEST_EXPECTED").unwrap();
    let policy = RetryPolicy {
        tries: 1,
        ..RetryPolicy::default()
    };
    let socket = Arc::new(Socket::new(SocketSettings::default()));
    let client = Client::builder(base.parse().unwrap(), socket.clone(), auth(), Clock::system())
        .policy(policy)
        .build();
    let request = http::Request::get(format!("{base}/"))
        .body(bytes::Bytes::new())
        .unwrap();
    let outcome = match client.send(&read()).await {
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
async fn a_custom_authority_from_the_environment_is_trusted() {
    let (address, pem) = inspected(ACCOUNT).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let base = format!("https://{address}");
    // The systems of Apple and Microsoft have rules of their own for what may be an authority.
    if cfg!(all(unix, not(target_vendor = "apple"))) {
        let authority = write("authority.pem", &pem);
        in_environment(
            &base,
            "answered with a certificate of Inspection CA 7 (Example Insurance)",
            &[("SSL_CERT_FILE", &authority)],
        )
        .await;
    }
    let empty = write("empty.pem", "nothing\n");
    in_environment(
        &base,
        "which SSL_CERT_FILE names, holds no certificate",
        &[("SSL_CERT_FILE", &empty)],
    )
    .await;
    in_environment(&base, "cannot be read", &[("SSL_CERT_FILE", "/nowhere/authority.pem")]).await;
}

#[tokio::test]
async fn a_proxy_is_used_for_others_and_never_for_this_machine() {
    let proxy = Raw::start(vec![Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")]).await;
    let address = proxy.url();
    let variables = [
        ("HTTP_PROXY", address.as_str()),
        ("HTTPS_PROXY", &address),
        ("ALL_PROXY", &address),
    ];

    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(ACCOUNT))
        .expect(4)
        .mount(&server)
        .await;
    in_environment(&server.uri(), "answered", &variables).await;
    in_environment(&server.uri().replace("127.0.0.1", "localhost"), "answered", &variables).await;
    assert_eq!(proxy.count(), 0);

    in_environment(
        "https://api.example.com",
        "could not connect to api.example.com:443",
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
