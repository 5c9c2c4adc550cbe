//! Following a connector through everything that can happen to it and to the service, without a gap and without a line told
//! twice.

use std::time::Duration;

use confluent_ebs::{
    api::logs::LogEntry,
    resources::logs::follow::{Event, Follower, LogError},
    sandbox::{ConnectorFault, Fault, FaultKind, Settings},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{harness::Login, rig::Rig, world::CONNECTORS};

/// What a followed connector has told.
#[derive(Default)]
struct Told {
    lines: Vec<LogEntry>,
    notes: Vec<String>,
}

/// Follows until the sandbox's clock says so.
async fn until(rig: &Rig, follower: &mut Follower, told: &mut Told, end: Timestamp) {
    while rig.now() < end {
        match follower.next().await.unwrap() {
            Event::Lines(lines) => told.lines.extend(lines),
            Event::Quiet => {}
            Event::State(now) => {
                let state = now.map_or_else(|| "gone".to_owned(), |seen| seen.state().to_owned());
                told.notes.push(state);
            }
            Event::Anew { .. } => told.notes.push("anew".to_owned()),
            Event::Trouble { error, .. } => told.notes.push(format!("trouble {}", error.status().unwrap())),
        }
    }
}

fn key(line: &LogEntry) -> (String, String, String) {
    (line.timestamp.clone(), line.task_id.clone(), line.message.clone())
}

/// Compares what was told with what the service has of the same time.
fn compare(told: &[LogEntry], truth: &[LogEntry]) {
    let (mut told, mut truth): (Vec<_>, Vec<_>) = (told.iter().map(key).collect(), truth.iter().map(key).collect());
    told.sort();
    truth.sort();
    let missing: Vec<_> = truth.iter().filter(|line| !told.contains(line)).collect();
    assert!(missing.is_empty(), "never told: {missing:?}");
    let extra: Vec<_> = told.iter().filter(|line| !truth.contains(line)).collect();
    assert!(extra.is_empty(), "made up: {extra:?}");
    assert_eq!(told.len(), truth.len(), "told twice");
}

fn statuses(rig: &Rig, path: &str) -> Vec<u16> {
    let journal = rig.world.harness.sandbox.journal().unwrap();
    let there = journal.iter().filter(|entry| entry.path == path);
    there.map(|entry| entry.status).collect()
}

// Dossier `logs.md` §5: tokens that end, 429, and what the service has done to it on the way.
#[tokio::test]
async fn no_gap_and_no_duplicate_through_restarts_expiry_429_and_500() {
    for settings in [Settings::real(), Settings::lagging()] {
        let rig = Rig::new(settings, "ConnectManager").await;
        let mut config = rig.world.datagen("claims-orders");
        config["tasks.max"] = json!("3");
        rig.world.create(&config).await.expect(201);
        rig.world.advance(600);
        let start = rig.now();
        let folder = tempfile::tempdir().unwrap();
        let logs = rig.logs(Some(folder.path()));
        let mut follower = rig.follower("claims-orders", start, &logs).await;
        let mut told = Told::default();
        let sandbox = rig.world.harness.sandbox.clone();
        let minutes = |minutes: u64| start + Duration::from_mins(minutes);
        until(&rig, &mut follower, &mut told, minutes(5)).await;
        rig.world.act("POST", "claims-orders/restart").await.expect(202);
        sandbox
            .add_fault(Fault::once(FaultKind::TooManyRequests { retry_after: 20 }).on("POST", "/logs/v1/search"))
            .unwrap();
        until(&rig, &mut follower, &mut told, minutes(9)).await;
        let broken = Fault::once(FaultKind::ServerError)
            .on("POST", "/logs/v1/search")
            .times(7);
        sandbox.add_fault(broken).unwrap();
        until(&rig, &mut follower, &mut told, minutes(16)).await;
        // The connector fails, and recovers.
        sandbox
            .set_connector_fault("claims-orders", Some(ConnectorFault::RecordTooLarge))
            .unwrap();
        until(&rig, &mut follower, &mut told, minutes(26)).await;
        sandbox.set_connector_fault("claims-orders", None).unwrap();
        let lost = Fault::once(FaultKind::LostAfter).on("POST", "/logs/v1/search").times(2);
        sandbox.add_fault(lost).unwrap();
        sandbox
            .add_fault(Fault::once(FaultKind::ServerError).on("POST", "/access_tokens"))
            .unwrap();
        until(&rig, &mut follower, &mut told, minutes(40)).await;

        // What is still late at the end is waited for.
        let end = rig.now() - Duration::from_mins(2);
        rig.world.advance(120);
        let truth = rig.truth("claims-orders", start, end).await;
        // The service is told whole seconds.
        let until_end = |line: &&LogEntry| line.at().unwrap().as_second() < end.as_second();
        let told_until: Vec<LogEntry> = told.lines.iter().filter(until_end).cloned().collect();
        let truth_until: Vec<LogEntry> = truth.iter().filter(until_end).cloned().collect();
        assert!(truth_until.len() > 100, "{}", truth_until.len());
        compare(&told_until, &truth_until);
        assert!(
            told.notes.contains(&"FAILED".to_owned()) && told.notes.last().unwrap() == "RUNNING",
            "{:?}",
            told.notes
        );
        assert!(
            told.notes.iter().any(|note| note.starts_with("trouble 500")),
            "seven failures outlast the tries"
        );

        // Within the limits: the only 429 is the one that was asked for.
        let searches = statuses(&rig, "/logs/v1/search");
        assert_eq!(
            searches.iter().filter(|status| **status == 429).count(),
            1,
            "{searches:?}"
        );
        // A token is exchanged when the last one is about to end: four times in forty minutes, and once in vain.
        let exchanges = statuses(&rig, "/access_tokens");
        assert!((5..=7).contains(&exchanges.len()), "{exchanges:?}");
        assert!(!searches.contains(&401), "a token is replaced before it ends");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_at_once() {
    let rig = Rig::new(Settings::instant(), "ConnectManager").await;
    rig.world.create(&rig.world.datagen("claims-orders")).await.expect(201);
    let start = rig.now();
    let logs = rig.logs(None);
    let mut follower = rig.follower("claims-orders", start, &logs).await;
    let mut told = Told::default();
    until(&rig, &mut follower, &mut told, start + Duration::from_mins(2)).await;
    // Behind the follower's back: the clock jumps, as after a laptop has slept.
    rig.world.advance(3_600);
    until(&rig, &mut follower, &mut told, start + Duration::from_mins(66)).await;
    let searches = statuses(&rig, "/logs/v1/search");
    assert!(searches.iter().all(|status| *status == 200), "{searches:?}");
    let end = rig.now() - Duration::from_mins(1);
    let truth = rig.truth("claims-orders", start, end).await;
    let within = |line: &&LogEntry| line.at().unwrap().as_second() < end.as_second();
    compare(
        &told.lines.iter().filter(within).cloned().collect::<Vec<_>>(),
        &truth.iter().filter(within).cloned().collect::<Vec<_>>(),
    );
}

#[tokio::test]
async fn one_that_is_made_anew_is_followed_by_its_name() {
    let rig = Rig::new(Settings::instant(), "ConnectManager").await;
    rig.world.create(&rig.world.datagen("claims-orders")).await.expect(201);
    let start = rig.now();
    let logs = rig.logs(None);
    let mut follower = rig.follower("claims-orders", start, &logs).await;
    let mut told = Told::default();
    until(&rig, &mut follower, &mut told, start + Duration::from_mins(3)).await;
    rig.world.act("DELETE", "claims-orders").await.expect(200);
    until(&rig, &mut follower, &mut told, start + Duration::from_mins(6)).await;
    rig.world.create(&rig.world.datagen("claims-orders")).await.expect(201);
    until(&rig, &mut follower, &mut told, start + Duration::from_mins(10)).await;
    assert_eq!(told.notes, ["gone", "anew"]);
    let mut ids: Vec<&str> = told.lines.iter().map(|line| line.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 2, "the old one's lines, then the new one's");
    let again = told
        .lines
        .iter()
        .filter(|line| line.message.contains("is initialized"))
        .count();
    assert_eq!(again, 2);
}

#[tokio::test]
async fn what_will_not_pass_ends_it_with_the_reason() {
    let rig = Rig::new(Settings::instant(), "DeveloperRead").await;
    rig.world.create(&rig.world.datagen("claims-orders")).await.expect(201);
    let logs = rig.logs(None);
    let mut follower = rig.follower("claims-orders", rig.now(), &logs).await;
    let LogError::Client(error) = follower.next().await.unwrap_err() else {
        panic!("it is the service's refusal")
    };
    assert!(error.is_forbidden(), "{error}");
    // And a connector of somebody else, by its right name.
    let rig = Rig::new(Settings::instant(), "ResourceOwner").await;
    rig.world.create(&rig.world.datagen("fraud-orders")).await.expect(201);
    let admin = Login::As(rig.world.harness.seed.admin().to_string());
    let listed = rig
        .world
        .harness
        .get(&admin, &format!("{CONNECTORS}?expand=id,status,info"))
        .await;
    let id = listed.text("/fraud-orders/id/id");
    let logs = rig.logs(None);
    let crn = format!("{}/connector=fraud-orders", rig.world.harness.cluster_crn());
    let search = confluent_ebs::api::logs::SearchLogs {
        connector: crn.parse().unwrap(),
        search: confluent_ebs::api::logs::Search {
            level: vec!["INFO".into()],
            search_text: None,
            id: Some(id.clone()),
        },
        from: rig.now() - Duration::from_mins(5),
        to: rig.now(),
        page: None,
    };
    let refused = logs.of(&id).page(&search).await.unwrap_err();
    assert!(refused.is_forbidden(), "{refused}");
}
