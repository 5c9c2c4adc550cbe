//! The operations against a service that answers by script, on a clock that jumps.

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

use super::*;
use crate::{
    client::{Auth, CredentialSource, Credentials, InProcess, RetryPolicy},
    clock::{Clock, Stepping},
    interrupt::Interrupt,
    model::Secret,
    resources::connector::wait::SETTLE,
};

/// Answers lists by turns (the last one for ever; `null` is a refusal), everything else by its verb and the end of its
/// path.
#[derive(Default)]
struct Script {
    lists: VecDeque<Value>,
    answers: BTreeMap<String, VecDeque<(u16, Value)>>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Script>>;

async fn answer(State(script): State<Shared>, method: Method, uri: Uri, body: Bytes) -> Response {
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
    script.asked.push(format!("{what}{body}"));
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

fn seen_as(id: &str, state: &str, config: &Value) -> Value {
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

fn in_state(state: &str) -> Value {
    seen_as(
        "lcc-1",
        state,
        &json!({"name": "claims-a", "connector.class": "DatagenSource"}),
    )
}

struct Rig {
    connectors: Connectors,
    script: Shared,
    clock: Stepping,
}

impl Rig {
    fn new(lists: impl IntoIterator<Item = Value>) -> Self {
        let script = Shared::default();
        script.lock().unwrap().lists = lists.into_iter().collect();
        let router = Router::new().fallback(answer).with_state(script.clone());
        let clock = Stepping::at(Timestamp::UNIX_EPOCH);
        let auth = Auth::Basic(Credentials {
            key: "ABCDEFGHIJKLMNOP".into(),
            secret: Secret::new("canary"),
            source: CredentialSource::Issued("a test".into()),
        });
        let base = "http://127.0.0.1:1024".parse().unwrap();
        let client = Client::builder(base, Arc::new(InProcess::new(router)), auth, Clock::new(clock.clone()))
            .policy(RetryPolicy {
                tries: 1,
                ..RetryPolicy::default()
            })
            .build();
        let place = Place {
            environment: "env-1".parse().unwrap(),
            cluster: "lkc-1".parse().unwrap(),
        };
        let connectors = Connectors {
            client,
            place,
            clock: Clock::new(clock.clone()),
        };
        Self {
            connectors,
            script,
            clock,
        }
    }

    fn answers(self, what: &str, status: u16, value: Value) -> Self {
        let mut script = self.script.lock().unwrap();
        script
            .answers
            .entry(what.into())
            .or_default()
            .push_back((status, value));
        drop(script);
        self
    }

    /// The writes, in order.
    fn writes(&self) -> Vec<String> {
        let script = self.script.lock().unwrap();
        script
            .asked
            .iter()
            .filter(|what| !what.starts_with("GET"))
            .cloned()
            .collect()
    }

    async fn seen(&self) -> Seen {
        self.connectors.named("claims-a").await.unwrap().unwrap()
    }

    async fn wait(&self, timeout: Duration) -> (Outcome, Vec<String>, u64) {
        self.wait_and_watch(timeout, Duration::ZERO).await
    }

    async fn wait_and_watch(&self, timeout: Duration, settle: Duration) -> (Outcome, Vec<String>, u64) {
        let patience = Patience {
            timeout,
            interrupt: Interrupt::new(),
            goal: Goal::Running,
            settle,
        };
        let sights = Mutex::new(Vec::new());
        let watch = |sight: &Sight| sights.lock().unwrap().push(sight.state.clone());
        let outcome = self.connectors.wait("claims-a", &patience, &watch).await.unwrap();
        let seconds = u64::try_from(self.clock.offset().as_secs()).unwrap();
        (outcome, sights.into_inner().unwrap(), seconds)
    }
}

fn wanted(value: &str) -> Wanted {
    let config = [("name", "claims-a"), ("connector.class", value)];
    Wanted {
        name: "claims-a".into(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        offsets: None,
        secret_keys: std::collections::BTreeSet::new(),
    }
}

const HALF_AN_HOUR: Duration = Duration::from_mins(30);

// Dossier `connect.md` §3.2: two polls in a row; PROVISIONING → DEGRADED → RUNNING is legal.
#[tokio::test]
async fn it_runs_when_it_ran_twice() {
    let states = [
        "",
        "PROVISIONING",
        "DEGRADED",
        "RUNNING",
        "DEGRADED",
        "RUNNING",
        "RUNNING",
    ];
    let (outcome, sights, seconds) = Rig::new(states.map(in_state)).wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, Outcome::Reached(_)), "{outcome:?}");
    assert_eq!(
        sights,
        ["", "PROVISIONING", "DEGRADED", "RUNNING", "DEGRADED", "RUNNING"]
    );
    assert_eq!(seconds, 24);
}

#[tokio::test]
async fn a_failure_is_believed_after_two_minutes_only() {
    let flap = ["FAILED", "FAILED", "RUNNING", "RUNNING"].map(in_state);
    let (outcome, ..) = Rig::new(flap).wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, Outcome::Reached(_)), "{outcome:?}");
    let (outcome, _, seconds) = Rig::new([in_state("FAILED")]).wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(seconds, 120);
}

