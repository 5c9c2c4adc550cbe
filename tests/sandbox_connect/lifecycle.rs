//! States and how long they take (dossier `connect.md` §2.6 to §2.8, §3).

use confluent_ebs::sandbox::{ConnectorFault, Settings};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_connector_is_provisioned_without_tasks_and_then_runs() {
    let world = World::with(Settings::real()).await;
    world.advance(120);
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let status = world.status("claims-orders").await;
    assert_eq!(
        (&status["connector"]["state"], &status["tasks"]),
        (&json!("PROVISIONING"), &json!([]))
    );
    world.act("POST", "claims-orders/restart").await.expect(400);
    world.advance(90);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
    world.act("PUT", "claims-orders/pause").await.expect(202);
    assert_eq!(world.state("claims-orders").await, "RUNNING", "it takes a while");
    world.advance(15);
    let status = world.status("claims-orders").await;
    assert_eq!(
        (&status["connector"]["state"], &status["tasks"][0]["state"]),
        (&json!("PAUSED"), &json!("STOPPED"))
    );
    world.act("POST", "claims-orders/restart").await.expect(400);
    world.act("PUT", "claims-orders/resume").await.expect(202);
    world.act("POST", "claims-orders/restart").await.expect(400);
    world.advance(15);
    world.act("POST", "claims-orders/restart").await.expect(202);
    world.advance(20);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
}

#[tokio::test]
async fn a_wrong_password_shows_after_half_a_minute_at_the_earliest() {
    let world = World::with(Settings::real()).await;
    world.advance(120);
    let config = world.cdc("claims-hr", &json!({ "database.password": "wrong-password" }));
    world.create(&config).await.expect(201);
    world.advance(29);
    assert_eq!(world.state("claims-hr").await, "PROVISIONING");
    world.advance(61);
    assert_eq!(world.state("claims-hr").await, "FAILED");
    // Fixing it is enough, and a mask keeps what is wrong.
    world
        .put(&world.cdc("claims-hr", &json!({ "database.password": "****************" })))
        .await
        .expect(200);
    world.advance(90);
    assert_eq!(world.state("claims-hr").await, "FAILED");
    world.put(&world.cdc("claims-hr", &json!({}))).await.expect(200);
    world.advance(90);
    assert_eq!(world.state("claims-hr").await, "RUNNING");
}

#[tokio::test]
async fn one_failed_task_of_two_is_degraded() {
    let world = World::new().await;
    let mut config = world.datagen("claims-orders");
    config["tasks.max"] = json!("2");
    world.create(&config).await.expect(201);
    let fault = |kind| {
        world
            .harness
            .sandbox
            .set_connector_fault("claims-orders", kind)
            .unwrap()
    };
    fault(Some(ConnectorFault::TaskFailed));
    let status = world.status("claims-orders").await;
    assert_eq!(status["connector"]["state"], "DEGRADED");
    assert_eq!(status["tasks"][0]["state"], "USER_ACTIONABLE_ERROR");
    assert_eq!(status["tasks"][1]["state"], "RUNNING");
    fault(None);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
}

#[tokio::test]
async fn an_update_that_fails_validation_is_stored_but_not_in_force() {
    let world = World::new().await;
    world.create(&world.cdc("claims-hr", &json!({}))).await.expect(201);
    assert_eq!(world.state("claims-hr").await, "RUNNING");
    world
        .put(&world.cdc("claims-hr", &json!({ "database.hostname": "pg.example.invalid" })))
        .await
        .expect(200);
    let status = world.status("claims-hr").await;
    assert_eq!(status["connector"]["state"], "FAILED");
    let trace = status["connector"]["trace"].as_str().unwrap();
    assert!(
        trace.starts_with("Unable to validate configuration. If an update was made"),
        "{trace}"
    );
    assert!(
        trace.contains("\ndatabase.hostname: Error while validating connector config: "),
        "{trace}"
    );
    assert_eq!(
        status["tasks"][0]["state"], "RUNNING",
        "the previous configuration is in force"
    );
}
