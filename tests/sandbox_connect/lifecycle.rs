//! States and their delays (docs/reference/connect.md#pause-and-resume, docs/reference/connect.md#restart and
//! docs/reference/connect.md#connector-states).

use confluent_ebs::sandbox::{ConnectorFault, SandboxSettings};
use serde_json::json;

use crate::connect_fixture::ConnectFixture;

#[tokio::test]
async fn a_connector_is_provisioned_without_tasks_and_then_runs() {
    let fixture = ConnectFixture::with_settings(SandboxSettings::real()).await;
    fixture.advance_clock(120);
    fixture.create_datagen("claims-orders").await;
    let status = fixture.connector_status("claims-orders").await;
    assert_eq!(
        (&status["connector"]["state"], &status["tasks"]),
        (&json!("PROVISIONING"), &json!([]))
    );
    fixture
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(400);
    fixture.advance_clock(90);
    assert_eq!(fixture.connector_state("claims-orders").await, "RUNNING");
    fixture
        .send_action("PUT", "claims-orders/pause")
        .await
        .expect_status(202);
    assert_eq!(
        fixture.connector_state("claims-orders").await,
        "RUNNING",
        "it takes a while"
    );
    fixture.advance_clock(15);
    let status = fixture.connector_status("claims-orders").await;
    assert_eq!(
        (&status["connector"]["state"], &status["tasks"][0]["state"]),
        (&json!("PAUSED"), &json!("STOPPED"))
    );
    fixture
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(400);
    fixture
        .send_action("PUT", "claims-orders/resume")
        .await
        .expect_status(202);
    fixture
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(400);
    fixture.advance_clock(15);
    fixture
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(202);
    fixture.advance_clock(20);
    assert_eq!(fixture.connector_state("claims-orders").await, "RUNNING");
}

#[tokio::test]
async fn under_real_timing_a_wrong_password_fails_after_30_to_90_seconds() {
    let fixture = ConnectFixture::with_settings(SandboxSettings::real()).await;
    fixture.advance_clock(120);
    let config = fixture.cdc_config("claims-hr", &json!({ "database.password": "wrong-password" }));
    fixture.create_connector(&config).await.expect_status(201);
    fixture.advance_clock(29);
    assert_eq!(fixture.connector_state("claims-hr").await, "PROVISIONING");
    fixture.advance_clock(61);
    assert_eq!(fixture.connector_state("claims-hr").await, "FAILED");
    // An update without the trigger value recovers the connector; a masked value keeps it.
    fixture
        .put_config(&fixture.cdc_config("claims-hr", &json!({ "database.password": "****************" })))
        .await
        .expect_status(200);
    fixture.advance_clock(90);
    assert_eq!(fixture.connector_state("claims-hr").await, "FAILED");
    fixture
        .put_config(&fixture.cdc_config("claims-hr", &json!({})))
        .await
        .expect_status(200);
    fixture.advance_clock(90);
    assert_eq!(fixture.connector_state("claims-hr").await, "RUNNING");
}

#[tokio::test]
async fn one_failed_task_of_two_is_degraded() {
    let fixture = ConnectFixture::new().await;
    let mut config = fixture.datagen_config("claims-orders");
    config["tasks.max"] = json!("2");
    fixture.create_connector(&config).await.expect_status(201);
    let fault = |kind| fixture.api.sandbox.set_connector_fault("claims-orders", kind).unwrap();
    fault(Some(ConnectorFault::TaskFailed));
    let connector_status = fixture.connector_status("claims-orders").await;
    assert_eq!(connector_status["connector"]["state"], "DEGRADED");
    assert_eq!(connector_status["tasks"][0]["state"], "USER_ACTIONABLE_ERROR");
    assert_eq!(connector_status["tasks"][1]["state"], "RUNNING");
    fault(None);
    assert_eq!(fixture.connector_state("claims-orders").await, "RUNNING");
}

#[tokio::test]
async fn an_update_that_fails_validation_is_stored_but_not_active() {
    let fixture = ConnectFixture::new().await;
    fixture
        .create_connector(&fixture.cdc_config("claims-hr", &json!({})))
        .await
        .expect_status(201);
    assert_eq!(fixture.connector_state("claims-hr").await, "RUNNING");
    fixture
        .put_config(&fixture.cdc_config("claims-hr", &json!({ "database.hostname": "pg.example.invalid" })))
        .await
        .expect_status(200);
    let connector_status = fixture.connector_status("claims-hr").await;
    assert_eq!(connector_status["connector"]["state"], "FAILED");
    let trace = connector_status["connector"]["trace"].as_str().unwrap();
    assert!(
        trace.starts_with("Unable to validate configuration. If an update was made"),
        "{trace}"
    );
    assert!(
        trace.contains("\ndatabase.hostname: Error while validating connector config: "),
        "{trace}"
    );
    assert_eq!(
        connector_status["tasks"][0]["state"], "RUNNING",
        "the previous configuration is in force"
    );
}
