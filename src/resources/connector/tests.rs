//! Tests of connector operations against a scripted service with a clock that advances on every sleep.

mod offsets;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, response::Response};
use http::{Method, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    client::{Auth, BasicCredentials, CredentialSource, InProcessTransport, RetryPolicy},
    clock::{Clock, VirtualTime},
    model::Secret,
    resources::connector::wait::SETTLE_TIME,
};

/// Scripted responses: successive connector lists (the last one repeats; `null` is a refusal), and other responses by
/// method and end of path.
#[derive(Default)]
struct ScriptedService {
    lists: VecDeque<Value>,
    answers: BTreeMap<String, VecDeque<(u16, Value)>>,
    requests: Vec<String>,
}

type SharedService = Arc<Mutex<ScriptedService>>;

async fn answer(State(script): State<SharedService>, method: Method, uri: Uri, body: Bytes) -> Response {
    let mut script = script.lock().unwrap();
    let end = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let what = format!("{method} {end}");
    let (status, value) = if what == "GET connectors" {
        let list = match script.lists.len() {
            0 => json!({}),
            1 => script.lists[0].clone(),
            _ => script.lists.pop_front().unwrap(),
        };
        match list.is_null() {
            true => (403, json!({"error": {"code": 403, "message": "Forbidden"}})),
            false => (200, list),
        }
    } else {
        script
            .answers
            .get_mut(&what)
            .and_then(VecDeque::pop_front)
            .unwrap_or((202, Value::Null))
    };
    let body = serde_json::from_slice::<Value>(&body).map_or(String::new(), |body| format!(" {body}"));
    script.requests.push(format!("{what}{body}"));
    let text = if value.is_null() {
        String::new()
    } else {
        value.to_string()
    };
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .body(text.into())
        .unwrap()
}

fn connector_in_state(id: &str, state: &str, config: &Value) -> Value {
    let tasks = if state == "RUNNING" {
        json!([{"id": 0, "state": "RUNNING"}])
    } else {
        json!([])
    };
    json!({"claims-a": {
        "id": {"id": id, "id_type": "ID"},
        "info": {"name": "claims-a", "type": "source", "config": config},
        "status": {"name": "claims-a", "connector": {"state": state, "trace": "boom"}, "tasks": tasks},
    }})
}

fn connector_list_in_state(state: &str) -> Value {
    connector_in_state(
        "lcc-1",
        state,
        &json!({"name": "claims-a", "connector.class": "DatagenSource"}),
    )
}

struct ConnectorFixture {
    connectors: ConnectorClient,
    service: SharedService,
    clock: VirtualTime,
}

impl ConnectorFixture {
    fn new(lists: impl IntoIterator<Item = Value>) -> Self {
        let service = SharedService::default();
        service.lock().unwrap().lists = lists.into_iter().collect();
        let router = Router::new().fallback(answer).with_state(service.clone());
        let clock = VirtualTime::starting_at(Timestamp::UNIX_EPOCH);
        let auth = Auth::Basic(BasicCredentials {
            key: "ABCDEFGHIJKLMNOP".into(),
            secret: Secret::new("canary"),
            source: CredentialSource::Issued("a test".into()),
        });
        let base = "http://127.0.0.1:1024".parse().unwrap();
        let client = Client::builder(
            base,
            Arc::new(InProcessTransport::new(router)),
            auth,
            Clock::new(clock.clone()),
        )
        .policy(RetryPolicy {
            max_attempts: 1,
            ..RetryPolicy::default()
        })
        .build();
        let place = ClusterPath {
            environment: "env-1".parse().unwrap(),
            cluster: "lkc-1".parse().unwrap(),
        };
        let connectors = ConnectorClient {
            client,
            cluster_path: place,
            clock: Clock::new(clock.clone()),
            history_dir: None,
            interrupt: CancellationToken::new(),
        };
        Self {
            connectors,
            service,
            clock,
        }
    }

    fn with_response(self, what: &str, status: u16, value: Value) -> Self {
        let mut script = self.service.lock().unwrap();
        script
            .answers
            .entry(what.into())
            .or_default()
            .push_back((status, value));
        drop(script);
        self
    }

