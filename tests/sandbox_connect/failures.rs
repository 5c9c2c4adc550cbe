//! Every failure, by name and by trigger value (docs/reference/connect.md#status,
//! docs/reference/connect.md#error-recommendations and docs/reference/connect.md#error-messages).

use confluent_ebs::sandbox::{ConnectorFault, Fault, FaultKind};
use serde_json::json;

use crate::common::{ConnectSandbox, JsonAccess as _};

/// Faults that a PostgreSQL source cannot have: of sinks, of other databases, of cloud storage.
pub(crate) const OTHER_PLUGINS: [ConnectorFault; 9] = [
    ConnectorFault::DlqNotCreatable,
    ConnectorFault::RedoTopic,
    ConnectorFault::WrongFormat,
    ConnectorFault::SchemaMissing,
    ConnectorFault::GroupDenied,
    ConnectorFault::TableMissing,
    ConnectorFault::StorageDenied,
    ConnectorFault::SnowflakeJwt,
    ConnectorFault::SlowTarget,
];

#[tokio::test]
async fn a_sink_fault_that_was_set_before_the_connector_never_appears_on_a_source() {
    let connect = ConnectSandbox::new().await;
    let sandbox = &connect.api.sandbox;
    sandbox
        .set_connector_fault("claims-hr", Some(ConnectorFault::SlowTarget))
        .unwrap();
    let config = connect.cdc_config("claims-hr", &json!({ "database.password": "storage-denied" }));
    connect.create_connector(&config).await.expect_status(201);
    connect.advance_clock(10 * 60);
    assert_eq!(connect.connector_state("claims-hr").await, "RUNNING");
}

#[tokio::test]
async fn every_connector_fault_can_be_set_and_cleared() {
    let connect = ConnectSandbox::new().await;
    connect
        .create_connector(&connect.cdc_config("claims-hr", &json!({})))
        .await
        .expect_status(201);
    for kind in ConnectorFault::ALL {
        let set = connect.api.sandbox.set_connector_fault("claims-hr", Some(*kind));
        if OTHER_PLUGINS.contains(kind) {
            let text = set.unwrap_err().to_string();
            assert!(
                text.contains("PostgresCdcSourceV2") && text.contains("slot-in-use"),
                "{text}"
            );
            continue;
        }
        set.unwrap();
        let connector_status = connect.connector_status("claims-hr").await;
        let state = connector_status.text("/connector/state");
        match kind {
            ConnectorFault::StuckProvisioning => assert_eq!(state, "PROVISIONING"),
            ConnectorFault::Flapping => assert_eq!(state, "RUNNING"),
            _ => {
                assert_eq!(state, "FAILED", "{kind}");
                assert!(!connector_status.text("/connector/trace").is_empty(), "{kind}");
                assert!(!connector_status.text("/error_summary").is_empty(), "{kind}");
            }
        }
        let expected = if *kind == ConnectorFault::PlatformError {
            "SYSTEM_ERROR"
        } else {
            "USER_ACTIONABLE_ERROR"
        };
        if let Some(task) = connector_status["tasks"].get(0).filter(|_| state == "FAILED") {
            assert_eq!(task["state"], expected, "{kind}");
        }
        connect.api.sandbox.set_connector_fault("claims-hr", None).unwrap();
        assert_eq!(connect.connector_state("claims-hr").await, "RUNNING", "{kind}");
    }
}

#[tokio::test]
async fn clearing_all_faults_lets_connectors_recover() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    let sandbox = &connect.api.sandbox;
    let fault = Fault::once(FaultKind::ServerError).for_requests("GET", "/nowhere");
    let id = sandbox.add_fault(fault.clone()).unwrap();
    sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::WrongPassword))
        .unwrap();
    assert_eq!(connect.connector_state("claims-orders").await, "FAILED");
    assert_eq!(sandbox.clear_faults(Some(id)).unwrap(), 1, "that one only");
    assert_eq!(connect.connector_state("claims-orders").await, "FAILED");
    sandbox.add_fault(fault).unwrap();
    assert_eq!(sandbox.clear_faults(None).unwrap(), 2);
    assert_eq!(connect.connector_state("claims-orders").await, "RUNNING");
    assert_eq!(sandbox.clear_faults(None).unwrap(), 0);
}

// Source: docs/reference/connect.md#status. The example, field by field.
#[tokio::test]
async fn a_wrong_cdc_password_is_reported_for_every_field_and_once_in_the_trace() {
    let connect = ConnectSandbox::new().await;
    let nothing = connect.get("claims-hr/error-recommendations").await;
    nothing.expect_status(404);
    connect
        .create_connector(&connect.cdc_config("claims-hr", &json!({ "database.password": "wrong_password" })))
        .await
        .expect_status(201);
    let connector_status = connect.connector_status("claims-hr").await;
    let text = "FATAL: password authentication failed for user \"cdc\"";
    assert_eq!(connector_status["errors_from_trace"], json!([{ "error": text }]));
    assert_eq!(connector_status.items("/validation_errors").len(), 5);
    assert_eq!(
        connector_status["validation_errors"][0],
        format!("database.hostname: Error while validating connector config: {text}")
    );
    assert_eq!(connector_status["tasks"][0]["state"], "USER_ACTIONABLE_ERROR");
    assert_eq!(connector_status["error_recommendation_enabled"], true);
    let advice = connect.get("claims-hr/error-recommendations").await.expect_status(200);
    assert!(advice.string_at("/event_id").starts_with("lcc-"));
}

#[tokio::test]
async fn a_failure_before_the_first_task_has_no_recommendations() {
    let connect = ConnectSandbox::new().await;
    connect
        .create_connector(&connect.cdc_config("claims-hr", &json!({ "database.hostname": "pg.example.invalid" })))
        .await
        .expect_status(201);
    let connector_status = connect.connector_status("claims-hr").await;
    assert_eq!(
        (&connector_status["tasks"], &connector_status["errors_from_trace"]),
        (&json!([]), &json!([]))
    );
    let (_, detail) = connect
        .get("claims-hr/error-recommendations")
        .await
        .expect_status(400)
        .first_error();
    assert!(detail.starts_with("could not generate recommendations as error stack trace is not available"));
}
