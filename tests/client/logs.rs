//! Logs: tokens, pages and retries, with the behavior that the known clients of the service report
//! (docs/reference/logs.md).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use confluent_ebs::{
    api::logs::{LogSearch, SearchLogs},
    client::{ClientError, LogsClient, RetryPolicy, TokenCache, trace::WireTrace},
    model::Crn,
    redact::TextRedactor,
    resources::logs::{
        cursor::Window,
        follow::{LogFilter, LogTarget, read_window},
    },
};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::scripted_service::{CANARY, ScriptedTransport, TestClient, http_response};

const TOKEN: &str = "canary-of-the-token";

fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn crn() -> Crn {
    let cluster = "crn://confluent.cloud/organization=o/environment=env-1/cloud-cluster=lkc-1";
    format!("{cluster}/connector=claims-orders").parse().unwrap()
}

fn search_request() -> SearchLogs {
    SearchLogs {
        connector: crn(),
        search: LogSearch {
            level: vec!["ERROR".into()],
            search_text: None,
            id: Some("lcc-1".into()),
        },
        from: timestamp("2026-11-22T11:00:00Z"),
        to: timestamp("2026-11-22T12:00:00Z"),
        page: None,
    }
}

/// Received request: path with query, credentials, body.
type RecordedRequests = Arc<Mutex<Vec<(String, String, Value)>>>;

/// Log client whose service answers searches from a script, and token requests with `…-1`, `…-2`, ….
fn logs_client(
    script: impl Fn(usize, &Value) -> http::Response<Bytes> + Send + Sync + 'static,
    change: impl FnOnce(RetryPolicy) -> RetryPolicy,
) -> (LogsClient, TestClient, RecordedRequests) {
    let asked: RecordedRequests = Arc::default();
    let (heard, counts) = (asked.clone(), Mutex::new((0, 0)));
    let transport = ScriptedTransport::new(move |_, request| {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let target = request.uri().path_and_query().unwrap().to_string();
        let who = request.headers()["authorization"].to_str().unwrap().to_owned();
        let exchange = target == "/api/access_tokens";
        heard.lock().unwrap().push((target, who, body.clone()));
        let mut counts = counts.lock().unwrap();
        if exchange {
            counts.0 += 1;
            let token = json!({ "token": format!("{TOKEN}-{}", counts.0), "expires_at": "2026-11-22T12:10:00Z" });
            return http_response(200, &[], &token.to_string());
        }
        counts.1 += 1;
        script(counts.1, &body)
    });
    let policy = change(RetryPolicy::default());
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder.policy(policy));
    let logs = LogsClient::new(test.client.clone(), TokenCache::new(test.client.clone()), None);
    (logs, test, asked)
}

fn page_response(seconds: &[&str], next: &Value) -> http::Response<Bytes> {
    let data: Vec<Value> = seconds
        .iter()
        .map(|second| json!({ "timestamp": format!("2026-11-22T11:{second}Z"), "level": "ERROR", "message": second }))
        .collect();
    http_response(
        200,
        &[],
        &json!({ "data": data, "metadata": { "next": next } }).to_string(),
    )
}

async fn collect_all_lines(logs: &LogsClient) -> Result<Vec<String>, ClientError> {
    let pages: Vec<_> = logs
        .for_connector("lcc-1")
        .pages(search_request())
        .try_collect()
        .await?;
    Ok(pages.into_iter().flatten().map(|line| line.message).collect())
}

fn search_targets(asked: &RecordedRequests) -> Vec<String> {
    asked
        .lock()
        .unwrap()
        .iter()
        .map(|(target, ..)| target.clone())
        .collect()
}

// Source: docs/reference/logs.md#access-token. Basic authentication for the token, Bearer for searches, one token for
// many searches.
#[tokio::test]
async fn one_token_exchange_serves_all_pages() {
    let (logs, _, asked) = logs_client(
        |number, _| match number {
            1 => page_response(
                &["59:59.100", "59:58.100"],
                &json!("https://api.logging.confluent.cloud/logs/v1/search?page_token=a"),
            ),
            2 => page_response(&["59:57.100"], &json!("b")),
            _ => page_response(&[], &json!("c")),
        },
        |policy| policy,
    );
    assert_eq!(
        collect_all_lines(&logs).await.unwrap(),
        ["59:59.100", "59:58.100", "59:57.100"]
    );
    assert_eq!(
        search_targets(&asked),
        [
            "/api/access_tokens",
            "/logs/v1/search?page_size=200",
            "/logs/v1/search?page_size=200&page_token=a",
            "/logs/v1/search?page_size=200&page_token=b",
        ]
    );
    let asked = asked.lock().unwrap();
    assert!(asked[0].1.starts_with("Basic ") && asked[0].2 == json!({}));
    assert!(asked[1..].iter().all(|(_, who, _)| *who == format!("Bearer {TOKEN}-1")));
}

