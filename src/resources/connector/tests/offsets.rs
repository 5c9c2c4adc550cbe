//! Tests of offsets: age, validation and requests.

use super::*;
use crate::{
    api::connect::{ConnectorOffsets, OffsetItem},
    resources::connector::offsets::{
        OffsetWaitOptions, find_problems, observed_at, reason_not_movable, unknown_partitions,
    },
};

fn options(seconds: u64) -> OffsetWaitOptions {
    OffsetWaitOptions {
        timeout: Duration::from_secs(seconds),
        interrupt: CancellationToken::new(),
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

// Timestamps with `Z`, with nanoseconds, and with `+0000` (docs/reference/connect.md#offsets).
#[test]
fn timestamps_are_parsed_in_every_documented_format() {
    let read = |text: &str| {
        let metadata = json!({ "observed_at": text });
        observed_at(&ConnectorOffsets {
            metadata,
            ..ConnectorOffsets::default()
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
    assert_eq!(observed_at(&ConnectorOffsets::default()), None);
}

#[tokio::test]
async fn offsets_are_read_again_each_second_until_they_are_fresh() {
    let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")])
        .with_response("GET offsets", 200, at("1969-12-31T23:57:00Z"))
        .with_response("GET offsets", 200, at("1969-12-31T23:57:00Z"))
        .with_response("GET offsets", 200, at("1970-01-01T00:00:01Z"));
    let seen = rig.observed().await;
    let observed = rig
        .connectors
        .observe_offsets(&seen, Duration::from_mins(2), &options(30))
        .await
        .unwrap();
    assert_eq!(observed.age, Some(Duration::from_secs(1)));
    assert_eq!(rig.clock.offset().as_secs(), 2);
}

#[tokio::test]
async fn stale_offsets_are_returned_with_their_age_after_the_timeout() {
    let mut rig = ConnectorFixture::new([connector_list_in_state("PAUSED")]);
    for _ in 0..31 {
        rig = rig.with_response("GET offsets", 200, at("1969-12-31T23:00:00Z"));
    }
    let seen = rig.observed().await;
    let observed = rig
        .connectors
        .observe_offsets(&seen, Duration::from_mins(2), &options(30))
        .await
        .unwrap();
    // Source: docs/reference/connect.md#offsets: up to 31 times.
    assert_eq!(observed.age, Some(Duration::from_secs(3630)));
    assert_eq!(rig.clock.offset().as_secs(), 30);
}

#[tokio::test]
async fn offsets_without_a_timestamp_are_returned_at_once() {
    let answer = json!({"id": "lcc-1", "name": "claims-a", "offsets": []});
    let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response("GET offsets", 200, answer);
    let seen = rig.observed().await;
    let observed = rig
        .connectors
        .observe_offsets(&seen, Duration::from_secs(5), &options(30))
        .await
        .unwrap();
    assert_eq!(observed.age, None);
}

// Only one request may be pending per connector; unknown phases count as pending (docs/reference/connect.md#offsets).
#[tokio::test]
async fn a_request_is_refused_while_another_one_is_pending() {
    for phase in ["PENDING", "PENDING_VALIDATION", "SOMETHING_NEW"] {
        let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response(
            "GET status",
            200,
            status(phase, "2026-08-20T09:20:00Z"),
        );
        let seen = rig.observed().await;
        let error = rig
            .connectors
            .alter_offsets(&seen, None, &options(30))
            .await
            .unwrap_err();
        let words = format!(
            "cannot alter the offsets of connector `claims-a`: another request is {phase} since 2026-08-20T09:20:00Z"
        );
        assert_eq!(error.to_string(), words);
        assert_eq!(rig.write_requests(), [""; 0]);
    }
}

#[tokio::test]
async fn a_request_keeps_its_numbers_and_is_polled_until_it_ends() {
    let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")])
        .with_response("GET status", 404, json!({"error": {"code": 404, "message": "none"}}))
        .with_response("POST request", 202, json!({"id": "lcc-1"}))
        .with_response("GET status", 200, status("PENDING", "t1"))
        .with_response("GET status", 200, status("APPLIED", "t1"));
    let seen = rig.observed().await;
    let offsets = vec![item(
        json!({"server": "claims"}),
        json!({"lsn": 22_000_000_000_u64, "snapshot": true}),
    )];
    let moved = rig
        .connectors
        .alter_offsets(&seen, Some(offsets), &options(30))
        .await
        .unwrap();
    assert_eq!(
        (moved.status.status.phase.as_str(), moved.interrupted),
        ("APPLIED", false)
    );
    let body = json!({"type": "PATCH", "offsets": [
        {"partition": {"server": "claims"}, "offset": {"lsn": 22_000_000_000_u64, "snapshot": true}},
    ]});
    assert_eq!(rig.write_requests(), [format!("POST request {body}")]);
}

#[tokio::test]
async fn a_request_that_times_out_is_reported_as_pending() {
    let mut rig =
        ConnectorFixture::new([connector_list_in_state("RUNNING")]).with_response("GET status", 404, json!({}));
    for _ in 0..40 {
        rig = rig.with_response("GET status", 200, status("PENDING", "t1"));
    }
    let seen = rig.observed().await;
    let moved = rig.connectors.alter_offsets(&seen, None, &options(30)).await.unwrap();
    assert_eq!(
        (moved.status.status.phase.as_str(), moved.interrupted),
        ("PENDING", false)
    );
    assert_eq!(rig.clock.offset().as_secs(), 30);
    assert_eq!(rig.write_requests(), ["POST request {\"type\":\"DELETE\"}"]);
}

// The response is unreadable; the last request shows whether it was accepted.
#[tokio::test]
async fn a_request_with_a_lost_response_is_looked_up_and_not_repeated() {
    for (after, taken) in [("t2", true), ("t1", false)] {
        let rig = ConnectorFixture::new([connector_list_in_state("RUNNING")])
            .with_response("GET status", 200, status("APPLIED", "t1"))
            .with_response("POST request", 202, json!("?"))
            .with_response("GET status", 200, status("APPLIED", after))
            .with_response("GET status", 200, status("APPLIED", after));
        let seen = rig.observed().await;
        let moved = rig.connectors.alter_offsets(&seen, None, &options(30)).await;
        assert_eq!(moved.is_ok(), taken, "{moved:?}");
        assert_eq!(rig.write_requests().len(), 1);
    }
}

#[test]
fn invalid_offsets_are_reported() {
    let now = [
        item(
            json!({"kafka_topic": "t", "kafka_partition": 0}),
            json!({"kafka_offset": 7}),
        ),
        item(json!({"server": "claims"}), json!({"file": "binlog.1", "pos": 4})),
    ];
    let object = |partition: Value, offset: Value| find_problems(&now, &[item(partition, offset)]);
    let partition = || json!({"kafka_topic": "t", "kafka_partition": 0});
    assert_eq!(object(partition(), json!({"kafka_offset": 12})), [""; 0]);
    assert_eq!(
        object(json!({"server": "claims"}), json!({"file": "binlog.2", "pos": 4})),
        [""; 0]
    );
    let text = object(partition(), json!({"kafka_offset": "12"}));
    assert!(
        text[0].contains("`kafka_offset`") && text[0].contains("write a number"),
        "{text:?}"
    );
    assert_eq!(object(json!("t"), json!({"kafka_offset": 1})).len(), 1);
    assert_eq!(object(partition(), json!({})).len(), 1);
    let huge: Value = serde_json::from_str(r#"{"kafka_offset": 123456789012345678901234567890}"#).unwrap();
    assert!(object(partition(), huge)[0].contains("exceeds 64 bits"));
    let twice = [
        item(partition(), json!({"kafka_offset": 1})),
        item(partition(), json!({"kafka_offset": 2})),
    ];
    assert!(find_problems(&now, &twice)[0].contains("is listed twice"));
    // A partition number written as a string is a different partition.
    let other = [item(
        json!({"kafka_topic": "t", "kafka_partition": "0"}),
        json!({"kafka_offset": 1}),
    )];
    assert_eq!(unknown_partitions(&now, &other).count(), 1);
    assert_eq!(unknown_partitions(&now, &now).count(), 0);
}

// Known states; the list is open (docs/reference/connect.md#connector-states).
#[test]
fn offsets_of_a_connector_that_has_not_started_cannot_be_altered() {
    for state in ["RUNNING", "PAUSED", "FAILED", "DEGRADED", "STOPPED", "NEW"] {
        assert_eq!(reason_not_movable(&state.into()), None, "{state}");
    }
    for state in ["", "NONE", "PROVISIONING", "RESTARTING", "DELETED"] {
        assert!(reason_not_movable(&state.into()).is_some(), "{state}");
    }
}
