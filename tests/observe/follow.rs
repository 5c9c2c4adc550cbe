//! Following a connector through all changes of the connector and the service, without missing or repeated lines.

use std::time::Duration;

use confluent_ebs::{
    api::logs::LogEntry,
    resources::logs::follow::{FollowEvent, Follower, LogError},
    sandbox::{ConnectorFault, Fault, FaultKind, SandboxSettings},
};
use jiff::Timestamp;
use serde_json::json;

use crate::common::{CONNECTORS_PATH, Caller, DepartmentClients};

/// Lines of a followed connector.
#[derive(Default)]
struct FollowedOutput {
    lines: Vec<LogEntry>,
    notes: Vec<String>,
}

/// Follows until the sandbox's clock reaches a time.
async fn follow_until(
    clients: &DepartmentClients,
    follower: &mut Follower,
    followed: &mut FollowedOutput,
    end: Timestamp,
) {
    while clients.now() < end {
        match follower.next().await.unwrap() {
            FollowEvent::Lines(lines) => followed.lines.extend(lines),
            FollowEvent::Idle => {}
            FollowEvent::State(now) => {
                let state = now.map_or_else(|| "gone".to_owned(), |seen| seen.state().to_string());
                followed.notes.push(state);
            }
            FollowEvent::Recreated { .. } => followed.notes.push("recreated".to_owned()),
            FollowEvent::Retrying { error, .. } => followed.notes.push(format!("retrying {}", error.status().unwrap())),
        }
    }
}

fn line_key(line: &LogEntry) -> (String, String, String) {
    (line.timestamp.clone(), line.task_id.clone(), line.message.clone())
}

/// Compares the followed lines with all lines of the service in the same period.
fn assert_same_lines(followed: &[LogEntry], logged: &[LogEntry]) {
    let (mut followed, mut logged): (Vec<_>, Vec<_>) = (
        followed.iter().map(line_key).collect(),
        logged.iter().map(line_key).collect(),
    );
    followed.sort();
    logged.sort();
    let missing: Vec<_> = logged.iter().filter(|line| !followed.contains(line)).collect();
    assert!(missing.is_empty(), "missing lines: {missing:?}");
    let extra: Vec<_> = followed.iter().filter(|line| !logged.contains(line)).collect();
    assert!(extra.is_empty(), "unknown lines: {extra:?}");
    assert_eq!(followed.len(), logged.len(), "repeated lines");
}

fn response_statuses(clients: &DepartmentClients, path: &str) -> Vec<u16> {
    let journal = clients.connect.api.sandbox.journal().unwrap();
    let there = journal.iter().filter(|entry| entry.path == path);
    there.map(|entry| entry.status).collect()
}

// Source: docs/reference/logs.md#limits-and-errors. Expired tokens, 429, and server errors.
#[tokio::test]
async fn following_has_no_gap_or_duplicate_through_restarts_token_expiry_429_and_500() {
    for settings in [SandboxSettings::real(), SandboxSettings::lagging()] {
        let clients = DepartmentClients::new(settings, "ConnectManager").await;
        let mut config = clients.connect.datagen_config("claims-orders");
        config["tasks.max"] = json!("3");
        clients.connect.create_connector(&config).await.expect_status(201);
        clients.connect.advance_clock(600);
        let start = clients.now();
        let folder = tempfile::tempdir().unwrap();
        let logs = clients.logs(Some(folder.path()));
        let mut follower = clients.follower("claims-orders", start, &logs).await;
        let mut followed = FollowedOutput::default();
        let sandbox = clients.connect.api.sandbox.clone();
        let minutes = |minutes: u64| start + Duration::from_mins(minutes);
        follow_until(&clients, &mut follower, &mut followed, minutes(5)).await;
        clients
            .connect
            .send_action("POST", "claims-orders/restart")
            .await
            .expect_status(202);
        sandbox
            .add_fault(
                Fault::once(FaultKind::TooManyRequests { retry_after: 20 }).for_requests("POST", "/logs/v1/search"),
            )
            .unwrap();
        follow_until(&clients, &mut follower, &mut followed, minutes(9)).await;
        let broken = Fault::once(FaultKind::ServerError)
            .for_requests("POST", "/logs/v1/search")
            .times(7);
        sandbox.add_fault(broken).unwrap();
        follow_until(&clients, &mut follower, &mut followed, minutes(16)).await;
        // The connector fails, and recovers.
        sandbox
            .set_connector_fault("claims-orders", Some(ConnectorFault::RecordTooLarge))
            .unwrap();
        follow_until(&clients, &mut follower, &mut followed, minutes(26)).await;
        sandbox.set_connector_fault("claims-orders", None).unwrap();
        let lost = Fault::once(FaultKind::LostAfter)
            .for_requests("POST", "/logs/v1/search")
            .times(2);
        sandbox.add_fault(lost).unwrap();
        sandbox
            .add_fault(Fault::once(FaultKind::ServerError).for_requests("POST", "/access_tokens"))
            .unwrap();
        follow_until(&clients, &mut follower, &mut followed, minutes(40)).await;

        // Waits for lines that are late at the end.
        let end = clients.now() - Duration::from_mins(2);
        clients.connect.advance_clock(120);
        let logged = clients.all_log_lines("claims-orders", start, end).await;
        // The service accepts whole seconds.
        let until_end = |line: &&LogEntry| line.parsed_timestamp().unwrap().as_second() < end.as_second();
        let followed_until: Vec<LogEntry> = followed.lines.iter().filter(until_end).cloned().collect();
        let logged_until: Vec<LogEntry> = logged.iter().filter(until_end).cloned().collect();
        assert!(logged_until.len() > 100, "{}", logged_until.len());
        assert_same_lines(&followed_until, &logged_until);
        assert!(
            followed.notes.contains(&"FAILED".to_owned()) && followed.notes.last().unwrap() == "RUNNING",
            "{:?}",
            followed.notes
        );
        assert!(
            followed.notes.iter().any(|note| note.starts_with("retrying 500")),
            "seven failures outlast the tries"
        );

        // Within the limits: the only 429 is the injected one.
        let searches = response_statuses(&clients, "/logs/v1/search");
        assert_eq!(
            searches.iter().filter(|status| **status == 429).count(),
            1,
            "{searches:?}"
        );
        // A token is renewed before it expires: four times in forty minutes, and one failed attempt.
        let exchanges = response_statuses(&clients, "/access_tokens");
        assert!((5..=7).contains(&exchanges.len()), "{exchanges:?}");
        assert!(!searches.contains(&401), "a token is renewed before it expires");
    }
}

