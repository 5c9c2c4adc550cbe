//! Many connectors, made behind the binary's back on the same sandbox, and what it was asked meanwhile.

use axum::body::Body;
use confluent_ebs::sandbox::{JournalEntry, Sandbox, Seed};
use http::Request;
use tower::ServiceExt as _;

use crate::common::World;

/// The sandbox of a home.
pub(crate) fn sandbox(world: &World) -> Sandbox {
    Sandbox::open(&world.path(".state/confluent-ebs/sandbox"), Seed::default(), None).unwrap()
}

/// Makes `number` connectors of "claims", more than a cluster carries.
pub(crate) fn make(world: &World, number: usize) {
    let sandbox = sandbox(world);
    let mut settings = sandbox.settings().unwrap();
    settings.quotas.insert("connect.max_tasks.per_cluster".into(), 100_000);
    sandbox.set_settings(settings).unwrap();
    let accounts = sandbox.accounts().unwrap();
    let runtime = accounts
        .iter()
        .find(|account| account.display_name.ends_with("claims-runtime"));
    let runtime = runtime.unwrap().id.clone();
    let admin = sandbox.info(false).unwrap().admin;
    let runtime_of_threads = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime_of_threads.block_on(async {
        for number in 1..=number {
            let name = format!("claims-source-{number:03}");
            let body = serde_json::json!({"name": name, "config": {
                "name": name, "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS",
                "kafka.auth.mode": "SERVICE_ACCOUNT", "kafka.service.account.id": runtime, "tasks.max": "1",
            }});
            let target = "http://127.0.0.1/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";
            let mut request = Request::post(target);
            for (name, value) in sandbox.stand_in(&admin) {
                request = request.header(name, value);
            }
            let answer = sandbox.router().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
            assert_eq!(answer.status(), 201, "{number}");
        }
    });
}

/// What was asked since `seq`.
pub(crate) fn asked_since(world: &World, seq: u64) -> Vec<JournalEntry> {
    let journal = sandbox(world).journal().unwrap();
    journal.into_iter().filter(|entry| entry.seq > seq).collect()
}

/// The number of the last request.
pub(crate) fn last(world: &World) -> u64 {
    sandbox(world).journal().unwrap().last().map_or(0, |entry| entry.seq)
}
