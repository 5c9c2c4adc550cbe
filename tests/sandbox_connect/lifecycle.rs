//! States and their delays (docs/reference/connect.md#pause-and-resume, docs/reference/connect.md#restart and
//! docs/reference/connect.md#connector-states).

use confluent_ebs::sandbox::{ConnectorFault, SandboxSettings};
use serde_json::json;

use crate::common::{ConnectSandbox, JsonAccess as _};

#[tokio::test]
async fn a_connector_is_provisioned_without_tasks_and_then_runs() {
    let connect = ConnectSandbox::with_settings(SandboxSettings::real()).await;
    connect.advance_clock(120);
    connect.create_datagen("claims-orders").await;
    let status = connect.connector_status("claims-orders").await;
    assert_eq!(
        (&status["connector"]["state"], &status["tasks"]),
        (&json!("PROVISIONING"), &json!([]))
    );
    connect
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(400);
    connect.advance_clock(90);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
    connect
        .send_action("PUT", "claims-orders/pause")
        .await
        .expect_status(202);
    assert_eq!(
        connect.connector_state("claims-orders").await,
        "RUNNING",
        "it takes a while"
    );
    connect.advance_clock(15);
    let status = connect.connector_status("claims-orders").await;
    assert_eq!(
        (&status["connector"]["state"], &status["tasks"][0]["state"]),
        (&json!("PAUSED"), &json!("STOPPED"))
    );
    connect
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(400);
    connect
        .send_action("PUT", "claims-orders/resume")
        .await
        .expect_status(202);
    connect
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(400);
    connect.advance_clock(15);
    connect
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(202);
    connect.advance_clock(20);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
}

#[tokio::test]
async fn under_real_timing_a_wrong_password_fails_after_30_to_90_seconds() {
    let connect = ConnectSandbox::with_settings(SandboxSettings::real()).await;
    connect.advance_clock(120);
    let config = connect.cdc_config("claims-hr", &json!({ "database.password": "wrong-password" }));
    connect.create_connector(&config).await.expect_status(201);
    connect.advance_clock(29);
    assert_eq!(connect.connector_state("claims-hr").await, "PROVISIONING");
    connect.advance_clock(61);
    assert_eq!(connect.connector_state("claims-hr").await, "FAILED");
    // An update without the trigger value recovers the connector; a masked value keeps it.
    connect
        .put_config(&connect.cdc_config("claims-hr", &json!({ "database.password": "****************" })))
        .await
        .expect_status(200);
    connect.advance_clock(90);
    assert_eq!(connect.connector_state("claims-hr").await, "FAILED");
    connect
        .put_config(&connect.cdc_config("claims-hr", &json!({})))
        .await
        .expect_status(200);
    connect.advance_clock(90);
    assert_eq!(connect.connector_state("claims-hr").await, "RUNNING");
}

#[tokio::test]
async fn one_failed_task_of_two_is_degraded() {
    let connect = ConnectSandbox::new().await;
    let mut config = connect.datagen_config("claims-orders");
    config["tasks.max"] = json!("2");
    connect.create_connector(&config).await.expect_status(201);
    let fault = |kind| connect.api.sandbox.set_connector_fault("claims-orders", kind).unwrap();
    fault(Some(ConnectorFault::TaskFailed));
    let connector_status = connect.connector_status("claims-orders").await;
    assert_eq!(connector_status["connector"]["state"], "DEGRADED");
    assert_eq!(connector_status["tasks"][0]["state"], "USER_ACTIONABLE_ERROR");
    assert_eq!(connector_status["tasks"][1]["state"], "RUNNING");
    fault(None);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
}

#[tokio::test]
async fn an_update_that_fails_validation_is_stored_but_not_active() {
    let connect = ConnectSandbox::new().await;
    connect
        .create_connector(&connect.cdc_config("claims-hr", &json!({})))
        .await
        .expect_status(201);
    assert_eq!(connect.connector_state("claims-hr").await, "RUNNING");
    connect
        .put_config(&connect.cdc_config("claims-hr", &json!({ "database.hostname": "pg.example.invalid" })))
        .await
        .expect_status(200);
    let connector_status = connect.connector_status("claims-hr").await;
    assert_eq!(connector_status["connector"]["state"], "FAILED");
    let trace = connector_status.text("/connector/trace");
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