#[tokio::test]
async fn a_rejected_token_is_replaced_at_once() {
    let clients = DepartmentClients::new(SandboxSettings::instant(), "ConnectManager").await;
    clients.connect.create_datagen("claims-orders").await;
    let start = clients.now();
    let logs = clients.logs(None);
    let mut follower = clients.follower("claims-orders", start, &logs).await;
    let mut followed = FollowedOutput::default();
    follow_until(&clients, &mut follower, &mut followed, start + Duration::from_mins(2)).await;
    // The clock jumps without the follower's knowledge, as after a suspended laptop.
    clients.connect.advance_clock(3_600);
    follow_until(&clients, &mut follower, &mut followed, start + Duration::from_mins(66)).await;
    let searches = response_statuses(&clients, "/logs/v1/search");
    assert!(searches.iter().all(|status| *status == 200), "{searches:?}");
    let end = clients.now() - Duration::from_mins(1);
    let logged = clients.all_log_lines("claims-orders", start, end).await;
    let within = |line: &&LogEntry| line.parsed_timestamp().unwrap().as_second() < end.as_second();
    assert_same_lines(
        &followed.lines.iter().filter(within).cloned().collect::<Vec<_>>(),
        &logged.iter().filter(within).cloned().collect::<Vec<_>>(),
    );
}

#[tokio::test]
async fn a_recreated_connector_is_followed_by_name() {
    let clients = DepartmentClients::new(SandboxSettings::instant(), "ConnectManager").await;
    clients.connect.create_datagen("claims-orders").await;
    let start = clients.now();
    let logs = clients.logs(None);
    let mut follower = clients.follower("claims-orders", start, &logs).await;
    let mut followed = FollowedOutput::default();
    follow_until(&clients, &mut follower, &mut followed, start + Duration::from_mins(3)).await;
    clients
        .connect
        .send_action("DELETE", "claims-orders")
        .await
        .expect_status(200);
    follow_until(&clients, &mut follower, &mut followed, start + Duration::from_mins(6)).await;
    clients.connect.create_datagen("claims-orders").await;
    follow_until(&clients, &mut follower, &mut followed, start + Duration::from_mins(10)).await;
    assert_eq!(followed.notes, ["gone", "recreated"]);
    let mut ids: Vec<&str> = followed.lines.iter().map(|line| line.id.as_str()).collect();
    ids.dedup();
    assert_eq!(
        ids.len(),
        2,
        "first the lines of the old connector, then of the new one"
    );
    let again = followed
        .lines
        .iter()
        .filter(|line| line.message.contains("is initialized"))
        .count();
    assert_eq!(again, 2);
}

#[tokio::test]
async fn a_permanent_error_ends_the_follower_with_its_reason() {
    let clients = DepartmentClients::new(SandboxSettings::instant(), "DeveloperRead").await;
    clients.connect.create_datagen("claims-orders").await;
    let logs = clients.logs(None);
    let mut follower = clients.follower("claims-orders", clients.now(), &logs).await;
    let LogError::Client(error) = follower.next().await.unwrap_err() else {
        panic!("the error is the refusal of the service")
    };
    assert!(error.is_forbidden(), "{error}");
    // A connector of another department, with its correct name.
    let clients = DepartmentClients::new(SandboxSettings::instant(), "ResourceOwner").await;
    clients.connect.create_datagen("fraud-orders").await;
    let admin = Caller::Impersonated(clients.connect.api.seed.admin().to_string());
    let listed = clients
        .connect
        .api
        .get(&admin, &format!("{CONNECTORS_PATH}?expand=id,status,info"))
        .await;
    let id = listed.string_at("/fraud-orders/id/id");
    let logs = clients.logs(None);
    let crn = format!("{}/connector=fraud-orders", clients.connect.api.cluster_crn());
    let search = confluent_ebs::api::logs::SearchLogs {
        connector: crn.parse().unwrap(),
        search: confluent_ebs::api::logs::LogSearch {
            level: vec!["INFO".into()],
            search_text: None,
            id: Some(id.clone()),
        },
        from: clients.now() - Duration::from_mins(5),
        to: clients.now(),
        page: None,
    };
    let refused = logs.for_connector(&id).page(&search).await.unwrap_err();
    assert!(refused.is_forbidden(), "{refused}");
}