    /// Returns the write requests in order.
    fn write_requests(&self) -> Vec<String> {
        let script = self.service.lock().unwrap();
        script
            .requests
            .iter()
            .filter(|what| !what.starts_with("GET"))
            .cloned()
            .collect()
    }

    async fn observed(&self) -> LiveConnector {
        self.connectors.find_by_name("claims-a").await.unwrap().unwrap()
    }

    async fn wait(&self, timeout: Duration) -> (WaitOutcome, Vec<String>, u64) {
        self.wait_with_settle_time(timeout, Duration::ZERO).await
    }

    async fn wait_with_settle_time(&self, timeout: Duration, settle: Duration) -> (WaitOutcome, Vec<String>, u64) {
        let options = WaitOptions {
            timeout,
            interrupt: CancellationToken::new(),
            goal: WaitGoal::Running,
            settle_time: settle,
            pause_limit: Duration::from_mins(1),
        };
        let sights = Mutex::new(Vec::new());
        let watch = |sight: &PollSnapshot| sights.lock().unwrap().push(sight.state.to_string());
        let outcome = self.connectors.wait("claims-a", &options, &watch).await.unwrap();
        let seconds = u64::try_from(self.clock.offset().as_secs()).unwrap();
        (outcome, sights.into_inner().unwrap(), seconds)
    }
}

fn desired(value: &str) -> DesiredConnector {
    let config = [("name", "claims-a"), ("connector.class", value)];
    DesiredConnector {
        name: "claims-a".into(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        offsets: None,
        secret_keys: std::collections::BTreeSet::new(),
    }
}

const HALF_AN_HOUR: Duration = Duration::from_mins(30);

// Two consecutive polls; PROVISIONING → DEGRADED → RUNNING is valid (docs/reference/connect.md#timing-of-states).
#[tokio::test]
async fn a_connector_is_running_after_two_consecutive_polls() {
    let states = [
        "",
        "PROVISIONING",
        "DEGRADED",
        "RUNNING",
        "DEGRADED",
        "RUNNING",
        "RUNNING",
    ];
    let (outcome, sights, seconds) = ConnectorFixture::new(states.map(connector_list_in_state))
        .wait(HALF_AN_HOUR)
        .await;
    assert!(matches!(outcome, WaitOutcome::Reached(_)), "{outcome:?}");
    assert_eq!(
        sights,
        ["", "PROVISIONING", "DEGRADED", "RUNNING", "DEGRADED", "RUNNING"]
    );
    assert_eq!(seconds, 24);
}

#[tokio::test]
async fn a_failure_is_reported_only_after_two_minutes() {
    let flap = ["FAILED", "FAILED", "RUNNING", "RUNNING"].map(connector_list_in_state);
    let (outcome, ..) = ConnectorFixture::new(flap).wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, WaitOutcome::Reached(_)), "{outcome:?}");
    let (outcome, _, seconds) = ConnectorFixture::new([connector_list_in_state("FAILED")])
        .wait(HALF_AN_HOUR)
        .await;
    assert!(matches!(outcome, WaitOutcome::Failed(_)), "{outcome:?}");
    assert_eq!(seconds, 120);
}

// Status 200 does not mean that a change is effective; errors show 30 to 90 s later
// (docs/reference/connect.md#update-a-connector and docs/reference/connect.md#timing-of-states).
#[tokio::test]
async fn a_changed_connector_is_polled_for_the_settle_time() {
    let late = |then: Value| {
        let running = std::iter::repeat_n(connector_list_in_state("RUNNING"), 15);
        ConnectorFixture::new(running.chain([then]))
    };
    let (hasty, _, seconds) = late(connector_list_in_state("FAILED")).wait(HALF_AN_HOUR).await;
    assert!(matches!(hasty, WaitOutcome::Reached(_)) && seconds == 4, "{hasty:?}");
    let (failed, ..) = late(connector_list_in_state("FAILED"))
        .wait_with_settle_time(HALF_AN_HOUR, SETTLE_TIME)
        .await;
    assert!(matches!(failed, WaitOutcome::Failed(_)), "{failed:?}");
    let mut stored = connector_list_in_state("RUNNING");
    stored["claims-a"]["status"]["validation_errors"] = json!(["database.password: FATAL: no"]);
    let (rejected, _, seconds) = late(stored).wait_with_settle_time(HALF_AN_HOUR, SETTLE_TIME).await;
    assert!(
        matches!(rejected, WaitOutcome::Rejected(_)) && seconds >= 90,
        "{rejected:?}"
    );
    let error = rejected.into_result("claims-a").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the service rejected the new configuration of connector `lcc-1` (claims-a); the previous one is active: \
         database.password: FATAL: no"
    );
    let (good, _, seconds) = ConnectorFixture::new([connector_list_in_state("RUNNING")])
        .wait_with_settle_time(HALF_AN_HOUR, SETTLE_TIME)
        .await;
    assert!(
        matches!(good, WaitOutcome::Reached(_)) && seconds == 92,
        "{good:?} {seconds}"
    );
}

