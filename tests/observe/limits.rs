//! The limits of logs and metrics are kept by all who share them, before the service has to say so.

use std::time::Duration;

use confluent_ebs::{
    api::metrics::{CONNECTOR_ID, Granularity, QueryMetrics, STATUS},
    resources::logs::follow::Event,
    sandbox::{Assumptions, Listing, Settings},
};

use crate::rig::Rig;

fn throttled(rig: &Rig) -> usize {
    let journal = rig.world.harness.sandbox.journal().unwrap();
    journal.iter().filter(|entry| entry.status == 429).count()
}

fn requests(rig: &Rig, path: &str) -> usize {
    let journal = rig.world.harness.sandbox.journal().unwrap();
    journal.iter().filter(|entry| entry.path == path).count()
}

// Dossier `logs.md` §2.5: five per minute and connector, whoever asks.
#[tokio::test]
async fn three_processes_that_follow_one_connector_take_turns() {
    let rig = Rig::new(Settings::instant(), "ConnectManager").await;
    rig.world.create(&rig.world.datagen("claims-orders")).await.expect(201);
    let folder = tempfile::tempdir().unwrap();
    let start = rig.now();
    let end = start + Duration::from_mins(10);
    // A way of its own for each, as another process has: only the folder is shared.
    let follow = async || {
        let logs = rig.logs(Some(folder.path()));
        let mut follower = rig.follower("claims-orders", start, &logs).await;
        let mut lines = 0;
        while rig.now() < end {
            if let Event::Lines(new) = follower.next().await.unwrap() {
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
    assert_eq!(throttled(&rig), 0);
    let searches = requests(&rig, "/logs/v1/search");
    assert!(
        (30..=60).contains(&searches),
        "five a minute, and all of them used: {searches}"
    );
}

#[tokio::test]
async fn connectors_do_not_wait_for_each_other() {
    let rig = Rig::new(Settings::instant(), "ConnectManager").await;
    for number in 0..4 {
        let config = rig.world.datagen(&format!("claims-{number}"));
        rig.world.create(&config).await.expect(201);
    }
    let folder = tempfile::tempdir().unwrap();
    let logs = rig.logs(Some(folder.path()));
    let start = rig.now();
    for number in 0..4 {
        let seen = rig.seen(&format!("claims-{number}")).await;
        let one = logs.of(seen.id());
        for _ in 0..5 {
            let search = confluent_ebs::api::logs::SearchLogs {
                connector: rig.subject(&seen).crn,
                search: confluent_ebs::api::logs::Search {
                    level: vec!["INFO".into()],
                    search_text: None,
                    id: None,
                },
                from: start - Duration::from_mins(5),
                to: rig.now(),
                page: None,
            };
            one.page(&search).await.unwrap();
        }
        assert!(!one.wait().is_zero());
    }
    assert!(
        rig.now().duration_since(start).as_secs() < 30,
        "twenty requests without a wait"
    );
    assert_eq!(throttled(&rig), 0);
}

// A long search has many pages; both forms in which the service may name the next one.
#[tokio::test]
async fn a_search_of_many_pages_keeps_the_limit_and_loses_nothing() {
    for bare in [false, true] {
        let settings = Settings {
            assumptions: Assumptions {
                log_next_is_token: bare,
                log_pages_end_empty: bare,
                ..Assumptions::default()
            },
            ..Settings::instant()
        };
        let rig = Rig::new(settings, "ConnectManager").await;
        let mut config = rig.world.datagen("claims-orders");
        config["tasks.max"] = serde_json::json!("4");
        rig.world.create(&config).await.expect(201);
        rig.world.advance(6 * 3_600);
        let end = rig.now();
        let lines = rig.truth("claims-orders", end - Duration::from_hours(6), end).await;
        assert!(lines.len() > 1_400, "{}", lines.len());
        assert!(lines.is_sorted_by_key(|line| line.timestamp.clone()));
        let mut unique: Vec<_> = lines
            .iter()
            .map(|line| (&line.timestamp, &line.task_id, &line.message))
            .collect();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), lines.len());
        assert_eq!(throttled(&rig), 0);
    }
}

// Dossier `metrics.md` §5: sixty per minute for all who share an address.
#[tokio::test]
async fn metrics_stay_below_sixty_a_minute() {
    let settings = Settings {
        assumptions: Assumptions {
            connector_metrics: Listing::Filtered,
            ..Assumptions::default()
        },
        ..Settings::instant()
    };
    let rig = Rig::new(settings, "ResourceOwner").await;
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (rig.metrics(Some(folder.path())), rig.metrics(Some(folder.path())));
    rig.world.create(&rig.world.datagen("claims-orders")).await.expect(201);
    rig.world.advance(3_600);
    let id = rig.seen("claims-orders").await.id().to_owned();
    let begun = rig.now();
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
        assert_eq!(series[0].sorted().len(), 25);
    }
    assert_eq!(throttled(&rig), 0);
    assert!(rig.now().duration_since(begun).as_secs() >= 60);
    let exported = one.export(vec![id]).await.unwrap();
    assert!(exported.iter().any(|sample| sample.name.ends_with("sent_records")));
    assert!(one.descriptors().await.unwrap().len() >= 10);
}
