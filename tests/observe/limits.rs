//! All processes share the limits of logs and metrics and keep them before the service answers 429.

use std::time::Duration;

use confluent_ebs::{
    api::metrics::{CONNECTOR_ID, Granularity, QueryMetrics, STATUS},
    resources::logs::follow::FollowEvent,
    sandbox::{ListVisibility, SandboxAssumptions, SandboxSettings},
};

use crate::common::DepartmentClients;

fn count_throttled(clients: &DepartmentClients) -> usize {
    let journal = clients.connect.api.sandbox.journal().unwrap();
    journal.iter().filter(|entry| entry.status == 429).count()
}

fn count_requests(clients: &DepartmentClients, path: &str) -> usize {
    let journal = clients.connect.api.sandbox.journal().unwrap();
    journal.iter().filter(|entry| entry.path == path).count()
}

// Source: docs/reference/logs.md#limits-and-errors. Five per minute and connector, over all callers.
#[tokio::test]
async fn three_processes_following_one_connector_share_its_rate_limit() {
    let clients = DepartmentClients::new(SandboxSettings::instant(), "ConnectManager").await;
    clients.connect.create_datagen("claims-orders").await;
    let folder = tempfile::tempdir().unwrap();
    let start = clients.now();
    let end = start + Duration::from_mins(10);
    // A separate client for each, like another process: only the folder is shared.
    let follow = async || {
        let logs = clients.logs(Some(folder.path()));
        let mut follower = clients.follower("claims-orders", start, &logs).await;
        let mut lines = 0;
        while clients.now() < end {
            if let FollowEvent::Lines(new) = follower.next().await.unwrap() {
                lines += new.len();
            }
        }
        lines
    };
    let (one, two, three) = tokio::join!(follow(), follow(), follow());
    assert!(
        one >= 9 && two >= 9 && three >= 9,
        "each sees everything: {one}, {two}, {three}"
    );
    assert_eq!(count_throttled(&clients), 0);
    let searches = count_requests(&clients, "/logs/v1/search");
    assert!(
        (30..=60).contains(&searches),
        "five a minute, and all of them used: {searches}"
    );
}

#[tokio::test]
async fn each_connector_has_its_own_rate_limit() {
    let clients = DepartmentClients::new(SandboxSettings::instant(), "ConnectManager").await;
    for number in 0..4 {
        let config = clients.connect.datagen_config(&format!("claims-{number}"));
        clients.connect.create_connector(&config).await.expect_status(201);
    }
    let folder = tempfile::tempdir().unwrap();
    let logs = clients.logs(Some(folder.path()));
    let start = clients.now();
    for number in 0..4 {
        let seen = clients.observed(&format!("claims-{number}")).await;
        let one = logs.for_connector(seen.id());
        for _ in 0..5 {
            let search = confluent_ebs::api::logs::SearchLogs {
                connector: clients.log_target(&seen).crn,
                search: confluent_ebs::api::logs::LogSearch {
                    level: vec!["INFO".into()],
                    search_text: None,
                    id: None,
                },
                from: start - Duration::from_mins(5),
                to: clients.now(),
                page: None,
            };
            one.page(&search).await.unwrap();
        }
        assert!(!one.wait_time().is_zero());
    }
    assert!(
        clients.now().duration_since(start).as_secs() < 30,
        "twenty requests without a wait"
    );
    assert_eq!(count_throttled(&clients), 0);
}

// A long search with many pages, with both formats of the next page.
#[tokio::test]
async fn a_paged_search_stays_within_the_rate_limit_and_loses_no_line() {
    for bare in [false, true] {
        let settings = SandboxSettings {
            assumptions: SandboxAssumptions {
                log_next_is_token: bare,
                log_pages_end_empty: bare,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        };
        let clients = DepartmentClients::new(settings, "ConnectManager").await;
        let mut config = clients.connect.datagen_config("claims-orders");
        config["tasks.max"] = serde_json::json!("4");
        clients.connect.create_connector(&config).await.expect_status(201);
        clients.connect.advance_clock(6 * 3_600);
        let end = clients.now();
        let lines = clients
            .all_log_lines("claims-orders", end - Duration::from_hours(6), end)
            .await;
        assert!(lines.len() > 1_400, "{}", lines.len());
        assert!(lines.is_sorted_by_key(|line| line.timestamp.clone()));
        let mut unique: Vec<_> = lines
            .iter()
            .map(|line| (&line.timestamp, &line.task_id, &line.message))
            .collect();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), lines.len());
        assert_eq!(count_throttled(&clients), 0);
    }
}

// Source: docs/reference/metrics.md#limits-and-delay. Sixty per minute and IP address.
#[tokio::test]
async fn metrics_requests_stay_below_sixty_per_minute() {
    let settings = SandboxSettings {
        assumptions: SandboxAssumptions {
            connector_metrics: ListVisibility::Filtered,
            ..SandboxAssumptions::default()
        },
        ..SandboxSettings::instant()
    };
    let clients = DepartmentClients::new(settings, "ResourceOwner").await;
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        clients.metrics(Some(folder.path())),
        clients.metrics(Some(folder.path())),
    );
    clients.connect.create_datagen("claims-orders").await;
    clients.connect.advance_clock(3_600);
    let id = clients.observed("claims-orders").await.id().to_owned();
    let begun = clients.now();
    for number in 0..70 {
        let query = QueryMetrics {
            metric: "io.confluent.kafka.connect/connector_status".into(),
            connectors: vec![id.clone()],
            by: vec![STATUS],
            from: begun - Duration::from_mins(30),
            to: begun - Duration::from_mins(5),
            granularity: Granularity::Minute,
            page: None,
        };
        let series = if number % 2 == 0 { &one } else { &other }.query(query).await.unwrap();
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].label(CONNECTOR_ID), Some(id.as_str()));
        assert_eq!(series[0].label(STATUS), Some("RUNNING"));
        assert_eq!(series[0].sorted_points().len(), 25);
    }
    assert_eq!(count_throttled(&clients), 0);
    assert!(clients.now().duration_since(begun).as_secs() >= 60);
    let exported = one.export(vec![id]).await.unwrap();
    assert!(exported.iter().any(|sample| sample.name.ends_with("sent_records")));
    assert!(one.descriptors().await.unwrap().len() >= 10);
}