#[tokio::test]
async fn a_wait_times_out_and_polls_less_often_later() {
    let rig = ConnectorFixture::new([connector_list_in_state("PROVISIONING")]);
    let (outcome, _, seconds) = rig.wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, WaitOutcome::TimedOut(Some(_))), "{outcome:?}");
    assert_eq!(seconds, 1800);
    // 45 polls in the first 3 min, 81 later, and a last one at the timeout.
    assert_eq!(rig.service.lock().unwrap().requests.len(), 127);
    let (outcome, ..) = ConnectorFixture::new([connector_list_in_state("PROVISIONING"), json!({})])
        .wait(HALF_AN_HOUR)
        .await;
    assert!(matches!(outcome, WaitOutcome::Gone), "{outcome:?}");
}

#[tokio::test]
async fn a_create_with_a_lost_response_is_looked_up_and_not_repeated() {
    let rig = ConnectorFixture::new([json!({}), json!({}), connector_list_in_state("PROVISIONING")]).with_response(
        "POST connectors",
        500,
        json!({"error_code": 500, "message": "oops"}),
    );
    let begun = rig.connectors.create(&desired("DatagenSource")).await.unwrap();
    assert!(matches!(begun, CreateOutcome::AlreadyExists(seen) if seen.id() == "lcc-1"));
    assert_eq!(rig.write_requests().len(), 1);

    let rig = ConnectorFixture::new([json!({})]).with_response("POST connectors", 500, json!({"message": "oops"}));
    let error = rig.connectors.create(&desired("DatagenSource")).await.unwrap_err();
    assert!(error.to_string().contains("unknown whether the request"), "{error}");
    assert_eq!(rig.write_requests().len(), 1);
}

#[tokio::test]
async fn an_existing_name_is_accepted_only_with_the_same_configuration() {
    let taken = || {
        ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response(
            "POST connectors",
            409,
            json!({"message": "Connector claims-a already exists"}),
        )
    };
    let begun = taken().connectors.create(&desired("DatagenSource")).await.unwrap();
    assert!(matches!(begun, CreateOutcome::AlreadyExists(_)));
    let error = taken().connectors.create(&desired("HttpSink")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "connector `claims-a` (lcc-1) already exists with a different configuration"
    );
}

// A name is available again about 30 s after a deletion (docs/reference/connect.md#delete-a-connector).
#[tokio::test]
async fn a_create_waits_until_a_deleted_connector_has_released_its_name() {
    let (gone, new) = (
        connector_list_in_state("DELETED"),
        connector_list_in_state("PROVISIONING"),
    );
    let taken = json!({"message": "Connector claims-a already exists"});
    let rig = ConnectorFixture::new([gone.clone(), gone.clone(), gone, json!({}), new])
        .with_response("POST connectors", 409, taken.clone())
        .with_response("POST connectors", 201, json!({}));
    let begun = rig.connectors.create(&desired("DatagenSource")).await.unwrap();
    assert!(matches!(begun, CreateOutcome::Created(Some(seen)) if *seen.state() == ConnectorState::Provisioning));
    assert_eq!((rig.write_requests().len(), rig.clock.offset().as_secs()), (2, 6));
    // If the deleted connector stays listed, the wait ends and nothing is overwritten.
    let rig = ConnectorFixture::new([connector_list_in_state("DELETED")]).with_response("POST connectors", 409, taken);
    let error = rig.connectors.create(&desired("DatagenSource")).await.unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    assert_eq!(rig.write_requests().len(), 1);
}

