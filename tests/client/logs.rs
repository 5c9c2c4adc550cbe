//! Logs: tokens, pages and patience where the service does what its only known clients report (dossier `logs.md` §2).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use confluent_ebs::{
    api::logs::{Search, SearchLogs},
    client::{ClientError, Logs, RetryPolicy, Scrubber, Tokens, trace::WireTrace},
    model::Crn,
    resources::logs::{
        follow::{Question, Subject, read},
        tail::Window,
    },
};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rig::{CANARY, Rig, Scripted, reply};

const TOKEN: &str = "canary-of-the-token";

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn crn() -> Crn {
    let cluster = "crn://confluent.cloud/organization=o/environment=env-1/cloud-cluster=lkc-1";
    format!("{cluster}/connector=claims-orders").parse().unwrap()
}

fn search() -> SearchLogs {
    SearchLogs {
        connector: crn(),
        search: Search {
            level: vec!["ERROR".into()],
            search_text: None,
            id: Some("lcc-1".into()),
        },
        from: moment("2026-11-22T11:00:00Z"),
        to: moment("2026-11-22T12:00:00Z"),
        page: None,
    }
}

/// What was asked: path with query, who asked, body.
type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

/// The way to logs whose service answers searches from a script, and exchanges with tokens `…-1`, `…-2`, ….
fn logs(
    script: impl Fn(usize, &Value) -> http::Response<Bytes> + Send + Sync + 'static,
    change: impl FnOnce(RetryPolicy) -> RetryPolicy,
) -> (Logs, Rig, Asked) {
    let asked: Asked = Arc::default();
    let (heard, counts) = (asked.clone(), Mutex::new((0, 0)));
    let transport = Scripted::new(move |_, request| {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let target = request.uri().path_and_query().unwrap().to_string();
        let who = request.headers()["authorization"].to_str().unwrap().to_owned();
        let exchange = target == "/api/access_tokens";
        heard.lock().unwrap().push((target, who, body.clone()));
        let mut counts = counts.lock().unwrap();
        if exchange {
            counts.0 += 1;
            let token = json!({ "token": format!("{TOKEN}-{}", counts.0), "expires_at": "2026-11-22T12:10:00Z" });
            return reply(200, &[], &token.to_string());
        }
        counts.1 += 1;
        script(counts.1, &body)
    });
    let policy = change(RetryPolicy::default());
    let rig = Rig::over("http://127.0.0.1:1", transport, |builder| builder.policy(policy));
    let logs = Logs::new(rig.client.clone(), Tokens::new(rig.client.clone()), None);
    (logs, rig, asked)
}

fn page(seconds: &[&str], next: &Value) -> http::Response<Bytes> {
    let data: Vec<Value> = seconds
        .iter()
        .map(|second| json!({ "timestamp": format!("2026-11-22T11:{second}Z"), "level": "ERROR", "message": second }))
        .collect();
    reply(
        200,
        &[],
        &json!({ "data": data, "metadata": { "next": next } }).to_string(),
    )
}

async fn all(logs: &Logs) -> Result<Vec<String>, ClientError> {
    let pages: Vec<_> = logs.of("lcc-1").pages(search()).try_collect().await?;
    Ok(pages.into_iter().flatten().map(|line| line.message).collect())
}

fn targets(asked: &Asked) -> Vec<String> {
    asked
        .lock()
        .unwrap()
        .iter()
        .map(|(target, ..)| target.clone())
        .collect()
}

