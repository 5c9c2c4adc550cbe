//! Faults in every call of Connect (docs/reference/connect.md#transport-and-authentication): repeated 429, server
//! errors, and bodies that are compressed, huge, or for another request.

use std::{collections::BTreeMap, io::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use confluent_ebs::{
    api::{
        RetrySafety,
        connect::{
            AlterOffsets, ClusterPath, CreateConnector, DeleteConnector, GetConnector, GetConnectorConfig,
            GetConnectorStatus, GetErrorRecommendations, GetOffsets, GetOffsetsStatus, ListConnectorTasks,
            ListConnectors, ListPlugins, PauseConnector, PutConnectorConfig, RestartConnector, ResumeConnector,
            ValidateConfig,
        },
    },
    client::{Client, ClientError},
};
use futures_util::future::BoxFuture;

use crate::common::scripted_service::{ScriptedTransport, TestClient, http_response};

/// A call: its name, whether it may be retried, a valid response, and the request.
struct ConnectCall {
    name: &'static str,
    repeat: RetrySafety,
    success_response: (u16, &'static str),
    send: fn(Client) -> BoxFuture<'static, Result<(), ClientError>>,
}

fn cluster_location() -> ClusterPath {
    ClusterPath {
        environment: "env-1".parse().unwrap(),
        cluster: "lkc-1".parse().unwrap(),
    }
}

fn connector_config() -> BTreeMap<String, String> {
    let lines = [("connector.class", "DatagenSource"), ("name", "claims orders")];
    lines.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// `PutConnectorConfig` of `PutConnectorConfig { … }` and of `named_connector_request!(PutConnectorConfig)`.
fn endpoint_name(written: &'static str) -> &'static str {
    let written = written.strip_prefix("named_connector_request!(").unwrap_or(written);
    written.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

macro_rules! connect_calls {
    ($($endpoint:expr => $status:literal $good:literal, $repeat:ident;)+) => {
        vec![$(ConnectCall {
            name: endpoint_name(stringify!($endpoint)),
            repeat: RetrySafety::$repeat,
            success_response: ($status, $good),
            send: |client| Box::pin(async move { client.send(&$endpoint).await.map(drop) }),
        }),+]
    };
}

macro_rules! named_connector_request {
    ($name:ident) => {
        $name {
            cluster_path: cluster_location(),
            name: "claims orders".into(),
        }
    };
}

/// Every call, with the response it expects and whether it may be repeated.
fn all_connect_calls() -> Vec<ConnectCall> {
    connect_calls! {
        ListConnectors(cluster_location()) => 200 "{}", Idempotent;
        ListPlugins(cluster_location()) => 200 "[]", Idempotent;
        ValidateConfig { cluster_path: cluster_location(), plugin: "DatagenSource".into(), config: connector_config() } => 200 r#"{"configs":[]}"#, Idempotent;
        CreateConnector { cluster_path: cluster_location(), name: "claims orders".into(), config: connector_config(), offsets: None }
            => 201 r#"{"name":"claims orders"}"#, CheckFirst;
        PutConnectorConfig { cluster_path: cluster_location(), name: "claims orders".into(), config: connector_config() }
            => 200 r#"{"name":"claims orders"}"#, Idempotent;
        named_connector_request!(GetConnector) => 200 "{}", Idempotent;
        named_connector_request!(GetConnectorConfig) => 200 "{}", Idempotent;
        named_connector_request!(GetConnectorStatus) => 200 "{}", Idempotent;
        named_connector_request!(ListConnectorTasks) => 200 "[]", Idempotent;
        named_connector_request!(GetErrorRecommendations) => 200 "{}", Idempotent;
        named_connector_request!(PauseConnector) => 202 "", Idempotent;
        named_connector_request!(ResumeConnector) => 204 "", Idempotent;
        named_connector_request!(RestartConnector) => 202 "", CheckFirst;
        named_connector_request!(DeleteConnector) => 200 r#"{"error":null}"#, Idempotent;
        named_connector_request!(GetOffsets) => 200 "{}", Idempotent;
        named_connector_request!(GetOffsetsStatus) => 200 "{}", Idempotent;
        AlterOffsets { cluster_path: cluster_location(), name: "claims orders".into(), offsets: None } => 202 "{}", CheckFirst;
    }
}

fn test_with_transport(transport: &Arc<ScriptedTransport>) -> TestClient {
    TestClient::with_transport("http://127.0.0.1:1", transport.clone(), |builder| builder)
}

#[tokio::test]
async fn every_call_retries_repeated_429_responses() {
    for call in all_connect_calls() {
        let (status, body) = call.success_response;
        let transport = ScriptedTransport::new(move |number, _| match number {
            1..=3 => http_response(429, &[("retry-after", "2")], ""),
            _ => http_response(status, &[], body),
        });
        let test = test_with_transport(&transport);
        (call.send)(test.client.clone())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", call.name));
        assert_eq!(
            (transport.request_count(), test.total_wait()),
            (4, Duration::from_secs(6)),
            "{}",
            call.name
        );
    }
}

#[tokio::test]
async fn idempotent_calls_are_retried_after_503_but_create_restart_and_offset_changes_are_not() {
    for call in all_connect_calls() {
        let (status, body) = call.success_response;
        let transport = ScriptedTransport::new(move |number, _| match number {
            1 => http_response(503, &[], "<html>try again</html>"),
            _ => http_response(status, &[], body),
        });
        let done = (call.send)(test_with_transport(&transport).client.clone()).await;
        match call.repeat {
            RetrySafety::Idempotent => {
                assert_eq!((done.is_ok(), transport.request_count()), (true, 2), "{}", call.name);
            }
            RetrySafety::CheckFirst => {
                let error = done.unwrap_err();
                assert!(
                    error.is_outcome_unknown() && transport.request_count() == 1,
                    "{}: {error}",
                    call.name
                );
            }
        }
    }
}

#[tokio::test]
async fn a_gzip_error_body_is_decoded_for_every_call() {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(br#"{"error":{"code":400,"message":"topics: \"topics\" is required"}}"#)
        .unwrap();
    let zip = Bytes::from(zip.finish().unwrap());
    for call in all_connect_calls() {
        let zip = zip.clone();
        let transport =
            ScriptedTransport::new(move |_, _| http::Response::builder().status(400).body(zip.clone()).unwrap());
        let error = (call.send)(test_with_transport(&transport).client.clone())
            .await
            .unwrap_err();
        assert_eq!(error.detail(), Some("topics: \"topics\" is required"), "{}", call.name);
    }
}

// Source: docs/reference/connect.md#error-bodies. 403 can also mean not found.
#[tokio::test]
async fn a_403_response_is_never_treated_as_not_found() {
    for call in all_connect_calls() {
        let transport =
            ScriptedTransport::new(|_, _| http_response(403, &[], r#"{"error":{"code":403,"message":"Forbidden"}}"#));
        let error = (call.send)(test_with_transport(&transport).client.clone())
            .await
            .unwrap_err();
        assert!(error.is_forbidden() && !error.is_not_found(), "{}: {error}", call.name);
    }
}

// Source: docs/reference/connect.md#create-a-connector; docs/reference/connect.md#error-messages, pattern 7. A
// permanent 500.
#[tokio::test]
async fn an_unknown_plugin_error_is_not_retried() {
    let text = "Failed to find any class that implements Connector and which name matches Datagen";
    for call in all_connect_calls()
        .into_iter()
        .filter(|call| ["ValidateConfig", "CreateConnector"].contains(&call.name))
    {
        let body = format!(r#"{{"error_code":500,"message":"{text}"}}"#);
        let transport = ScriptedTransport::new(move |_, _| http_response(500, &[], &body));
        let error = (call.send)(test_with_transport(&transport).client.clone())
            .await
            .unwrap_err();
        assert_eq!((transport.request_count(), error.detail()), (1, Some(text)));
        assert!(
            error.is_not_found() && !error.is_outcome_unknown() && !error.is_transient(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn error_messages_name_the_failed_action() {
    let refused =
        |_: usize, _: &http::Request<Bytes>| http_response(400, &[], r#"{"error":{"code":400,"message":"no"}}"#);
    let mut said = BTreeMap::new();
    for call in all_connect_calls() {
        let transport = ScriptedTransport::new(refused);
        let error = (call.send)(test_with_transport(&transport).client.clone())
            .await
            .unwrap_err()
            .to_string();
        let deed = error
            .strip_prefix("could not ")
            .unwrap()
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        said.insert(call.name, deed);
    }
    for (name, deed) in [
        ("CreateConnector", "create connector `claims orders`"),
        ("PutConnectorConfig", "update connector `claims orders`"),
        ("ValidateConfig", "check configuration of plugin `DatagenSource`"),
        ("AlterOffsets", "change offsets of connector `claims orders`"),
    ] {
        assert_eq!(said[name], deed);
    }
    let by_name: Vec<_> = said
        .values()
        .filter(|deed| deed.ends_with("connector `claims orders`"))
        .collect();
    for deed in ["pause", "resume", "restart", "delete", "read"] {
        assert!(by_name.iter().any(|said| said.starts_with(deed)), "{deed}: {by_name:?}");
    }
}

#[tokio::test]
async fn a_five_megabyte_list_is_read_and_a_five_megabyte_error_is_truncated() {
    let entry = |number: usize| {
        let config = format!(r#"{{"name":"claims-{number}","filler":"{}"}}"#, "x".repeat(500));
        format!(r#""claims-{number}":{{"id":{{"id":"lcc-{number}"}},"info":{{"config":{config}}}}}"#)
    };
    let all: Vec<_> = (0..9_000).map(entry).collect();
    let list = format!("{{{}}}", all.join(","));
    assert!(list.len() > 5 << 20);
    let transport = ScriptedTransport::new(move |_, _| http_response(200, &[], &list));
    let read = test_with_transport(&transport)
        .client
        .send(&ListConnectors(cluster_location()))
        .await
        .unwrap()
        .value;
    assert_eq!((read.len(), read["claims-8999"].id.id.as_str()), (9_000, "lcc-8999"));

    for body in [
        format!(r#"{{"error":{{"code":400,"message":"{}"}}}}"#, "x".repeat(5 << 20)),
        format!("<html>{}</html>", "y".repeat(5 << 20)),
    ] {
        let transport = ScriptedTransport::new(move |_, _| http_response(400, &[], &body));
        let error = test_with_transport(&transport)
            .client
            .send(&ListConnectors(cluster_location()))
            .await
            .unwrap_err();
        assert!(error.to_string().len() < 10_000, "{}", error.to_string().len());
    }
}
