//! Offsets: how old they are, what may be written, one request at a time.

use super::*;
use crate::{
    api::connect::{OffsetItem, Offsets},
    resources::connector::offsets::{Watch, cannot_be_moved, objections, observed_at, strangers},
};

fn watch(seconds: u64) -> Watch {
    Watch {
        timeout: Duration::from_secs(seconds),
        interrupt: Interrupt::new(),
    }
}

fn item(partition: Value, offset: Value) -> OffsetItem {
    OffsetItem { partition, offset }
}

fn at(observed: &str) -> Value {
    json!({"id": "lcc-1", "name": "claims-a", "offsets": [], "metadata": {"observed_at": observed}})
}

fn status(phase: &str, requested: &str) -> Value {
    json!({
        "request": {"id": "lcc-1", "name": "claims-a", "type": "PATCH", "requested_at": requested},
        "status": {"phase": phase, "message": ""},
    })
}

// Dossier `connect.md` §9: `…Z`, with nanoseconds, and `+0000`.
#[test]
fn moments_are_understood_in_every_form_that_occurs() {
    let read = |text: &str| {
        let metadata = json!({ "observed_at": text });
        observed_at(&Offsets {
            metadata,
            ..Offsets::default()
        })
        .map(|at| at.to_string())
    };
    for text in [
        "2026-08-20T09:15:14Z",
        "2026-08-20T09:15:14+0000",
        "2026-08-20T11:15:14+02:00",
    ] {
        assert_eq!(read(text).as_deref(), Some("2026-08-20T09:15:14Z"), "{text}");
    }
    let fine = read("2026-08-20T09:15:14.123456789Z");
    assert_eq!(fine.as_deref(), Some("2026-08-20T09:15:14.123456789Z"));
    assert_eq!(read("yesterday"), None);
    assert_eq!(observed_at(&Offsets::default()), None);
}

#[tokio::test]
async fn offsets_are_read_again_each_second_until_they_are_fresh() {
    let rig = Rig::new([in_state("RUNNING")])
        .answers("GET offsets", 200, at("1969-12-31T23:57:00Z"))
        .answers("GET offsets", 200, at("1969-12-31T23:57:00Z"))
        .answers("GET offsets", 200, at("1970-01-01T00:00:01Z"));
    let seen = rig.seen().await;
    let observed = rig
        .connectors
        .observe(&seen, Duration::from_mins(2), &watch(30))
        .await
        .unwrap();
    assert_eq!(observed.age, Some(Duration::from_secs(1)));
    assert_eq!(rig.clock.offset().as_secs(), 2);
}

#[tokio::test]
async fn old_offsets_are_shown_in_the_end_with_their_age() {
    let mut rig = Rig::new([in_state("PAUSED")]);
    for _ in 0..31 {
        rig = rig.answers("GET offsets", 200, at("1969-12-31T23:00:00Z"));
    }
    let seen = rig.seen().await;
    let observed = rig
        .connectors
        .observe(&seen, Duration::from_mins(2), &watch(30))
        .await
        .unwrap();
    // `../shared/traces/README.md`: up to 31 times.
    assert_eq!(observed.age, Some(Duration::from_secs(3630)));
    assert_eq!(rig.clock.offset().as_secs(), 30);
}

#[tokio::test]
async fn offsets_without_a_time_are_taken_as_they_are() {
    let answer = json!({"id": "lcc-1", "name": "claims-a", "offsets": []});
    let rig = Rig::new([in_state("RUNNING")]).answers("GET offsets", 200, answer);
    let seen = rig.seen().await;
    let observed = rig
        .connectors
        .observe(&seen, Duration::from_secs(5), &watch(30))
        .await
        .unwrap();
    assert_eq!(observed.age, None);
}

// Dossier `connect.md` §9: one outstanding request per connector; unknown phases count as pending.
#[tokio::test]
async fn a_second_request_is_not_sent_while_one_is_under_way() {
    for phase in ["PENDING", "PENDING_VALIDATION", "SOMETHING_NEW"] {
        let rig = Rig::new([in_state("RUNNING")]).answers("GET status", 200, status(phase, "2026-08-20T09:20:00Z"));
        let seen = rig.seen().await;
        let error = rig.connectors.move_to(&seen, None, &watch(30)).await.unwrap_err();
        let words =
            format!("another change of the offsets of connector `claims-a` is {phase} since 2026-08-20T09:20:00Z");
        assert_eq!(error.to_string(), words);
        assert_eq!(rig.writes(), [""; 0]);
    }
}