// Dossier `connect.md` §2.4 and §3.2: 200 does not mean in force, and what is wrong shows 30 to 90 s later.
#[tokio::test]
async fn a_change_is_watched_before_it_is_believed() {
    let late = |then: Value| {
        let running = std::iter::repeat_n(in_state("RUNNING"), 15);
        Rig::new(running.chain([then]))
    };
    let (hasty, _, seconds) = late(in_state("FAILED")).wait(HALF_AN_HOUR).await;
    assert!(matches!(hasty, Outcome::Reached(_)) && seconds == 4, "{hasty:?}");
    let (failed, ..) = late(in_state("FAILED")).wait_and_watch(HALF_AN_HOUR, SETTLE).await;
    assert!(matches!(failed, Outcome::Failed(_)), "{failed:?}");
    let mut stored = in_state("RUNNING");
    stored["claims-a"]["status"]["validation_errors"] = json!(["database.password: FATAL: no"]);
    let (rejected, _, seconds) = late(stored).wait_and_watch(HALF_AN_HOUR, SETTLE).await;
    assert!(
        matches!(rejected, Outcome::Rejected(_)) && seconds >= 90,
        "{rejected:?}"
    );
    let error = rejected.into_result("claims-a").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration of connector \"lcc-1\" (claims-a) was stored and is not in force; the former one still runs: \
         database.password: FATAL: no"
    );
    let (good, _, seconds) = Rig::new([in_state("RUNNING")])
        .wait_and_watch(HALF_AN_HOUR, SETTLE)
        .await;
    assert!(
        matches!(good, Outcome::Reached(_)) && seconds == 92,
        "{good:?} {seconds}"
    );
}

#[tokio::test]
async fn a_wait_ends_and_slows_down() {
    let rig = Rig::new([in_state("PROVISIONING")]);
    let (outcome, _, seconds) = rig.wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, Outcome::TimedOut(Some(_))), "{outcome:?}");
    assert_eq!(seconds, 1800);
    // 45 polls in the first three minutes, 81 in the rest, one at the end.
    assert_eq!(rig.script.lock().unwrap().asked.len(), 127);
    let (outcome, ..) = Rig::new([in_state("PROVISIONING"), json!({})]).wait(HALF_AN_HOUR).await;
    assert!(matches!(outcome, Outcome::Gone), "{outcome:?}");
}

#[tokio::test]
async fn a_create_is_sent_once_and_looked_up_when_its_answer_is_lost() {
    let rig = Rig::new([json!({}), json!({}), in_state("PROVISIONING")]).answers(
        "POST connectors",
        500,
        json!({"error_code": 500, "message": "oops"}),
    );
    let begun = rig.connectors.create(&wanted("DatagenSource")).await.unwrap();
    assert!(matches!(begun, Begun::Found(seen) if seen.id() == "lcc-1"));
    assert_eq!(rig.writes().len(), 1);

    let rig = Rig::new([json!({})]).answers("POST connectors", 500, json!({"message": "oops"}));
    let error = rig.connectors.create(&wanted("DatagenSource")).await.unwrap_err();
    assert!(
        error.to_string().contains("it is not known whether it worked"),
        "{error}"
    );
    assert_eq!(rig.writes().len(), 1);
}

