//! The control endpoints: the same as the methods, for other processes.

use axum::body::Body;
use confluent_ebs::sandbox::{ArmedFault, Fault, FaultKind, Info, JournalEntry, Settings, Timing};
use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, Harness};

async fn control(world: &Harness, method: &str, path: &str, body: Option<Value>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1/sandbox/v1/{path}"))
        .header("x-sandbox-token", world.sandbox.control_token());
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    world.call(request.body(body).unwrap()).await
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    serde_json::from_value(answer.json().clone()).unwrap()
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared() {
    let world = Harness::new();
    let fault = Fault::once(FaultKind::LostAfter).on("POST", "/iam/v2/*").skipping(2);
    let made = control(&world, "POST", "faults", Some(json!(fault))).await.expect(201);
    let listed: Vec<ArmedFault> = read(&control(&world, "GET", "faults", None).await.expect(200));
    assert_eq!(listed[0].fault, fault);
    assert_eq!(made.json()["id"], listed[0].id);
    control(&world, "POST", "faults", Some(json!({ "kind": "earthquake" })))
        .await
        .expect(400);
    control(&world, "DELETE", "faults/x", None).await.expect(400);
    control(&world, "DELETE", &format!("faults/{}", listed[0].id), None)
        .await
        .expect(204);
    assert!(world.sandbox.faults().unwrap().is_empty());
    world.sandbox.add_fault(fault).unwrap();
    control(&world, "DELETE", "faults", None).await.expect(204);
    assert!(world.sandbox.faults().unwrap().is_empty());
}

#[tokio::test]
async fn the_clock_is_shown_and_advanced() {
    let world = Harness::new();
    let now = async |method: &str, body| {
        let answer = control(&world, method, "clock", body).await.expect(200);
        answer.text("/now").parse::<jiff::Timestamp>().unwrap()
    };
    let before = now("GET", None).await;
    let after = now("POST", Some(json!({ "seconds": 3_600 }))).await;
    assert!(after.duration_since(before).as_secs() >= 3_600);
    control(&world, "POST", "clock", Some(json!({ "minutes": 1 })))
        .await
        .expect(400);
}

#[tokio::test]
async fn settings_are_shown_and_replaced_and_nonsense_is_refused() {
    let world = Harness::new();
    let settings: Settings = read(&control(&world, "GET", "settings", None).await.expect(200));
    assert_eq!(settings, Settings::instant());
    let wanted = json!({ "timing": "lagging", "assumptions": { "binding_list": "refused" } });
    let set: Settings = read(&control(&world, "PUT", "settings", Some(wanted)).await.expect(200));
    assert_eq!(set.timing, Timing::Lagging);
    assert_eq!(set, world.sandbox.settings().unwrap());
    for wrong in [
        json!({ "timeing": "real" }),
        json!({ "time_scale": 0.0 }),
        json!({ "page_size_cap": 0 }),
    ] {
        control(&world, "PUT", "settings", Some(wrong)).await.expect(400);
    }
    assert_eq!(set, world.sandbox.settings().unwrap());
}

#[tokio::test]
async fn info_journal_and_reset() {
    let world = Harness::new();
    world.account("claims").await;
    world.get(&world.admin, "/iam/v2/users?page_size=5").await.expect(200);
    let info: Info = read(&control(&world, "GET", "info?show_secrets=true", None).await.expect(200));
    assert_eq!(info, world.sandbox.info(true).unwrap());
    assert_eq!(info.stages.len(), 2);
    let journal: Vec<JournalEntry> = read(&control(&world, "GET", "journal", None).await.expect(200));
    assert_eq!(journal, world.sandbox.journal().unwrap());
    assert_eq!(journal[1].query, "page_size=5");
    assert_eq!(journal[1].principal.as_deref(), Some(world.seed.admin().as_str()));
    let rest: Vec<JournalEntry> = read(&control(&world, "GET", "journal?after=1", None).await.expect(200));
    assert_eq!(rest, journal[1..]);
    control(&world, "POST", "reset", None).await.expect(204);
    assert_eq!(world.sandbox.accounts().unwrap().len(), 1);
    control(&world, "GET", "nonsense", None).await.expect(404);
    assert!(
        world.sandbox.journal().unwrap().is_empty(),
        "control requests are not in it"
    );
}