// It is undocumented whether a restricted caller gets a filtered list or a 403
// (docs/reference/connect.md#list-connectors).
#[tokio::test]
async fn without_the_right_to_list_connectors_are_read_one_by_one() {
    let names = |written: &[&str]| written.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let running = json!({"name": "claims-a", "connector": {"state": "RUNNING"}, "tasks": []});
    let info = json!({"name": "claims-a", "type": "source", "config": {"connector.class": "DatagenSource"}});
    let rig = ConnectorFixture::new([Value::Null])
        .with_response("GET claims-a", 200, info)
        .with_response("GET status", 200, running)
        .with_response("GET claims-b", 404, json!({}))
        .with_response("GET claims-c", 403, json!({}));
    let found = rig
        .connectors
        .list_selected(&names(&["claims-a", "claims-b"]))
        .await
        .unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["claims-a"]);
    let seen = find_selected(&found, "claims-a").unwrap();
    assert_eq!(
        (seen.id(), seen.state().as_str(), seen.class()),
        ("claims-a", "RUNNING", "DatagenSource")
    );
    // An id cannot be read individually, and 403 does not mean "absent".
    for written in [&["lcc-1"][..], &["claims-*"], &[], &["claims-c"]] {
        let error = rig.connectors.list_selected(&names(written)).await.unwrap_err();
        assert!(error.is_forbidden(), "{written:?}: {error}");
    }
}

