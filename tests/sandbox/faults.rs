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

use crate::common::{Caller, SandboxResponse, SandboxServer, encode_query_value};

const ACCOUNTS_PATH: &str = "/iam/v2/service-accounts";

async fn create_claims_account(api: &SandboxServer) -> SandboxResponse {
    api.post(&api.admin, ACCOUNTS_PATH, json!({ "display_name": "claims" }))
        .await
}

#[tokio::test]
async fn a_429_fault_ends_after_its_count_and_sends_retry_after() {
    let api = SandboxServer::new();
    let fault = Fault::once(FaultKind::TooManyRequests { retry_after: 7 }).times(2);
    api.sandbox.add_fault(fault).unwrap();
    for _ in 0..2 {
        let answer = create_claims_account(&api).await.expect_status(429);
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.header("x-ratelimit-reset"), Some("7"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    }
    create_claims_account(&api).await.expect_status(201);
    let journal = api.sandbox.journal().unwrap();
    let seen: Vec<_> = journal
        .iter()
        .map(|entry| (entry.status, entry.fault.as_deref()))
        .collect();
    let rate_limited = (429, Some("too-many-requests"));
    assert_eq!(seen, [rate_limited, rate_limited, (201, None)]);
    assert!(journal[2].is_write() && !journal[1].is_write());
}

#[tokio::test]
async fn lost_before_and_lost_after_differ_only_in_effect() {
    let api = SandboxServer::new();
    api.sandbox.add_fault(Fault::once(FaultKind::LostBefore)).unwrap();
    assert!(create_claims_account(&api).await.body.is_none(), "the connection broke");
    assert_eq!(api.sandbox.accounts().unwrap().len(), 1);
    api.sandbox.add_fault(Fault::once(FaultKind::LostAfter)).unwrap();
    assert!(create_claims_account(&api).await.body.is_none());
    assert_eq!(api.sandbox.accounts().unwrap().len(), 2);
    create_claims_account(&api).await.expect_status(409);
    let statuses: Vec<_> = api
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
    let api = SandboxServer::new();
    api.sandbox.add_fault(Fault::once(FaultKind::ServerError)).unwrap();
    let answer = create_claims_account(&api).await.expect_status(500);
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(answer.string_at("/errors/0/id"), id);
    assert_eq!(api.sandbox.journal().unwrap()[0].request_id, id);
    assert_eq!(api.sandbox.accounts().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fault_applies_only_to_its_method_path_and_principal() {
    let api = SandboxServer::new();
    let provisioner = api.seed.provisioner();
    api.sandbox
        .add_fault(
            Fault::forever(FaultKind::ServerError)
                .for_requests("GET", "/iam/v2/*")
                .for_principal(provisioner.as_str()),
        )
        .unwrap();
    api.get(&api.provisioner, ACCOUNTS_PATH).await.expect_status(500);
    api.get(&api.provisioner, "/api/iam/v2/api-keys")
        .await
        .expect_status(500);
    api.get(&api.admin, ACCOUNTS_PATH).await.expect_status(200);
    api.get(&api.provisioner, "/org/v2/environments")
        .await
        .expect_status(200);
    api.get(&api.provisioner, &format!("{ACCOUNTS_PATH}/{provisioner}"))
        .await
        .expect_status(200);
    let id = api.sandbox.faults().unwrap()[0].id;
    api.sandbox.clear_faults(Some(id + 1)).unwrap();
    assert_eq!(api.sandbox.faults().unwrap().len(), 1);
    api.sandbox.clear_faults(Some(id)).unwrap();
    api.get(&api.provisioner, ACCOUNTS_PATH).await.expect_status(200);
    let error = api
        .sandbox
        .add_fault(Fault::once(FaultKind::LostAfter).for_requests("GET", "/[/x"));
    assert!(matches!(error, Err(SandboxError::Setting(_))));
}

#[tokio::test]
async fn a_slow_response_advances_only_the_sandbox_clock() {
    let api = SandboxServer::new();
    api.sandbox
        .add_fault(Fault::once(FaultKind::Slow { milliseconds: 600_000 }))
        .unwrap();
    let before = api.sandbox.now().unwrap();
    create_claims_account(&api).await.expect_status(201);
    let took = api.sandbox.now().unwrap().duration_since(before);
    assert!(took.as_secs() >= 600, "{took}");
    assert_eq!(api.sandbox.journal().unwrap().len(), 1, "one request, once");
}

#[tokio::test]
async fn a_list_lag_fault_returns_a_stale_list() {
    let api = SandboxServer::new();
    api.sandbox.advance(Duration::from_secs(100)).unwrap();
    create_claims_account(&api).await.expect_status(201);
    let fault = Fault::once(FaultKind::ListLag { seconds: 10 }).for_requests("GET", ACCOUNTS_PATH);
    api.sandbox.add_fault(fault.clone()).unwrap();
    assert_eq!(api.get(&api.admin, ACCOUNTS_PATH).await.items().len(), 1);
    assert_eq!(api.get(&api.admin, ACCOUNTS_PATH).await.items().len(), 2);
    api.sandbox.advance(Duration::from_secs(11)).unwrap();
    api.sandbox.add_fault(fault).unwrap();
    assert_eq!(api.get(&api.admin, ACCOUNTS_PATH).await.items().len(), 2);
}

#[tokio::test]
async fn a_killed_caller_never_gets_its_response() {
    for (kind, left) in [(FaultKind::KillBefore, 1), (FaultKind::KillAfter, 2)] {
        let api = SandboxServer::new();
        api.sandbox.add_fault(Fault::once(kind)).unwrap();
        let killed = Arc::new(tokio::sync::Notify::new());
        let deaths = Arc::new(AtomicUsize::new(0));
        let (notify, count) = (Arc::clone(&killed), Arc::clone(&deaths));
        api.sandbox.on_kill(move || {
            count.fetch_add(1, Ordering::SeqCst);
            notify.notify_one();
        });
        tokio::select! {
            answer = create_claims_account(&api) => panic!("{answer:?}"),
            () = killed.notified() => {}
        }
        assert_eq!(deaths.load(Ordering::SeqCst), 1);
        assert_eq!(api.sandbox.accounts().unwrap().len(), left);
    }
    // If no process can be killed, the connection breaks.
    let api = SandboxServer::new();
    api.sandbox.add_fault(Fault::once(FaultKind::KillAfter)).unwrap();
    assert!(create_claims_account(&api).await.body.is_none());
}

#[tokio::test]
async fn rate_limits_count_per_principal_and_set_headers_on_every_response() {
    let limit = RateLimit {
        per_principal: 3,
        per_organization: 100,
        window_seconds: 10,
    };
    let api = SandboxServer::with_settings(SandboxSettings {
        rate_limit: Some(limit),
        ..SandboxSettings::instant()
    });
    let mut remaining = Vec::new();
    for _ in 0..3 {
        let answer = api.get(&api.admin, ACCOUNTS_PATH).await.expect_status(200);
        remaining.push(answer.header("x-ratelimit-remaining").unwrap().to_owned());
        assert_eq!(answer.header("x-ratelimit-limit"), Some("3"));
        assert!(answer.header("retry-after").is_none());
    }
    assert_eq!(remaining, ["2", "1", "0"]);
    let refused = api.get(&api.admin, ACCOUNTS_PATH).await.expect_status(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "relative seconds");
    api.get(&api.provisioner, ACCOUNTS_PATH).await.expect_status(200);
    api.sandbox.clock().sleep(Duration::from_secs(wait)).await;
    api.get(&api.admin, ACCOUNTS_PATH).await.expect_status(200);
    // Without the setting there is no such header.
    let plain = SandboxServer::new();
    let answer = plain.get(&plain.admin, ACCOUNTS_PATH).await;
    assert!(answer.header("x-ratelimit-limit").is_none());
}

/// Source: docs/reference/rbac.md#propagation-delays. The waits of the official clients.
#[tokio::test]
async fn under_real_timing_bindings_and_keys_take_as_long_as_clients_expect() {
    let api = SandboxServer::with_settings(SandboxSettings::real());
    let status = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors/claims-x/status";
    let account = api.create_account("claims").await;
    let wait = async |seconds| api.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    // The owner's role is bound with the account, and still needs time to propagate.
    let key = json!({ "spec": { "owner": { "id": account } } });
    api.post(&api.provisioner, "/iam/v2/api-keys", key.clone())
        .await
        .expect_status(403);
    wait(15).await;
    let key = api
        .post(&api.provisioner, "/iam/v2/api-keys", key)
        .await
        .expect_status(202);
    let login = Caller::ApiKey(key.string_at("/id"), key.string_at("/spec/secret"));
    api.bind(
        &account,
        "DeveloperRead",
        &format!("{}/connector=claims-*", api.cluster_crn()),
    )
    .await;
    api.get(&login, "/org/v2/environments").await.expect_status(401);
    wait(10).await;
    api.get(&login, "/org/v2/environments").await.expect_status(200);
    api.get(&login, status).await.expect_status(403);
    wait(79).await;
    api.get(&login, status).await.expect_status(403);
    wait(1).await;
    api.get(&login, status).await.expect_status(404);
    // An object is readable by id immediately, and in lists later.
    let made = create_named_account(&api, "fraud").await;
    api.get(&api.admin, &format!("{ACCOUNTS_PATH}/{made}"))
        .await
        .expect_status(200);
    let named = format!("{ACCOUNTS_PATH}?display_name=fraud");
    assert_eq!(api.get(&api.admin, &named).await.items().len(), 0);
    wait(1).await;
    assert_eq!(api.get(&api.admin, &named).await.items().len(), 1);
}

async fn create_named_account(api: &SandboxServer, name: &str) -> String {
    let body = json!({ "display_name": name });
    api.post(&api.admin, ACCOUNTS_PATH, body)
        .await
        .expect_status(201)
        .string_at("/id")
}

#[tokio::test]
async fn under_lagging_timing_deleted_objects_stay_listed() {
    let api = SandboxServer::with_settings(SandboxSettings::lagging());
    let account = create_named_account(&api, "claims").await;
    let pattern = format!("{}/connector=claims-*", api.cluster_crn());
    let binding = api.bind(&account, "DeveloperRead", &pattern).await;
    api.sandbox.advance(Duration::from_mins(5)).unwrap();
    let list = format!("/iam/v2/role-bindings?crn_pattern={}", encode_query_value(&pattern));
    assert_eq!(api.get(&api.admin, &list).await.items().len(), 1);
    let path = format!("/iam/v2/role-bindings/{binding}");
    api.delete(&api.admin, &path).await.expect_status(200);
    assert_eq!(
        api.get(&api.admin, &list).await.items().len(),
        1,
        "the list does not know yet"
    );
    api.get(&api.admin, &path).await.expect_status(403);
    // It can be recreated immediately; the list then contains the new one once it is up to date.
    let again = api.bind(&account, "DeveloperRead", &pattern).await;
    assert_ne!(again, binding);
    api.delete(&api.admin, &format!("{ACCOUNTS_PATH}/{account}"))
        .await
        .expect_status(204);
    assert_eq!(
        api.get(&api.admin, &format!("{ACCOUNTS_PATH}?display_name=claims"))
            .await
            .items()
            .len(),
        1
    );
    api.get(&api.admin, &format!("{ACCOUNTS_PATH}/{account}"))
        .await
        .expect_status(404);
    create_named_account(&api, "claims").await;
    api.sandbox.advance(Duration::from_secs(16)).unwrap();
    assert_eq!(api.get(&api.admin, &list).await.items().len(), 0);
    assert_eq!(
        api.get(&api.admin, &format!("{ACCOUNTS_PATH}?display_name=claims"))
            .await
            .items()
            .len(),
        1
    );
}
