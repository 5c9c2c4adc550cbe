//! The sandbox on a socket: loopback only, one server per folder, the same responses.

use std::time::Duration;

use confluent_ebs::sandbox::{Fault, FaultKind, Sandbox, SandboxError, SandboxSettings, Seed};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::common::SandboxServer;

async fn start_server(sandbox: &Sandbox) -> (String, tokio::task::JoinHandle<Result<(), SandboxError>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let sandbox = sandbox.clone();
    (address, tokio::spawn(async move { sandbox.serve(listener).await }))
}

/// Sends one request as bytes and returns the complete response.
async fn raw_request(address: &str, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A broken connection is a result, too.
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_request(path: &str, host: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn requests_with_a_foreign_host_header_are_refused() {
    let api = SandboxServer::new();
    let (address, server) = start_server(&api.sandbox).await;
    for host in ["127.0.0.1", "localhost:1024", "[::1]:1"] {
        let answer = raw_request(&address, &get_request("/api/login/realm", host, "")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
    for host in ["example.com", "rebound.example.com:80"] {
        let answer = raw_request(&address, &get_request("/api/login/realm", host, "")).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    let origin = "Origin: http://example.com\r\n";
    let answer = raw_request(&address, &get_request("/api/login/realm", "127.0.0.1", origin)).await;
    assert!(!answer.to_lowercase().contains("access-control"), "no CORS");
    server.abort();
}

#[tokio::test]
async fn a_lost_response_breaks_the_connection() {
    let api = SandboxServer::new();
    let (address, server) = start_server(&api.sandbox).await;
    api.sandbox.add_fault(Fault::once(FaultKind::LostAfter)).unwrap();
    let answer = raw_request(&address, &get_request("/api/login/realm", "127.0.0.1", "")).await;
    assert!(!answer.contains("is_sso"), "{answer}");
    assert!(!answer.contains("\r\n0\r\n"), "the body is incomplete: {answer}");
    let answer = raw_request(&address, &get_request("/api/login/realm", "127.0.0.1", "")).await;
    assert!(answer.contains("is_sso"));
    server.abort();
}

#[tokio::test]
async fn a_folder_has_one_server_that_other_processes_discover() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(dir.path(), Seed::default(), None).unwrap();
    assert_eq!(Sandbox::running_server_url(dir.path()), None);
    let (address, server) = start_server(&sandbox).await;
    let url = format!("http://{address}");
    while Sandbox::running_server_url(dir.path()).is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(Sandbox::running_server_url(dir.path()), Some(url.clone()));
    assert_eq!(sandbox.info(false).unwrap().url, Some(url.clone()));
    let other = Sandbox::open(dir.path(), Seed::default(), None).unwrap();
    assert_eq!(other.info(false).unwrap().url, Some(url.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = other.serve(listener).await.unwrap_err();
    assert!(matches!(error, SandboxError::AlreadyRunning { url: found } if found == url));
    // The token grants access to the control endpoints over the socket.
    let token = Sandbox::read_control_token(dir.path()).unwrap().unwrap();
    let header = format!("X-Sandbox-Token: {token}\r\n");
    let answer = raw_request(
        &address,
        &get_request("/sandbox/v1/info?show_secrets=true", "127.0.0.1", &header),
    )
    .await;
    assert!(answer.contains("\"admin_secret\":\"cflt"), "{answer}");
    server.abort();
    let _ = server.await;
    assert_eq!(
        Sandbox::running_server_url(dir.path()),
        None,
        "a dead server leaves nothing behind"
    );
}

#[tokio::test]
async fn the_server_refuses_non_loopback_addresses() {
    let api = SandboxServer::new();
    let Ok(listener) = TcpListener::bind("0.0.0.0:0").await else {
        return;
    };
    let error = api.sandbox.serve(listener).await.unwrap_err();
    assert!(matches!(error, SandboxError::NotLoopback(_)));
}

#[tokio::test]
async fn a_served_clock_runs_at_its_time_scale() {
    let settings = SandboxSettings {
        time_scale: 100_000.0,
        ..SandboxSettings::instant()
    };
    let api = SandboxServer::with_settings(settings);
    let (_, server) = start_server(&api.sandbox).await;
    tokio::task::yield_now().await;
    // A minute in the sandbox takes 0.6 ms.
    let before = api.sandbox.now().unwrap();
    api.sandbox.clock().sleep(Duration::from_mins(1)).await;
    let passed = api.sandbox.now().unwrap().duration_since(before);
    assert!(passed.as_secs() >= 60, "{passed}");
    server.abort();
}

#[tokio::test]
async fn a_huge_body_is_refused() {
    let api = SandboxServer::new();
    let body = serde_json::json!({ "display_name": "x".repeat(5 << 20) });
    api.post(&api.admin, "/iam/v2/service-accounts", body)
        .await
        .expect_status(413);
}