#[tokio::test]
async fn an_update_stops_when_the_connector_changed_meanwhile() {
    let config = |size: &str| connector_in_state("lcc-1", "RUNNING", &json!({"flush.size": size}));
    let new = BTreeMap::from([
        ("flush.size".to_owned(), "2".to_owned()),
        ("name".to_owned(), "claims-b".to_owned()),
    ]);

    let rig = ConnectorFixture::new([config("1"), config("1")]).with_response("PUT config", 200, json!({}));
    let seen = rig.observed().await;
    rig.connectors.replace(&seen, &new).await.unwrap();
    // Another name would create a second connector.
    assert_eq!(
        rig.write_requests(),
        [r#"PUT config {"flush.size":"2","name":"claims-a"}"#]
    );

    for (now, found) in [
        (config("9"), "other values of flush.size"),
        (json!({}), "no connector of that name"),
        (
            connector_in_state("lcc-2", "RUNNING", &json!({"flush.size": "1"})),
            "lcc-2",
        ),
    ] {
        let rig = ConnectorFixture::new([config("1"), now]);
        let seen = rig.observed().await;
        let error = rig.connectors.replace(&seen, &new).await.unwrap_err();
        assert!(error.to_string().ends_with(found), "{error}");
        assert!(rig.write_requests().is_empty());
    }
}

// Source: docs/reference/connect.md#error-bodies, E6
#[tokio::test]
async fn a_delete_answered_with_200_and_an_error_is_a_failure() {
    let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response(
        "DELETE claims-a",
        200,
        json!({"error": null}),
    );
    rig.connectors.delete(&rig.observed().await).await.unwrap();
    let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response(
        "DELETE claims-a",
        200,
        json!({"error": {"message": "busy"}}),
    );
    let error = rig.connectors.delete(&rig.observed().await).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 200: busy"), "{error}");
    let rig =
        ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response("DELETE claims-a", 404, json!({}));
    rig.connectors.delete(&rig.observed().await).await.unwrap();
}

#[tokio::test]
async fn an_interrupted_restart_resumes_the_connector_without_a_pause() {
    let rig = ConnectorFixture::new([connector_list_in_state("FAILED")]);
    let seen = rig.observed().await;
    let before = rig.connectors.clock.now();
    rig.connectors.interrupt.cancel();
    let error = rig.connectors.restart(&seen).await.unwrap_err();
    assert!(
        error.to_string().starts_with("interrupted while connector `claims-a`"),
        "{error}"
    );
    assert_eq!(rig.write_requests(), ["PUT pause", "PUT resume"]);
    assert!(rig.connectors.clock.elapsed_since(before) < Duration::from_secs(1));
}

// Source: docs/reference/connect.md#restart
#[tokio::test]
async fn a_restart_uses_the_method_that_the_state_allows() {
    async fn restart(states: &[&str], answer: u16) -> (Result<RestartMethod, String>, Vec<String>) {
        let rig = ConnectorFixture::new(states.iter().map(|state| connector_list_in_state(state))).with_response(
            "POST restart",
            answer,
            json!({}),
        );
        let seen = rig.observed().await;
        let done = rig.connectors.restart(&seen).await.map_err(|error| error.to_string());
        (done, rig.write_requests())
    }
    assert_eq!(
        restart(&["RUNNING"], 202).await,
        (Ok(RestartMethod::Restart), vec!["POST restart {}".replace(" {}", "")])
    );
    let (done, writes) = restart(&["FAILED", "FAILED", "PAUSED"], 202).await;
    assert_eq!(
        (done, writes),
        (
            Ok(RestartMethod::PauseAndResume),
            vec!["PUT pause".into(), "PUT resume".into()]
        )
    );
    let (done, writes) = restart(&["RUNNING", "PAUSED"], 400).await;
    assert_eq!(done, Ok(RestartMethod::PauseAndResume));
    assert_eq!(writes, ["POST restart", "PUT pause", "PUT resume"]);
    for state in ["PAUSED", "PROVISIONING"] {
        let (done, writes) = restart(&[state], 202).await;
        assert!(done.is_err() && writes.is_empty(), "{state}");
    }
}

// Debezium reports the same error for every field (docs/reference/connect.md#status).
#[test]
fn a_validation_error_is_listed_once_with_all_its_keys() {
    let status = serde_json::from_value(json!({
        "connector": {"state": "FAILED", "trace": "Unable to validate configuration."},
        "tasks": [{"id": 0, "state": "USER_ACTIONABLE_ERROR", "trace": "a.b.C: x\n\tat y\nCaused by: FATAL: no\n"}],
        "errors_from_trace": [{"error": "FATAL: no"}],
        "validation_errors": ["database.hostname: Error: FATAL: no", "database.password: Error: FATAL: no"],
        "error_summary": "The connector cannot authenticate.",
    }))
    .unwrap();
    let cause = find_cause(&status);
    assert_eq!(cause.validation_errors.len(), 1);
    assert_eq!(
        cause.validation_errors[0].configs,
        ["database.hostname", "database.password"]
    );
    assert_eq!(
        cause.messages,
        [
            "FATAL: no",
            "The connector cannot authenticate.",
            "Unable to validate configuration."
        ]
    );
    assert_eq!(cause.owner, Some(diagnosis::FaultOwner::Department));
}

// The status of a department has space for about 110 characters (messages: docs/reference/connect.md#status).
#[test]
fn a_one_line_cause_puts_the_message_before_the_further_keys() {
    let words = |errors: &[&str]| {
        let status = json!({"connector": {"state": "FAILED"}, "validation_errors": errors});
        find_cause(&serde_json::from_value(status).unwrap()).summary()
    };
    let said = "Error while validating connector config: FATAL: password authentication failed for user \"cdc\"";
    let keys = ["hostname", "port", "user", "password", "dbname"].map(|key| format!("database.{key}: {said}"));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let told = "FATAL: password authentication failed for user \"cdc\"";
    assert_eq!(words(&keys), format!("database.hostname and 4 more: {told}"));
    assert_eq!(words(&keys[..1]), format!("database.hostname: {told}"));
    // No colon without a key.
    assert_eq!(words(&["something"]), "something");
    assert_eq!(words(&[": something"]), "something");
}

#[test]
fn a_selector_matches_an_id_before_a_name() {
    let list = serde_json::from_value(json!({
        "lcc-2": {"id": {"id": "lcc-1"}}, "claims-b": {"id": {"id": "lcc-2"}},
    }))
    .unwrap();
    assert_eq!(find_selected(&list, "lcc-2").unwrap().name, "claims-b");
    assert_eq!(find_selected(&list, "lcc-1").unwrap().name, "lcc-2");
    assert!(find_selected(&list, "claims-c").is_none());
}
