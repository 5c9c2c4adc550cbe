//! Every failure, by name and by telltale (dossier `connect.md` §2.9, §2.10, §10).

use confluent_ebs::sandbox::{ConnectorFault, Fault, FaultKind};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn every_failure_can_be_asked_for_and_cleared() {
    let world = World::new().await;
    world.create(&world.cdc("claims-hr", &json!({}))).await.expect(201);
    for kind in ConnectorFault::ALL {
        world
            .harness
            .sandbox
            .set_connector_fault("claims-hr", Some(*kind))
            .unwrap();
        let status = world.status("claims-hr").await;
        let state = status["connector"]["state"].as_str().unwrap();
        match kind {
            ConnectorFault::StuckProvisioning => assert_eq!(state, "PROVISIONING"),
            ConnectorFault::Flapping => assert_eq!(state, "RUNNING"),
            _ => {
                assert_eq!(state, "FAILED", "{kind}");
                assert!(!status["connector"]["trace"].as_str().unwrap().is_empty(), "{kind}");
                assert!(!status["error_summary"].as_str().unwrap().is_empty(), "{kind}");
            }
        }
        let expected = if *kind == ConnectorFault::PlatformError {
            "SYSTEM_ERROR"
        } else {
            "USER_ACTIONABLE_ERROR"
        };
        if let Some(task) = status["tasks"].get(0).filter(|_| state == "FAILED") {
            assert_eq!(task["state"], expected, "{kind}");
        }
        world.harness.sandbox.set_connector_fault("claims-hr", None).unwrap();
        assert_eq!(world.state("claims-hr").await, "RUNNING", "{kind}");
    }
}

#[tokio::test]
async fn clearing_all_faults_lets_connectors_recover() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let sandbox = &world.harness.sandbox;
    let fault = Fault::once(FaultKind::ServerError).on("GET", "/nowhere");
    let id = sandbox.add_fault(fault.clone()).unwrap();
    sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::WrongPassword))
        .unwrap();
    assert_eq!(world.state("claims-orders").await, "FAILED");
    assert_eq!(sandbox.clear_faults(Some(id)).unwrap(), 1, "that one only");
    assert_eq!(world.state("claims-orders").await, "FAILED");
    sandbox.add_fault(fault).unwrap();
    assert_eq!(sandbox.clear_faults(None).unwrap(), 2);
    assert_eq!(world.state("claims-orders").await, "RUNNING");
    assert_eq!(sandbox.clear_faults(None).unwrap(), 0);
}

// Dossier `connect.md` §2.9: the example, field by field.
#[tokio::test]
async fn a_wrong_password_of_a_cdc_source_is_said_for_every_field_and_once_in_the_trace() {
    let world = World::new().await;
    let nothing = world.get("claims-hr/error-recommendations").await;
    nothing.expect(404);
    world
        .create(&world.cdc("claims-hr", &json!({ "database.password": "wrong_password" })))
        .await
        .expect(201);
    let status = world.status("claims-hr").await;
    let text = "FATAL: password authentication failed for user \"cdc\"";
    assert_eq!(status["errors_from_trace"], json!([{ "error": text }]));
    assert_eq!(status["validation_errors"].as_array().unwrap().len(), 5);
    assert_eq!(
        status["validation_errors"][0],
        format!("database.hostname: Error while validating connector config: {text}")
    );
    assert_eq!(status["tasks"][0]["state"], "USER_ACTIONABLE_ERROR");
    assert_eq!(status["error_recommendation_enabled"], true);
    let advice = world.get("claims-hr/error-recommendations").await.expect(200);
    assert!(advice.text("/event_id").starts_with("lcc-"));
}

#[tokio::test]
async fn a_failure_that_never_started_a_task_has_no_advice() {
    let world = World::new().await;
    world
        .create(&world.cdc("claims-hr", &json!({ "database.hostname": "pg.example.invalid" })))
        .await
        .expect(201);
    let status = world.status("claims-hr").await;
    assert_eq!(
        (&status["tasks"], &status["errors_from_trace"]),
        (&json!([]), &json!([]))
    );
    let (_, detail) = world.get("claims-hr/error-recommendations").await.expect(400).error();
    assert!(detail.starts_with("could not generate recommendations as error stack trace is not available"));
}
