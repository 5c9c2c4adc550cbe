//! The control endpoints: the same functions as the methods, for other processes.

use axum::body::Body;
use confluent_ebs::sandbox::{ArmedFault, Fault, FaultKind, SandboxInfo, SandboxJournalEntry, SandboxSettings, Timing};
use http::Request;
use serde_json::{Value, json};

use crate::common::{SandboxResponse, SandboxServer};

async fn send_control(api: &SandboxServer, method: &str, path: &str, body: Option<Value>) -> SandboxResponse {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1/sandbox/v1/{path}"))
        .header("x-sandbox-token", api.sandbox.control_token());
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    api.call(request.body(body).unwrap()).await
}

fn parse<T: serde::de::DeserializeOwned>(answer: &SandboxResponse) -> T {
    serde_json::from_value(answer.json().clone()).unwrap()
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared() {
    let api = SandboxServer::new();
    let fault = Fault::once(FaultKind::LostAfter)
        .for_requests("POST", "/iam/v2/*")
        .after_requests(2);
    let made = send_control(&api, "POST", "faults", Some(json!(fault)))
        .await
        .expect_status(201);
    let listed: Vec<ArmedFault> = parse(&send_control(&api, "GET", "faults", None).await.expect_status(200));
    assert_eq!(listed[0].fault, fault);
    assert_eq!(made.json()["id"], listed[0].id);
    send_control(&api, "POST", "faults", Some(json!({ "kind": "earthquake" })))
        .await
        .expect_status(400);
    send_control(&api, "DELETE", "faults/x", None).await.expect_status(400);
    send_control(&api, "DELETE", &format!("faults/{}", listed[0].id), None)
        .await
        .expect_status(204);
    assert!(api.sandbox.faults().unwrap().is_empty());
    api.sandbox.add_fault(fault).unwrap();
    send_control(&api, "DELETE", "faults", None).await.expect_status(204);
    assert!(api.sandbox.faults().unwrap().is_empty());
}

#[tokio::test]
async fn the_clock_is_shown_and_advanced() {
    let api = SandboxServer::new();
    let now = async |method: &str, body| {
        let answer = send_control(&api, method, "clock", body).await.expect_status(200);
        answer.string_at("/now").parse::<jiff::Timestamp>().unwrap()
    };
    let before = now("GET", None).await;
    let after = now("POST", Some(json!({ "seconds": 3_600 }))).await;
    assert!(after.duration_since(before).as_secs() >= 3_600);
    send_control(&api, "POST", "clock", Some(json!({ "minutes": 1 })))
        .await
        .expect_status(400);
}

#[tokio::test]
async fn settings_are_read_and_replaced_and_invalid_ones_are_refused() {
    let api = SandboxServer::new();
    let settings: SandboxSettings = parse(&send_control(&api, "GET", "settings", None).await.expect_status(200));
    assert_eq!(settings, SandboxSettings::instant());
    let wanted = json!({ "timing": "lagging", "assumptions": { "binding_list": "refused" } });
    let set: SandboxSettings = parse(
        &send_control(&api, "PUT", "settings", Some(wanted))
            .await
            .expect_status(200),
    );
    assert_eq!(set.timing, Timing::Lagging);
    assert_eq!(set, api.sandbox.settings().unwrap());
    for wrong in [
        json!({ "timeing": "real" }),
        json!({ "time_scale": 0.0 }),
        json!({ "page_size_cap": 0 }),
    ] {
        send_control(&api, "PUT", "settings", Some(wrong))
            .await
            .expect_status(400);
    }
    assert_eq!(set, api.sandbox.settings().unwrap());
}

#[tokio::test]
async fn info_journal_and_reset_work_over_the_control_api() {
    let api = SandboxServer::new();
    api.create_account("claims").await;
    api.get(&api.admin, "/iam/v2/users?page_size=5")
        .await
        .expect_status(200);
    let info: SandboxInfo = parse(
        &send_control(&api, "GET", "info?show_secrets=true", None)
            .await
            .expect_status(200),
    );
    assert_eq!(info, api.sandbox.info(true).unwrap());
    assert_eq!(info.stages.len(), 2);
    let journal: Vec<SandboxJournalEntry> = parse(&send_control(&api, "GET", "journal", None).await.expect_status(200));
    assert_eq!(journal, api.sandbox.journal().unwrap());
    assert_eq!(journal[1].query, "page_size=5");
    assert_eq!(journal[1].principal.as_deref(), Some(api.seed.admin().as_str()));
    let rest: Vec<SandboxJournalEntry> = parse(
        &send_control(&api, "GET", "journal?after=1", None)
            .await
            .expect_status(200),
    );
    assert_eq!(rest, journal[1..]);
    send_control(&api, "POST", "reset", None).await.expect_status(204);
    assert_eq!(api.sandbox.accounts().unwrap().len(), 1);
    send_control(&api, "GET", "nonsense", None).await.expect_status(404);
    assert!(
        api.sandbox.journal().unwrap().is_empty(),
        "control requests are not in it"
    );
}
