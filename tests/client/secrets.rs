//! Secrets must not appear anywhere at any verbosity.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use confluent_ebs::{
    api::{connect, keys, org::ListEnvironments},
    client::trace::{WireTrace, subscriber},
    redact::SecretRegistry,
};

use crate::common::scripted_service::{
    CANARY, ScriptedTransport, TestClient, http_response, register_tracing_callsites,
};

#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl LogBuffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn create_key_request() -> keys::CreateApiKey {
    keys::CreateApiKey {
        owner: "sa-1".into(),
        resource: keys::CLOUD.into(),
        environment: None,
        display_name: "claims-operator".into(),
        description: "ebs:v1 state=new".into(),
    }
}

fn create_connector_request() -> connect::CreateConnector {
    let config = [
        ("connection.password", "canary-of-the-database"),
        ("azure.eventhubs.sas.key", "canary-of-the-hub"),
        ("tasks.max", "1"),
    ];
    connect::CreateConnector {
        cluster_path: connect::ClusterPath {
            environment: "env-1".parse().unwrap(),
            cluster: "lkc-1".parse().unwrap(),
        },
        name: "claims-policies".into(),
        config: BTreeMap::from(config.map(|(key, value)| (key.to_owned(), value.to_owned()))),
        offsets: None,
    }
}

#[tokio::test]
async fn no_secret_appears_in_traces_events_errors_or_notices() {
    let transport = ScriptedTransport::new(|number, _| match number {
        1 => http_response(
            202,
            &[("x-request-id", "r1"), ("set-cookie", "session=canary-of-the-session")],
            r#"{"id":"NEWKEY","spec":{"secret":"canary-of-the-new-key","owner":{"id":"sa-1"},"resource":{"id":"cloud"}}}"#,
        ),
        // The service echoes the rejected value, including the caller's secret.
        2 => http_response(
            429,
            &[("retry-after", "1")],
            &format!(r#"{{"error":{{"message":"canary-of-the-database {CANARY}"}}}}"#),
        ),
        3 => http_response(
            400,
            &[("x-echo", "canary-of-the-database")],
            r#"{"error":{"code":400,"message":"`canary-of-the-database` does not open the database, `canary-of-the-hub` no hub"}}"#,
        ),
        // In a form that cannot be searched.
        _ => http_response(
            200,
            &[("content-type", "text/plain")],
            "refresh_token=canary-of-a-token",
        ),
    });
    let (wire, events) = (LogBuffer::default(), LogBuffer::default());
    let sink = events.clone();
    let trace = Arc::new(WireTrace::new(wire.clone()));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder.wire_trace(trace));

    let guard = tracing::subscriber::set_default(subscriber(4, SecretRegistry::default(), move || sink.clone()));
    let made = test.client.send(&create_key_request()).await.unwrap();
    let secret = made.value.spec.secret.clone().unwrap();
    assert_eq!(secret.expose(), "canary-of-the-new-key");
    let refused = test.client.send(&create_connector_request()).await.unwrap_err();
    let unreadable = test.client.list(ListEnvironments).await.unwrap_err();
    drop(guard);

    let notices = format!("{:?}", test.notices.lock().unwrap());
    let everything = [
        wire.text(),
        events.text(),
        notices,
        format!("{made:?} {:?}", test.client),
        format!("{refused} {refused:?}"),
        format!("{unreadable} {unreadable:?}"),
    ];
    for text in &everything {
        for canary in ["canary", "VEVTVEtFW"] {
            assert!(!text.contains(canary), "{text}");
        }
    }
    assert!(
        refused
            .to_string()
            .contains("400: `[redacted]` does not open the database, `[redacted]` no hub ("),
        "{refused}"
    );

    // Values that are not secret stay visible; otherwise the trace would be useless.
    let wire = wire.text();
    for line in [
        "> POST http://127.0.0.1:1/iam/v2/api-keys",
        "> authorization: [redacted]",
        ">     \"display_name\": \"claims-operator\",",
        ">     \"connection.password\": \"[redacted]\",",
        ">     \"tasks.max\": \"1\"",
        "< 202 Accepted",
        "< x-request-id: r1",
        "< set-cookie: [redacted]",
        "<     \"secret\": \"[redacted]\",",
        "< (31 bytes of text/plain, not shown)",
    ] {
        assert!(wire.lines().any(|shown| shown.starts_with(line)), "{line}\n{wire}");
    }
    let events = events.text();
    for part in [
        "DEBUG",
        "operation=\"CreateApiKey\"",
        "status=202",
        "request_id=\"r1\"",
        "attempt=2",
        "INFO",
        "wait=1 s",
    ] {
        assert!(events.contains(part), "{part}\n{events}");
    }
    assert!(
        !events.contains("page_size"),
        "the path is logged without its query\n{events}"
    );
}

#[tokio::test]
async fn control_characters_in_service_names_are_escaped_in_output() {
    let page =
        r#"{"api_version":"org/v2","kind":"EnvironmentList","data":[{"id":"bad\u001b[2J\u202e\nERROR forged"}]}"#;
    let transport = ScriptedTransport::new(move |_, _| http_response(200, &[("x-request-id", "r1")], page));
    let (wire, events) = (LogBuffer::default(), LogBuffer::default());
    let sink = events.clone();
    let trace = Arc::new(WireTrace::new(wire.clone()));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder.wire_trace(trace));
    let guard = tracing::subscriber::set_default(subscriber(0, SecretRegistry::default(), move || sink.clone()));
    assert!(test.client.list(ListEnvironments).await.unwrap().is_empty());
    drop(guard);

    let events = events.text();
    assert_eq!(events.lines().count(), 1, "{events}");
    assert!(
        events.contains("WARN") && events.contains("skipped an unreadable item"),
        "{events}"
    );
    for text in [events, wire.text()] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("ERROR")), "{text}");
    }
}

#[test]
fn each_verbosity_level_shows_more_events() {
    register_tracing_callsites();
    let shown = |verbosity| {
        let events = LogBuffer::default();
        let sink = events.clone();
        tracing::subscriber::with_default(
            subscriber(verbosity, SecretRegistry::default(), move || sink.clone()),
            || {
                tracing::warn!(target: "confluent_ebs::client", "own warning");
                tracing::info!(target: "confluent_ebs::client", "own info");
                tracing::debug!(target: "confluent_ebs::client", "own debug");
                tracing::trace!(target: "confluent_ebs::client", "own trace");
                tracing::warn!(target: "library", "other warning");
                tracing::debug!(target: "library", "other debug");
            },
        );
        let text = events.text();
        [
            "own warning",
            "own info",
            "own debug",
            "own trace",
            "other warning",
            "other debug",
        ]
        .map(|words| u8::from(text.contains(words)))
    };
    assert_eq!(shown(0), [1, 0, 0, 0, 0, 0]);
    assert_eq!(shown(1), [1, 0, 0, 0, 1, 0]);
    assert_eq!(shown(2), [1, 1, 0, 0, 1, 0]);
    assert_eq!(shown(3), [1, 1, 1, 0, 1, 0]);
    assert_eq!(shown(4), [1, 1, 1, 1, 1, 0]);
}