#[tokio::test]
async fn a_request_is_sent_with_its_numbers_and_followed_to_its_end() {
    let rig = Rig::new([in_state("RUNNING")])
        .answers("GET status", 404, json!({"error": {"code": 404, "message": "none"}}))
        .answers("POST request", 202, json!({"id": "lcc-1"}))
        .answers("GET status", 200, status("PENDING", "t1"))
        .answers("GET status", 200, status("APPLIED", "t1"));
    let seen = rig.seen().await;
    let offsets = vec![item(
        json!({"server": "claims"}),
        json!({"lsn": 22_000_000_000_u64, "snapshot": true}),
    )];
    let moved = rig.connectors.move_to(&seen, Some(offsets), &watch(30)).await.unwrap();
    assert_eq!(
        (moved.status.status.phase.as_str(), moved.interrupted),
        ("APPLIED", false)
    );
    let body = json!({"type": "PATCH", "offsets": [
        {"partition": {"server": "claims"}, "offset": {"lsn": 22_000_000_000_u64, "snapshot": true}},
    ]});
    assert_eq!(rig.writes(), [format!("POST request {body}")]);
}

#[tokio::test]
async fn what_is_not_done_in_time_is_left_to_itself() {
    let mut rig = Rig::new([in_state("RUNNING")]).answers("GET status", 404, json!({}));
    for _ in 0..40 {
        rig = rig.answers("GET status", 200, status("PENDING", "t1"));
    }
    let seen = rig.seen().await;
    let moved = rig.connectors.move_to(&seen, None, &watch(30)).await.unwrap();
    assert_eq!(
        (moved.status.status.phase.as_str(), moved.interrupted),
        ("PENDING", false)
    );
    assert_eq!(rig.clock.offset().as_secs(), 30);
    assert_eq!(rig.writes(), ["POST request {\"type\":\"DELETE\"}"]);
}

// The answer to the request cannot be read; whether it was taken shows in the last request.
#[tokio::test]
async fn a_request_whose_answer_is_lost_is_looked_up_and_not_repeated() {
    for (after, taken) in [("t2", true), ("t1", false)] {
        let rig = Rig::new([in_state("RUNNING")])
            .answers("GET status", 200, status("APPLIED", "t1"))
            .answers("POST request", 202, json!("?"))
            .answers("GET status", 200, status("APPLIED", after))
            .answers("GET status", 200, status("APPLIED", after));
        let seen = rig.seen().await;
        let moved = rig.connectors.move_to(&seen, None, &watch(30)).await;
        assert_eq!(moved.is_ok(), taken, "{moved:?}");
        assert_eq!(rig.writes().len(), 1);
    }
}

#[test]
fn what_would_break_the_connector_is_objected_to() {
    let now = [
        item(
            json!({"kafka_topic": "t", "kafka_partition": 0}),
            json!({"kafka_offset": 7}),
        ),
        item(json!({"server": "claims"}), json!({"file": "binlog.1", "pos": 4})),
    ];
    let object = |partition: Value, offset: Value| objections(&now, &[item(partition, offset)]);
    let partition = || json!({"kafka_topic": "t", "kafka_partition": 0});
    assert_eq!(object(partition(), json!({"kafka_offset": 12})), [""; 0]);
    assert_eq!(
        object(json!({"server": "claims"}), json!({"file": "binlog.2", "pos": 4})),
        [""; 0]
    );
    let text = object(partition(), json!({"kafka_offset": "12"}));
    assert!(
        text[0].contains("\"kafka_offset\"") && text[0].contains("must be a number"),
        "{text:?}"
    );
    assert_eq!(object(json!("t"), json!({"kafka_offset": 1})).len(), 1);
    assert_eq!(object(partition(), json!({})).len(), 1);
    let huge: Value = serde_json::from_str(r#"{"kafka_offset": 123456789012345678901234567890}"#).unwrap();
    assert!(object(partition(), huge)[0].contains("more digits"));
    let twice = [
        item(partition(), json!({"kafka_offset": 1})),
        item(partition(), json!({"kafka_offset": 2})),
    ];
    assert!(objections(&now, &twice)[0].contains("stands there twice"));
    // The number of a partition as a text is another partition.
    let other = [item(
        json!({"kafka_topic": "t", "kafka_partition": "0"}),
        json!({"kafka_offset": 1}),
    )];
    assert_eq!(strangers(&now, &other).count(), 1);
    assert_eq!(strangers(&now, &now).count(), 0);
}

// Dossier `connect.md` §3.1: the states, an open list.
#[test]
fn only_what_has_started_can_be_moved() {
    for state in ["RUNNING", "PAUSED", "FAILED", "DEGRADED", "STOPPED", "NEW"] {
        assert_eq!(cannot_be_moved(state), None, "{state}");
    }
    for state in ["", "NONE", "PROVISIONING", "RESTARTING", "DELETED"] {
        assert!(cannot_be_moved(state).is_some(), "{state}");
    }
}