#[tokio::test]
async fn a_401_renews_the_token_once_and_a_second_401_is_the_error() {
    let refuses = |times: usize| {
        move |number: usize, _: &Value| match number <= times {
            true => http_response(401, &[], "unauthorized"),
            false => page_response(&["59:59.100"], &Value::Null),
        }
    };
    let (good, _, asked) = logs_client(refuses(1), |policy| policy);
    assert_eq!(collect_all_lines(&good).await.unwrap().len(), 1);
    let who: Vec<String> = asked.lock().unwrap().iter().map(|(_, who, _)| who.clone()).collect();
    assert!(who[3].ends_with("-2"), "{who:?}");
    let (bad, ..) = logs_client(refuses(9), |policy| policy);
    let error = collect_all_lines(&bad).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert!(
        error
            .to_string()
            .contains("could not read log lines of connector `claims-orders`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_token_error_in_a_200_response_is_reported_with_its_text() {
    let transport = ScriptedTransport::new(|_, _| http_response(200, &[], r#"{"error":"not today"}"#));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder);
    let logs = LogsClient::new(test.client.clone(), TokenCache::new(test.client.clone()), None);
    let error = collect_all_lines(&logs).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "could not get a token for logs: invalid response: it contains an error instead of a token: not today"
    );
}

// Source: docs/reference/logs.md#limits-and-errors. Without a hint from the service, the wait is long enough for the
// minute to pass; there are no five immediate retries.
#[tokio::test]
async fn a_log_search_429_without_retry_after_waits_twelve_seconds() {
    let (logs, test, asked) = logs_client(
        |number, _| match number {
            1 | 2 => http_response(429, &[], ""),
            _ => page_response(&["59:59.100"], &Value::Null),
        },
        |policy| RetryPolicy {
            min_throttle_wait: Duration::from_secs(12),
            ..policy
        },
    );
    assert_eq!(collect_all_lines(&logs).await.unwrap().len(), 1);
    assert_eq!((test.wait_seconds(), search_targets(&asked).len()), (vec![12, 12], 4));
}

// Source: docs/reference/logs.md#limits-and-errors. Page tokens expire, too. The search resumes at its last line, and
// no line occurs twice.
#[tokio::test]
async fn an_expired_page_token_restarts_the_search_at_the_last_timestamp() {
    let (logs, _, asked) = logs_client(
        |number, _| match number {
            1 => page_response(&["59:59.100", "59:58.700", "59:58.500"], &json!("a")),
            2 => http_response(400, &[], "page token has expired"),
            3 => page_response(&["59:58.700", "59:58.500", "59:58.500", "59:57.000"], &Value::Null),
            _ => panic!("there is no further page"),
        },
        |policy| policy,
    );
    assert_eq!(
        collect_all_lines(&logs).await.unwrap(),
        ["59:59.100", "59:58.700", "59:58.500", "59:58.500", "59:57.000"],
        "the second line of that moment was not seen before"
    );
    let asked = asked.lock().unwrap();
    let again = &asked[3];
    assert_eq!(again.0, "/logs/v1/search?page_size=200");
    assert_eq!(again.2["end_time"], "2026-11-22T11:59:59Z");
    assert_eq!(again.2["start_time"], "2026-11-22T11:00:00Z");
}

#[tokio::test]
async fn a_repeated_page_token_is_an_error() {
    let (logs, ..) = logs_client(
        |number, _| page_response(&["59:59.100"], &json!(if number % 2 == 0 { "a" } else { "b" })),
        |policy| policy,
    );
    let error = collect_all_lines(&logs).await.unwrap_err();
    assert!(matches!(error, ClientError::Pagination { .. }), "{error}");
}

// No trace contains the token, the key, or a line's value under a secret name.
#[tokio::test]
async fn no_secret_appears_in_a_trace_error_or_log_line() {
    #[derive(Clone, Default)]
    struct TraceBuffer(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for TraceBuffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let line = json!({
        "timestamp": "2026-11-22T11:59:59.100Z", "level": "ERROR", "id": "lcc-1", "task_id": "task-0",
        "message": "connection.password = canary-of-the-database, connection.user = kc",
        "exception": { "stacktrace": "X: jdbc:postgresql://h/db?password=canary-of-the-database\nCaused by: refused: canary-of-the-database" },
    });
    let answer = json!({ "data": [line], "metadata": {} }).to_string();
    let transport = ScriptedTransport::new(move |number, _| match number {
        1 => http_response(200, &[], &json!({ "token": TOKEN }).to_string()),
        2 => http_response(200, &[], &answer),
        _ => http_response(403, &[], &format!("{TOKEN} may not")),
    });
    let buffer = TraceBuffer::default();
    let wire = Arc::new(WireTrace::new(buffer.clone()));
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder.wire_trace(wire));
    let logs = LogsClient::new(test.client.clone(), TokenCache::new(test.client.clone()), None);
    let (subject, question) = (
        LogTarget {
            crn: crn(),
            id: Some("lcc-1".into()),
        },
        LogFilter {
            levels: vec!["ERROR".into()],
            text: None,
            task: None,
        },
    );
    let window = Window {
        from: timestamp("2026-11-22T11:00:00Z"),
        to: timestamp("2026-11-22T12:00:00Z"),
    };
    let one = logs.for_connector("lcc-1");
    let mut scrubber = TextRedactor::default();
    let (mut spool, _) = read_window(&one, &subject, &question, window, None, &mut scrubber, &|_| {})
        .await
        .unwrap();
    let lines = spool.pop().unwrap().unwrap();
    assert_eq!(
        lines[0].message,
        "connection.password = [redacted], connection.user = kc"
    );
    assert!(
        lines[0].trace().ends_with("refused: [redacted]"),
        "{}",
        lines[0].trace()
    );
    let error = collect_all_lines(&logs).await.unwrap_err().to_string();
    let shown = format!(
        "{lines:?} {error} {logs:?} {}",
        String::from_utf8_lossy(&buffer.0.lock().unwrap())
    );
    assert!(shown.contains("connection.user = kc"), "the trace shows the line");
    for canary in ["canary-of-the-token", "canary-of-the-database", CANARY] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}