#[tokio::test]
async fn a_taken_name_is_ours_or_somebody_elses() {
    let taken = || {
        Rig::new([in_state("RUNNING")]).answers(
            "POST connectors",
            409,
            json!({"message": "Connector claims-a already exists"}),
        )
    };
    let begun = taken().connectors.create(&wanted("DatagenSource")).await.unwrap();
    assert!(matches!(begun, Begun::Found(_)));
    let error = taken().connectors.create(&wanted("HttpSink")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "connector `claims-a` (lcc-1) exists already, and is configured differently"
    );
}

// Dossier `connect.md` §2.5: about half a minute before the same name can be made again.
#[tokio::test]
async fn a_name_whose_former_owner_is_still_leaving_is_waited_for() {
    let (gone, new) = (in_state("DELETED"), in_state("PROVISIONING"));
    let taken = json!({"message": "Connector claims-a already exists"});
    let rig = Rig::new([gone.clone(), gone.clone(), gone, json!({}), new])
        .answers("POST connectors", 409, taken.clone())
        .answers("POST connectors", 201, json!({}));
    let begun = rig.connectors.create(&wanted("DatagenSource")).await.unwrap();
    assert!(matches!(begun, Begun::Made(Some(seen)) if seen.state() == "PROVISIONING"));
    assert_eq!((rig.writes().len(), rig.clock.offset().as_secs()), (2, 6));
    // One that never leaves is not waited for for ever, and not written over.
    let rig = Rig::new([in_state("DELETED")]).answers("POST connectors", 409, taken);
    let error = rig.connectors.create(&wanted("DatagenSource")).await.unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    assert_eq!(rig.writes().len(), 1);
}

// Dossier `connect.md` §2.1: whether a restricted caller gets a filtered list or a 403 is not documented.
#[tokio::test]
async fn where_lists_are_refused_names_are_read_one_by_one() {
    let names = |written: &[&str]| written.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let running = json!({"name": "claims-a", "connector": {"state": "RUNNING"}, "tasks": []});
    let info = json!({"name": "claims-a", "type": "source", "config": {"connector.class": "DatagenSource"}});
    let rig = Rig::new([Value::Null])
        .answers("GET claims-a", 200, info)
        .answers("GET status", 200, running)
        .answers("GET claims-b", 404, json!({}))
        .answers("GET claims-c", 403, json!({}));
    let found = rig.connectors.look(&names(&["claims-a", "claims-b"])).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["claims-a"]);
    let seen = find(&found, "claims-a").unwrap();
    assert_eq!(
        (seen.id(), seen.state(), seen.class()),
        ("claims-a", "RUNNING", "DatagenSource")
    );
    // What is not a name cannot be read, and 403 is not "absent".
    for written in [&["lcc-1"][..], &["claims-*"], &[], &["claims-c"]] {
        let error = rig.connectors.look(&names(written)).await.unwrap_err();
        assert!(error.is_forbidden(), "{written:?}: {error}");
    }
}