// §2.1: Basic at the exchange, Bearer at the search, one exchange for many searches.
#[tokio::test]
async fn one_exchange_opens_many_pages() {
    let (logs, _, asked) = logs(
        |number, _| match number {
            1 => page(
                &["59:59.100", "59:58.100"],
                &json!("https://api.logging.confluent.cloud/logs/v1/search?page_token=a"),
            ),
            2 => page(&["59:57.100"], &json!("b")),
            _ => page(&[], &json!("c")),
        },
        |policy| policy,
    );
    assert_eq!(all(&logs).await.unwrap(), ["59:59.100", "59:58.100", "59:57.100"]);
    assert_eq!(
        targets(&asked),
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
async fn a_refused_token_is_replaced_once_and_a_refusal_after_that_is_the_answer() {
    let refuses = |times: usize| {
        move |number: usize, _: &Value| match number <= times {
            true => reply(401, &[], "unauthorized"),
            false => page(&["59:59.100"], &Value::Null),
        }
    };
    let (good, _, asked) = logs(refuses(1), |policy| policy);
    assert_eq!(all(&good).await.unwrap().len(), 1);
    let who: Vec<String> = asked.lock().unwrap().iter().map(|(_, who, _)| who.clone()).collect();
    assert!(who[3].ends_with("-2"), "{who:?}");
    let (bad, ..) = logs(refuses(9), |policy| policy);
    let error = all(&bad).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert!(
        error
            .to_string()
            .contains("could not read log lines of connector \"claims-orders\""),
        "{error}"
    );
}

#[tokio::test]
async fn an_exchange_that_says_no_with_200_is_an_error_in_its_own_words() {
    let transport = Scripted::new(|_, _| reply(200, &[], r#"{"error":"not today"}"#));
    let rig = Rig::over("http://127.0.0.1:1", transport, |builder| builder);
    let logs = Logs::new(rig.client.clone(), Tokens::new(rig.client.clone()), None);
    let error = all(&logs).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "could not get a token for logs: the answer cannot be read: it holds no token, but an error: not today"
    );
}

// §2.5: without a word from the service, a wait that lets the minute go on; not five tries in a row.
#[tokio::test]
async fn a_429_without_a_word_is_waited_out_for_a_fifth_of_the_minute() {
    let (logs, rig, asked) = logs(
        |number, _| match number {
            1 | 2 => reply(429, &[], ""),
            _ => page(&["59:59.100"], &Value::Null),
        },
        |policy| RetryPolicy {
            throttled: Duration::from_secs(12),
            ..policy
        },
    );
    assert_eq!(all(&logs).await.unwrap().len(), 1);
    assert_eq!((rig.waits(), targets(&asked).len()), (vec![12, 12], 4));
}

// §2.8: tokens of pages end, too. The walk begins anew at its last line, and no line comes twice.
#[tokio::test]
async fn a_page_token_that_has_ended_begins_the_walk_anew_where_it_was() {
    let (logs, _, asked) = logs(
        |number, _| match number {
            1 => page(&["59:59.100", "59:58.700", "59:58.500"], &json!("a")),
            2 => reply(400, &[], "page token has expired"),
            3 => page(&["59:58.700", "59:58.500", "59:58.500", "59:57.000"], &Value::Null),
            _ => panic!("there is nothing more to ask"),
        },
        |policy| policy,
    );
    assert_eq!(
        all(&logs).await.unwrap(),
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
async fn a_service_that_leads_in_circles_is_noticed() {
    let (logs, ..) = logs(
        |number, _| page(&["59:59.100"], &json!(if number % 2 == 0 { "a" } else { "b" })),
        |policy| policy,
    );
    let error = all(&logs).await.unwrap_err();
    assert!(matches!(error, ClientError::Pages { .. }), "{error}");
}

// The canaries: nothing of the token, the key, or what stands in a line under a secret's name.
#[tokio::test]
async fn no_secret_is_in_a_trace_an_error_or_a_line() {
    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Buffer {
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
    let transport = Scripted::new(move |number, _| match number {
        1 => reply(200, &[], &json!({ "token": TOKEN }).to_string()),
        2 => reply(200, &[], &answer),
        _ => reply(403, &[], &format!("{TOKEN} may not")),
    });
    let buffer = Buffer::default();
    let wire = Arc::new(WireTrace::new(buffer.clone()));
    let rig = Rig::over("http://127.0.0.1:1", transport, |builder| builder.wire_trace(wire));
    let logs = Logs::new(rig.client.clone(), Tokens::new(rig.client.clone()), None);
    let (subject, question) = (
        Subject {
            crn: crn(),
            id: Some("lcc-1".into()),
        },
        Question {
            levels: vec!["ERROR".into()],
            text: None,
            task: None,
        },
    );
    let window = Window {
        from: moment("2026-11-22T11:00:00Z"),
        to: moment("2026-11-22T12:00:00Z"),
    };
    let one = logs.of("lcc-1");
    let mut scrubber = Scrubber::default();
    let (mut spool, _) = read(&one, &subject, &question, window, None, &mut scrubber, &|_| {})
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
    let error = all(&logs).await.unwrap_err().to_string();
    let shown = format!(
        "{lines:?} {error} {logs:?} {}",
        String::from_utf8_lossy(&buffer.0.lock().unwrap())
    );
    assert!(shown.contains("connection.user = kc"), "the trace shows the line");
    for canary in ["canary-of-the-token", "canary-of-the-database", CANARY] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}
