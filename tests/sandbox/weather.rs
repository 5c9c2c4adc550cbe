//! Faults, delays, rate limits: everything that is not a plain answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use confluent_ebs::sandbox::{Fault, FaultKind, RateLimit, SandboxError, Settings};
use serde_json::json;

use crate::harness::{Harness, Login, escape};

const ACCOUNTS: &str = "/iam/v2/service-accounts";

async fn make(world: &Harness) -> crate::harness::Answer {
    world
        .post(&world.admin, ACCOUNTS, json!({ "display_name": "claims" }))
        .await
}

#[tokio::test]
async fn a_storm_of_429_ends_after_its_number_and_says_when_to_come_back() {
    let world = Harness::new();
    let fault = Fault::once(FaultKind::TooManyRequests { retry_after: 7 }).times(2);
    world.sandbox.add_fault(fault).unwrap();
    for _ in 0..2 {
        let answer = make(&world).await.expect(429);
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.header("x-ratelimit-reset"), Some("7"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    }
    make(&world).await.expect(201);
    let journal = world.sandbox.journal().unwrap();
    let seen: Vec<_> = journal
        .iter()
        .map(|entry| (entry.status, entry.fault.as_deref()))
        .collect();
    let stormy = (429, Some("too-many-requests"));
    assert_eq!(seen, [stormy, stormy, (201, None)]);
    assert!(journal[2].is_write() && !journal[1].is_write());
}

#[tokio::test]
async fn lost_before_and_lost_after_look_the_same_and_are_not() {
    let world = Harness::new();
    world.sandbox.add_fault(Fault::once(FaultKind::LostBefore)).unwrap();
    assert!(make(&world).await.body.is_none(), "the connection broke");
    assert_eq!(world.sandbox.accounts().unwrap().len(), 1);
    world.sandbox.add_fault(Fault::once(FaultKind::LostAfter)).unwrap();
    assert!(make(&world).await.body.is_none());
    assert_eq!(world.sandbox.accounts().unwrap().len(), 2);
    make(&world).await.expect(409);
    let statuses: Vec<_> = world
        .sandbox
        .journal()
        .unwrap()
        .iter()
        .map(|entry| entry.status)
        .collect();
    assert_eq!(statuses, [0, 201, 409]);
}

#[tokio::test]
async fn a_server_error_changes_nothing_and_names_its_request() {
    let world = Harness::new();
    world.sandbox.add_fault(Fault::once(FaultKind::ServerError)).unwrap();
    let answer = make(&world).await.expect(500);
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(answer.text("/errors/0/id"), id);
    assert_eq!(world.sandbox.journal().unwrap()[0].request_id, id);
    assert_eq!(world.sandbox.accounts().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fault_hits_the_verb_the_path_and_the_principal_it_names() {
    let world = Harness::new();
    let provisioner = world.seed.provisioner();
    world
        .sandbox
        .add_fault(
            Fault::forever(FaultKind::ServerError)
                .on("GET", "/iam/v2/*")
                .of(provisioner.as_str()),
        )
        .unwrap();
    world.get(&world.provisioner, ACCOUNTS).await.expect(500);
    world.get(&world.provisioner, "/api/iam/v2/api-keys").await.expect(500);
    world.get(&world.admin, ACCOUNTS).await.expect(200);
    world.get(&world.provisioner, "/org/v2/environments").await.expect(200);
    world
        .get(&world.provisioner, &format!("{ACCOUNTS}/{provisioner}"))
        .await
        .expect(200);
    let id = world.sandbox.faults().unwrap()[0].id;
    world.sandbox.clear_faults(Some(id + 1)).unwrap();
    assert_eq!(world.sandbox.faults().unwrap().len(), 1);
    world.sandbox.clear_faults(Some(id)).unwrap();
    world.get(&world.provisioner, ACCOUNTS).await.expect(200);
    let error = world
        .sandbox
        .add_fault(Fault::once(FaultKind::LostAfter).on("GET", "/[/x"));
    assert!(matches!(error, Err(SandboxError::Setting(_))));
}

#[tokio::test]
async fn a_slow_answer_takes_sandbox_time_and_no_other() {
    let world = Harness::new();
    world
        .sandbox
        .add_fault(Fault::once(FaultKind::Slow { milliseconds: 600_000 }))
        .unwrap();
    let before = world.sandbox.now().unwrap();
    make(&world).await.expect(201);
    let took = world.sandbox.now().unwrap().duration_since(before);
    assert!(took.as_secs() >= 600, "{took}");
    assert_eq!(world.sandbox.journal().unwrap().len(), 1, "one request, once");
}

#[tokio::test]
async fn a_list_can_lag_behind() {
    let world = Harness::new();
    world.sandbox.advance(Duration::from_secs(100)).unwrap();
    make(&world).await.expect(201);
    let fault = Fault::once(FaultKind::ListLag { seconds: 10 }).on("GET", ACCOUNTS);
    world.sandbox.add_fault(fault.clone()).unwrap();
    assert_eq!(world.get(&world.admin, ACCOUNTS).await.data().len(), 1);
    assert_eq!(world.get(&world.admin, ACCOUNTS).await.data().len(), 2);
    world.sandbox.advance(Duration::from_secs(11)).unwrap();
    world.sandbox.add_fault(fault).unwrap();
    assert_eq!(world.get(&world.admin, ACCOUNTS).await.data().len(), 2);
}

#[tokio::test]
async fn a_killed_caller_never_gets_its_answer() {
    for (kind, left) in [(FaultKind::KillBefore, 1), (FaultKind::KillAfter, 2)] {
        let world = Harness::new();
        world.sandbox.add_fault(Fault::once(kind)).unwrap();
        let killed = Arc::new(tokio::sync::Notify::new());
        let deaths = Arc::new(AtomicUsize::new(0));
        let (notify, count) = (Arc::clone(&killed), Arc::clone(&deaths));
        world.sandbox.on_kill(move || {
            count.fetch_add(1, Ordering::SeqCst);
            notify.notify_one();
        });
        tokio::select! {
            answer = make(&world) => panic!("{answer:?}"),
            () = killed.notified() => {}
        }
        assert_eq!(deaths.load(Ordering::SeqCst), 1);
        assert_eq!(world.sandbox.accounts().unwrap().len(), left);
    }
    // Where nobody may be killed, the connection breaks.
    let world = Harness::new();
    world.sandbox.add_fault(Fault::once(FaultKind::KillAfter)).unwrap();
    assert!(make(&world).await.body.is_none());
}

#[tokio::test]
async fn rate_limits_count_per_principal_and_tell_in_every_answer() {
    let limit = RateLimit {
        per_principal: 3,
        per_organization: 100,
        window_seconds: 10,
    };
    let world = Harness::with(Settings {
        rate_limit: Some(limit),
        ..Settings::instant()
    });
    let mut remaining = Vec::new();
    for _ in 0..3 {
        let answer = world.get(&world.admin, ACCOUNTS).await.expect(200);
        remaining.push(answer.header("x-ratelimit-remaining").unwrap().to_owned());
        assert_eq!(answer.header("x-ratelimit-limit"), Some("3"));
        assert!(answer.header("retry-after").is_none());
    }
    assert_eq!(remaining, ["2", "1", "0"]);
    let refused = world.get(&world.admin, ACCOUNTS).await.expect(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "relative seconds");
    world.get(&world.provisioner, ACCOUNTS).await.expect(200);
    world.sandbox.clock().sleep(Duration::from_secs(wait)).await;
    world.get(&world.admin, ACCOUNTS).await.expect(200);
    // Without the setting there is no such header.
    let plain = Harness::new();
    let answer = plain.get(&plain.admin, ACCOUNTS).await;
    assert!(answer.header("x-ratelimit-limit").is_none());
}

/// Dossier `rbac.md` §4.6: what the official clients wait for.
#[tokio::test]
async fn under_real_timing_bindings_and_keys_take_as_long_as_clients_expect() {
    let world = Harness::with(Settings::real());
    let status = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors/claims-x/status";
    let account = world.account("claims").await;
    let wait = async |seconds| world.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    // The owner's right comes with the account, and still takes a moment.
    let key = json!({ "spec": { "owner": { "id": account } } });
    world
        .post(&world.provisioner, "/iam/v2/api-keys", key.clone())
        .await
        .expect(403);
    wait(15).await;
    let key = world
        .post(&world.provisioner, "/iam/v2/api-keys", key)
        .await
        .expect(202);
    let login = Login::Key(key.text("/id"), key.text("/spec/secret"));
    world
        .bind(
            &account,
            "DeveloperRead",
            &format!("{}/connector=claims-*", world.cluster_crn()),
        )
        .await;
    world.get(&login, "/org/v2/environments").await.expect(401);
    wait(10).await;
    world.get(&login, "/org/v2/environments").await.expect(200);
    world.get(&login, status).await.expect(403);
    wait(79).await;
    world.get(&login, status).await.expect(403);
    wait(1).await;
    world.get(&login, status).await.expect(404);
    // An answer read back by its id is there at once, in a list only later.
    let made = make_named(&world, "fraud").await;
    world.get(&world.admin, &format!("{ACCOUNTS}/{made}")).await.expect(200);
    let named = format!("{ACCOUNTS}?display_name=fraud");
    assert_eq!(world.get(&world.admin, &named).await.data().len(), 0);
    wait(1).await;
    assert_eq!(world.get(&world.admin, &named).await.data().len(), 1);
}

async fn make_named(world: &Harness, name: &str) -> String {
    let body = json!({ "display_name": name });
    world.post(&world.admin, ACCOUNTS, body).await.expect(201).text("/id")
}

#[tokio::test]
async fn under_lagging_timing_lists_lag_behind_deletions_too() {
    let world = Harness::with(Settings::lagging());
    let account = make_named(&world, "claims").await;
    let pattern = format!("{}/connector=claims-*", world.cluster_crn());
    let binding = world.bind(&account, "DeveloperRead", &pattern).await;
    world.sandbox.advance(Duration::from_mins(5)).unwrap();
    let list = format!("/iam/v2/role-bindings?crn_pattern={}", escape(&pattern));
    assert_eq!(world.get(&world.admin, &list).await.data().len(), 1);
    let path = format!("/iam/v2/role-bindings/{binding}");
    world.delete(&world.admin, &path).await.expect(200);
    assert_eq!(
        world.get(&world.admin, &list).await.data().len(),
        1,
        "the list does not know yet"
    );
    world.get(&world.admin, &path).await.expect(403);
    // It can be made again at once; the list then shows the new one when it catches up.
    let again = world.bind(&account, "DeveloperRead", &pattern).await;
    assert_ne!(again, binding);
    world
        .delete(&world.admin, &format!("{ACCOUNTS}/{account}"))
        .await
        .expect(204);
    assert_eq!(
        world
            .get(&world.admin, &format!("{ACCOUNTS}?display_name=claims"))
            .await
            .data()
            .len(),
        1
    );
    world
        .get(&world.admin, &format!("{ACCOUNTS}/{account}"))
        .await
        .expect(404);
    make_named(&world, "claims").await;
    world.sandbox.advance(Duration::from_secs(16)).unwrap();
    assert_eq!(world.get(&world.admin, &list).await.data().len(), 0);
    assert_eq!(
        world
            .get(&world.admin, &format!("{ACCOUNTS}?display_name=claims"))
            .await
            .data()
            .len(),
        1
    );
}