#[tokio::test]
async fn a_change_stops_when_somebody_was_faster() {
    let config = |size: &str| seen_as("lcc-1", "RUNNING", &json!({"flush.size": size}));
    let new = BTreeMap::from([
        ("flush.size".to_owned(), "2".to_owned()),
        ("name".to_owned(), "claims-b".to_owned()),
    ]);

    let rig = Rig::new([config("1"), config("1")]).answers("PUT config", 200, json!({}));
    let seen = rig.seen().await;
    rig.connectors.replace(&seen, &new).await.unwrap();
    // Another name would have made a second connector.
    assert_eq!(rig.writes(), [r#"PUT config {"flush.size":"2","name":"claims-a"}"#]);

    for (now, found) in [
        (config("9"), "other values of flush.size"),
        (json!({}), "no connector of that name"),
        (seen_as("lcc-2", "RUNNING", &json!({"flush.size": "1"})), "lcc-2"),
    ] {
        let rig = Rig::new([config("1"), now]);
        let seen = rig.seen().await;
        let error = rig.connectors.replace(&seen, &new).await.unwrap_err();
        assert!(error.to_string().ends_with(found), "{error}");
        assert!(rig.writes().is_empty());
    }
}

// Dossier `connect.md` §1.1, E6.
#[tokio::test]
async fn a_delete_that_answers_200_can_have_failed() {
    let rig = Rig::new([in_state("RUNNING")]).answers("DELETE claims-a", 200, json!({"error": null}));
    rig.connectors.delete(&rig.seen().await).await.unwrap();
    let rig = Rig::new([in_state("RUNNING")]).answers("DELETE claims-a", 200, json!({"error": {"message": "busy"}}));
    let error = rig.connectors.delete(&rig.seen().await).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 200: busy"), "{error}");
    let rig = Rig::new([in_state("RUNNING")]).answers("DELETE claims-a", 404, json!({}));
    rig.connectors.delete(&rig.seen().await).await.unwrap();
}

// Dossier `connect.md` §2.8.
#[tokio::test]
async fn a_restart_takes_the_way_that_the_state_allows() {
    async fn restart(states: &[&str], answer: u16) -> (Result<Restarted, String>, Vec<String>) {
        let rig = Rig::new(states.iter().map(|state| in_state(state))).answers("POST restart", answer, json!({}));
        let seen = rig.seen().await;
        let done = rig.connectors.restart(&seen).await.map_err(|error| error.to_string());
        (done, rig.writes())
    }
    assert_eq!(
        restart(&["RUNNING"], 202).await,
        (Ok(Restarted::Restart), vec!["POST restart {}".replace(" {}", "")])
    );
    let (done, writes) = restart(&["FAILED", "FAILED", "PAUSED"], 202).await;
    assert_eq!(
        (done, writes),
        (
            Ok(Restarted::PauseAndResume),
            vec!["PUT pause".into(), "PUT resume".into()]
        )
    );
    let (done, writes) = restart(&["RUNNING", "PAUSED"], 400).await;
    assert_eq!(done, Ok(Restarted::PauseAndResume));
    assert_eq!(writes, ["POST restart", "PUT pause", "PUT resume"]);
    for state in ["PAUSED", "PROVISIONING"] {
        let (done, writes) = restart(&[state], 202).await;
        assert!(done.is_err() && writes.is_empty(), "{state}");
    }
}

// Dossier `connect.md` §2.9: Debezium says the same of every field.
#[test]
fn a_cause_is_said_once_with_all_its_keys() {
    let status = serde_json::from_value(json!({
        "connector": {"state": "FAILED", "trace": "Unable to validate configuration."},
        "tasks": [{"id": 0, "state": "USER_ACTIONABLE_ERROR", "trace": "a.b.C: x\n\tat y\nCaused by: FATAL: no\n"}],
        "errors_from_trace": [{"error": "FATAL: no"}],
        "validation_errors": ["database.hostname: Error: FATAL: no", "database.password: Error: FATAL: no"],
        "error_summary": "The connector cannot authenticate.",
    }))
    .unwrap();
    let cause = cause(&status);
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
    assert_eq!(cause.owner, Some("department"));
}

// The status of a department has room for about 110 characters (dossier `connect.md` §2.9 for the words).
#[test]
fn a_cause_in_one_line_says_what_is_wrong_before_the_line_ends() {
    let words = |errors: &[&str]| {
        let status = json!({"connector": {"state": "FAILED"}, "validation_errors": errors});
        cause(&serde_json::from_value(status).unwrap()).words()
    };
    let said = "Error while validating connector config: FATAL: password authentication failed for user \"cdc\"";
    let keys = ["hostname", "port", "user", "password", "dbname"].map(|key| format!("database.{key}: {said}"));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let told = "FATAL: password authentication failed for user \"cdc\"";
    assert_eq!(words(&keys), format!("database.hostname and 4 more: {told}"));
    assert_eq!(words(&keys[..1]), format!("database.hostname: {told}"));
    // Without a key there is no colon for it.
    assert_eq!(words(&["something"]), "something");
    assert_eq!(words(&[": something"]), "something");
}

#[test]
fn an_id_comes_before_a_name() {
    let list = serde_json::from_value(json!({
        "lcc-2": {"id": {"id": "lcc-1"}}, "claims-b": {"id": {"id": "lcc-2"}},
    }))
    .unwrap();
    assert_eq!(find(&list, "lcc-2").unwrap().name, "claims-b");
    assert_eq!(find(&list, "lcc-1").unwrap().name, "lcc-2");
    assert!(find(&list, "claims-c").is_none());
}
