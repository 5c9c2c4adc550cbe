//! Faults, delays and rate limits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use confluent_ebs::sandbox::{Fault, FaultKind, RateLimit, SandboxError, SandboxSettings};
use serde_json::json;

use crate::sandbox_fixture::{Caller, SandboxFixture, encode_query_value};

const ACCOUNTS_PATH: &str = "/iam/v2/service-accounts";

async fn create_claims_account(fixture: &SandboxFixture) -> crate::sandbox_fixture::SandboxResponse {
    fixture
        .post(&fixture.admin, ACCOUNTS_PATH, json!({ "display_name": "claims" }))
        .await
}

#[tokio::test]
async fn a_429_fault_ends_after_its_count_and_sends_retry_after() {
    let fixture = SandboxFixture::new();
    let fault = Fault::once(FaultKind::TooManyRequests { retry_after: 7 }).times(2);
    fixture.sandbox.add_fault(fault).unwrap();
    for _ in 0..2 {
        let answer = create_claims_account(&fixture).await.expect_status(429);
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.header("x-ratelimit-reset"), Some("7"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    }
    create_claims_account(&fixture).await.expect_status(201);
    let journal = fixture.sandbox.journal().unwrap();
    let seen: Vec<_> = journal
        .iter()
        .map(|entry| (entry.status, entry.fault.as_deref()))
        .collect();
    let stormy = (429, Some("too-many-requests"));
    assert_eq!(seen, [stormy, stormy, (201, None)]);
    assert!(journal[2].is_write() && !journal[1].is_write());
}

#[tokio::test]
async fn lost_before_and_lost_after_differ_only_in_effect() {
    let fixture = SandboxFixture::new();
    fixture.sandbox.add_fault(Fault::once(FaultKind::LostBefore)).unwrap();
    assert!(
        create_claims_account(&fixture).await.body.is_none(),
        "the connection broke"
    );
    assert_eq!(fixture.sandbox.accounts().unwrap().len(), 1);
    fixture.sandbox.add_fault(Fault::once(FaultKind::LostAfter)).unwrap();
    assert!(create_claims_account(&fixture).await.body.is_none());
    assert_eq!(fixture.sandbox.accounts().unwrap().len(), 2);
    create_claims_account(&fixture).await.expect_status(409);
    let statuses: Vec<_> = fixture
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
    let fixture = SandboxFixture::new();
    fixture.sandbox.add_fault(Fault::once(FaultKind::ServerError)).unwrap();
    let answer = create_claims_account(&fixture).await.expect_status(500);
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(answer.string_at("/errors/0/id"), id);
    assert_eq!(fixture.sandbox.journal().unwrap()[0].request_id, id);
    assert_eq!(fixture.sandbox.accounts().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fault_applies_only_to_its_method_path_and_principal() {
    let fixture = SandboxFixture::new();
    let provisioner = fixture.seed.provisioner();
    fixture
        .sandbox
        .add_fault(
            Fault::forever(FaultKind::ServerError)
                .for_requests("GET", "/iam/v2/*")
                .for_principal(provisioner.as_str()),
        )
        .unwrap();
    fixture
        .get(&fixture.provisioner, ACCOUNTS_PATH)
        .await
        .expect_status(500);
    fixture
        .get(&fixture.provisioner, "/api/iam/v2/api-keys")
        .await
        .expect_status(500);
    fixture.get(&fixture.admin, ACCOUNTS_PATH).await.expect_status(200);
    fixture
        .get(&fixture.provisioner, "/org/v2/environments")
        .await
        .expect_status(200);
    fixture
        .get(&fixture.provisioner, &format!("{ACCOUNTS_PATH}/{provisioner}"))
        .await
        .expect_status(200);
    let id = fixture.sandbox.faults().unwrap()[0].id;
    fixture.sandbox.clear_faults(Some(id + 1)).unwrap();
    assert_eq!(fixture.sandbox.faults().unwrap().len(), 1);
    fixture.sandbox.clear_faults(Some(id)).unwrap();
    fixture
        .get(&fixture.provisioner, ACCOUNTS_PATH)
        .await
        .expect_status(200);
    let error = fixture
        .sandbox
        .add_fault(Fault::once(FaultKind::LostAfter).for_requests("GET", "/[/x"));
    assert!(matches!(error, Err(SandboxError::Setting(_))));
}

#[tokio::test]
async fn a_slow_response_advances_only_the_sandbox_clock() {
    let fixture = SandboxFixture::new();
    fixture
        .sandbox
        .add_fault(Fault::once(FaultKind::Slow { milliseconds: 600_000 }))
        .unwrap();
    let before = fixture.sandbox.now().unwrap();
    create_claims_account(&fixture).await.expect_status(201);
    let took = fixture.sandbox.now().unwrap().duration_since(before);
    assert!(took.as_secs() >= 600, "{took}");
    assert_eq!(fixture.sandbox.journal().unwrap().len(), 1, "one request, once");
}

#[tokio::test]
async fn a_list_lag_fault_returns_a_stale_list() {
    let fixture = SandboxFixture::new();
    fixture.sandbox.advance(Duration::from_secs(100)).unwrap();
    create_claims_account(&fixture).await.expect_status(201);
    let fault = Fault::once(FaultKind::ListLag { seconds: 10 }).for_requests("GET", ACCOUNTS_PATH);
    fixture.sandbox.add_fault(fault.clone()).unwrap();
    assert_eq!(fixture.get(&fixture.admin, ACCOUNTS_PATH).await.items().len(), 1);
    assert_eq!(fixture.get(&fixture.admin, ACCOUNTS_PATH).await.items().len(), 2);
    fixture.sandbox.advance(Duration::from_secs(11)).unwrap();
    fixture.sandbox.add_fault(fault).unwrap();
    assert_eq!(fixture.get(&fixture.admin, ACCOUNTS_PATH).await.items().len(), 2);
}

#[tokio::test]
async fn a_killed_caller_never_gets_its_response() {
    for (kind, left) in [(FaultKind::KillBefore, 1), (FaultKind::KillAfter, 2)] {
        let fixture = SandboxFixture::new();
        fixture.sandbox.add_fault(Fault::once(kind)).unwrap();
        let killed = Arc::new(tokio::sync::Notify::new());
        let deaths = Arc::new(AtomicUsize::new(0));
        let (notify, count) = (Arc::clone(&killed), Arc::clone(&deaths));
        fixture.sandbox.on_kill(move || {
            count.fetch_add(1, Ordering::SeqCst);
            notify.notify_one();
        });
        tokio::select! {
            answer = create_claims_account(&fixture) => panic!("{answer:?}"),
            () = killed.notified() => {}
        }
        assert_eq!(deaths.load(Ordering::SeqCst), 1);
        assert_eq!(fixture.sandbox.accounts().unwrap().len(), left);
    }
    // If no process can be killed, the connection breaks.
    let fixture = SandboxFixture::new();
    fixture.sandbox.add_fault(Fault::once(FaultKind::KillAfter)).unwrap();
    assert!(create_claims_account(&fixture).await.body.is_none());
}

#[tokio::test]
async fn rate_limits_count_per_principal_and_set_headers_on_every_response() {
    let limit = RateLimit {
        per_principal: 3,
        per_organization: 100,
        window_seconds: 10,
    };
    let fixture = SandboxFixture::with_settings(SandboxSettings {
        rate_limit: Some(limit),
        ..SandboxSettings::instant()
    });
    let mut remaining = Vec::new();
    for _ in 0..3 {
        let answer = fixture.get(&fixture.admin, ACCOUNTS_PATH).await.expect_status(200);
        remaining.push(answer.header("x-ratelimit-remaining").unwrap().to_owned());
        assert_eq!(answer.header("x-ratelimit-limit"), Some("3"));
        assert!(answer.header("retry-after").is_none());
    }
    assert_eq!(remaining, ["2", "1", "0"]);
    let refused = fixture.get(&fixture.admin, ACCOUNTS_PATH).await.expect_status(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "relative seconds");
    fixture
        .get(&fixture.provisioner, ACCOUNTS_PATH)
        .await
        .expect_status(200);
    fixture.sandbox.clock().sleep(Duration::from_secs(wait)).await;
    fixture.get(&fixture.admin, ACCOUNTS_PATH).await.expect_status(200);
    // Without the setting there is no such header.
    let plain = SandboxFixture::new();
    let answer = plain.get(&plain.admin, ACCOUNTS_PATH).await;
    assert!(answer.header("x-ratelimit-limit").is_none());
}

/// Source: docs/reference/rbac.md#propagation-delays. The waits of the official clients.
#[tokio::test]
async fn under_real_timing_bindings_and_keys_take_as_long_as_clients_expect() {
    let fixture = SandboxFixture::with_settings(SandboxSettings::real());
    let status = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors/claims-x/status";
    let account = fixture.create_account("claims").await;
    let wait = async |seconds| fixture.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    // The owner's role is bound with the account, and still needs time to propagate.
    let key = json!({ "spec": { "owner": { "id": account } } });
    fixture
        .post(&fixture.provisioner, "/iam/v2/api-keys", key.clone())
        .await
        .expect_status(403);
    wait(15).await;
    let key = fixture
        .post(&fixture.provisioner, "/iam/v2/api-keys", key)
        .await
        .expect_status(202);
    let login = Caller::ApiKey(key.string_at("/id"), key.string_at("/spec/secret"));
    fixture
        .bind(
            &account,
            "DeveloperRead",
            &format!("{}/connector=claims-*", fixture.cluster_crn()),
        )
        .await;
    fixture.get(&login, "/org/v2/environments").await.expect_status(401);
    wait(10).await;
    fixture.get(&login, "/org/v2/environments").await.expect_status(200);
    fixture.get(&login, status).await.expect_status(403);
    wait(79).await;
    fixture.get(&login, status).await.expect_status(403);
    wait(1).await;
    fixture.get(&login, status).await.expect_status(404);
    // An object is readable by id immediately, and in lists later.
    let made = create_named_account(&fixture, "fraud").await;
    fixture
        .get(&fixture.admin, &format!("{ACCOUNTS_PATH}/{made}"))
        .await
        .expect_status(200);
    let named = format!("{ACCOUNTS_PATH}?display_name=fraud");
    assert_eq!(fixture.get(&fixture.admin, &named).await.items().len(), 0);
    wait(1).await;
    assert_eq!(fixture.get(&fixture.admin, &named).await.items().len(), 1);
}

async fn create_named_account(fixture: &SandboxFixture, name: &str) -> String {
    let body = json!({ "display_name": name });
    fixture
        .post(&fixture.admin, ACCOUNTS_PATH, body)
        .await
        .expect_status(201)
        .string_at("/id")
}

#[tokio::test]
async fn under_lagging_timing_deleted_objects_stay_listed() {
    let fixture = SandboxFixture::with_settings(SandboxSettings::lagging());
    let account = create_named_account(&fixture, "claims").await;
    let pattern = format!("{}/connector=claims-*", fixture.cluster_crn());
    let binding = fixture.bind(&account, "DeveloperRead", &pattern).await;
    fixture.sandbox.advance(Duration::from_mins(5)).unwrap();
    let list = format!("/iam/v2/role-bindings?crn_pattern={}", encode_query_value(&pattern));
    assert_eq!(fixture.get(&fixture.admin, &list).await.items().len(), 1);
    let path = format!("/iam/v2/role-bindings/{binding}");
    fixture.delete(&fixture.admin, &path).await.expect_status(200);
    assert_eq!(
        fixture.get(&fixture.admin, &list).await.items().len(),
        1,
        "the list does not know yet"
    );
    fixture.get(&fixture.admin, &path).await.expect_status(403);
    // It can be recreated immediately; the list then contains the new one once it is up to date.
    let again = fixture.bind(&account, "DeveloperRead", &pattern).await;
    assert_ne!(again, binding);
    fixture
        .delete(&fixture.admin, &format!("{ACCOUNTS_PATH}/{account}"))
        .await
        .expect_status(204);
    assert_eq!(
        fixture
            .get(&fixture.admin, &format!("{ACCOUNTS_PATH}?display_name=claims"))
            .await
            .items()
            .len(),
        1
    );
    fixture
        .get(&fixture.admin, &format!("{ACCOUNTS_PATH}/{account}"))
        .await
        .expect_status(404);
    create_named_account(&fixture, "claims").await;
    fixture.sandbox.advance(Duration::from_secs(16)).unwrap();
    assert_eq!(fixture.get(&fixture.admin, &list).await.items().len(), 0);
    assert_eq!(
        fixture
            .get(&fixture.admin, &format!("{ACCOUNTS_PATH}?display_name=claims"))
            .await
            .items()
            .len(),
        1
    );
}
