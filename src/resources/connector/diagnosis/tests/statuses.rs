//! Tests of complete statuses.

use serde_json::json;

use super::super::*;
use crate::api::connect::ConnectorStatus;

// Status of a connector whose database rejects the password (docs/reference/connect.md#status).
#[test]
fn several_field_errors_and_a_trace_with_one_root_are_one_cause() {
    let status: ConnectorStatus = serde_json::from_value(json!({
        "name": "hr-pg-cdc",
        "connector": { "state": "FAILED", "trace": "Unable to validate configuration. If an update was made to the \
            configuration, this means that the configuration was invalid, and the connector continues to operate on a previous \
            configuration that passed validation. Errors:\ndatabase.hostname: FATAL: password authentication failed" },
        "tasks": [{ "id": 0, "state": "USER_ACTIONABLE_ERROR", "msg": "", "trace":
            "org.apache.kafka.connect.errors.ConnectException: WorkerSourceTask{id=lcc-1-0} Task threw an uncaught and \
             unrecoverable exception\n\tat a.b.C\nCaused by: org.postgresql.util.PSQLException: FATAL: password authentication \
             failed for user \"cdc\"" }],
        "errors_from_trace": [{ "error": "FATAL: password authentication failed for user \"cdc\"" }],
        "validation_errors": [
            "database.hostname: Error while validating connector config: FATAL: password authentication failed for user \"cdc\"",
            "database.password: Error while validating connector config: FATAL: password authentication failed for user \"cdc\""],
        "error_summary": "The connector cannot authenticate to the database."
    }))
    .unwrap();
    let diagnosis = diagnose(&status);
    assert_eq!(diagnosis.causes.len(), 1, "{diagnosis:?}");
    let found = &diagnosis.causes[0];
    assert_eq!(found.rule.id, "wrong-password");
    assert_eq!(found.configs, ["database.hostname", "database.password"]);
    assert_eq!(found.errors, ["FATAL: password authentication failed for user \"cdc\""]);
    assert_eq!(diagnosis.previous_config_active, Some(false));
    assert_eq!(
        diagnosis.tasks[0].error.as_deref(),
        Some("org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"cdc\"")
    );
}

// Pattern 9 of docs/reference/connect.md#error-messages: the same message for all `database.*` fields is one cause.
#[test]
fn an_error_that_debezium_repeats_for_every_field_is_one_cause() {
    let said = "Error while validating connector config: Couldn't obtain encoding for database claims";
    let keys = ["hostname", "port", "user", "password", "dbname"].map(|key| format!("database.{key}"));
    let status = |more: &[&str], trace: &str| -> ConnectorStatus {
        let errors = keys.iter().map(|key| format!("{key}: {said}"));
        let errors: Vec<String> = errors.chain(more.iter().map(|error| (*error).to_owned())).collect();
        let trace = json!([{ "id": 0, "state": "USER_ACTIONABLE_ERROR", "trace": trace }]);
        serde_json::from_value(
            json!({ "connector": { "state": "FAILED" }, "validation_errors": errors, "tasks": trace }),
        )
        .unwrap()
    };
    let ids =
        |status: &ConnectorStatus| -> Vec<&str> { diagnose(status).causes.iter().map(|found| found.rule.id).collect() };
    let alone = diagnose(&status(&[], ""));
    assert_eq!(alone.causes.len(), 1, "{alone:?}");
    assert_eq!(alone.causes[0].rule.id, "database-unreachable");
    assert_eq!(alone.causes[0].configs, keys);
    assert_eq!(alone.causes[0].errors, ["Couldn't obtain encoding for database claims"]);
    assert!(alone.is_generic(), "log lines may contain the reason");
    // Another key has another root cause; the task's error is the root cause.
    assert_eq!(
        ids(&status(&["flush.size: cannot be guessed"], "")),
        ["database-unreachable", "invalid-configuration"]
    );
    assert_eq!(
        ids(&status(&[], "java.net.UnknownHostException: pg1")),
        ["unknown-host"]
    );
    // A wrapper message is not specific to a key.
    let wrapped: ConnectorStatus = serde_json::from_value(json!({ "connector": { "state": "FAILED" },
        "validation_errors": ["s3.region: Task threw an uncaught and unrecoverable exception"] }))
    .unwrap();
    assert_eq!(ids(&wrapped), ["invalid-configuration"]);
}

#[test]
fn different_root_causes_are_separate_causes() {
    let status: ConnectorStatus = serde_json::from_value(json!({
        "connector": { "state": "FAILED" },
        "validation_errors": ["topics: \"topics\" is required", "flush.size: \"flush.size\" should be greater than or equal to 1000",
            "s3.region: cannot be guessed"],
    }))
    .unwrap();
    let ids: Vec<&str> = diagnose(&status).causes.iter().map(|found| found.rule.id).collect();
    assert_eq!(ids, ["missing-key", "value-out-of-range", "invalid-configuration"]);
}

// The previous configuration stays active, so the tasks run (docs/reference/connect.md#update-a-connector).
#[test]
fn a_rejected_update_leaves_the_previous_configuration_active() {
    for (tasks, previous) in [(json!([{ "id": 0, "state": "RUNNING" }]), true), (json!([]), false)] {
        let status: ConnectorStatus = serde_json::from_value(json!({
            "connector": { "state": "FAILED", "trace": "Unable to validate configuration. If an update was made to the \
                configuration, this means that the configuration was invalid, and … Errors:\nflush.size: too small\nother: bad" },
            "tasks": tasks,
        }))
        .unwrap();
        let diagnosis = diagnose(&status);
        assert_eq!(diagnosis.previous_config_active, Some(previous));
        let found = &diagnosis.causes[0];
        assert_eq!(
            (found.rule.id, &found.configs[..]),
            ("invalid-configuration", &["other".to_owned(), "flush.size".into()][..])
        );
    }
}

#[test]
fn a_generic_error_yields_to_a_specific_one_and_takes_its_owner_from_the_tasks() {
    let trace = "WorkerSinkTask{id=lcc-1-0} Task threw an uncaught and unrecoverable exception";
    let status = |state: &str, root: &str| -> ConnectorStatus {
        serde_json::from_value(json!({
            "connector": { "state": "FAILED", "trace": root },
            "tasks": [{ "id": 0, "state": state, "trace": format!("{trace}\nCaused by: {root}") }],
            "error_summary": "It failed.",
        }))
        .unwrap()
    };
    let known = diagnose(&status(
        "USER_ACTIONABLE_ERROR",
        "java.net.ConnectException: Connection refused",
    ));
    assert_eq!((known.causes.len(), known.is_generic()), (1, false), "{known:?}");
    for (state, owner) in [
        ("USER_ACTIONABLE_ERROR", FaultOwner::Department),
        ("SYSTEM_ERROR", FaultOwner::Platform),
    ] {
        let unknown = diagnose(&status(state, "a.b.NewException: never seen"));
        assert!(unknown.is_generic());
        assert!(unknown.causes.iter().all(|found| found.owner == owner), "{unknown:?}");
        let said = unknown.causes.iter().flat_map(|found| &found.errors);
        assert!(said.into_iter().any(|line| line.contains("never seen")), "{unknown:?}");
    }
}

// Source: docs/reference/connect.md#connector-states
#[test]
fn health_follows_from_states_and_validation_errors() {
    let status = |state: &str, task: &str| -> ConnectorStatus {
        serde_json::from_value(json!({ "connector": { "state": state }, "tasks": [{ "id": 0, "state": task }] }))
            .unwrap()
    };
    for (state, task, expected) in [
        ("RUNNING", "RUNNING", ConnectorHealth::Healthy),
        ("PAUSED", "STOPPED", ConnectorHealth::Healthy),
        ("RUNNING", "USER_ACTIONABLE_ERROR", ConnectorHealth::Unhealthy),
        ("RUNNING", "UNASSIGNED", ConnectorHealth::Unsettled),
        ("DEGRADED", "RUNNING", ConnectorHealth::Unhealthy),
        ("FAILED", "SYSTEM_ERROR", ConnectorHealth::Unhealthy),
        ("PROVISIONING", "STOPPED", ConnectorHealth::Unsettled),
        ("", "STOPPED", ConnectorHealth::Unsettled),
        ("SOMETHING_NEW", "RUNNING", ConnectorHealth::Unsettled),
    ] {
        assert_eq!(health(&status(state, task)), expected, "{state} {task}");
    }
    assert!(diagnose(&status("RUNNING", "RUNNING")).causes.is_empty());
    assert_eq!(
        diagnose(&status("PROVISIONING", "STOPPED")).causes[0].rule.id,
        "provisioning"
    );
    assert_eq!(diagnose(&status("FAILED", "")).causes[0].rule.id, "unknown");
}

// Source: docs/reference/connect.md#common-configuration-keys; docs/reference/connect.md#error-messages, pattern 32
#[test]
fn reasons_for_missing_records_come_from_the_configuration() {
    let config = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    };
    let sink = explain_no_records(
        "lcc-1",
        true,
        &config(&[("behavior.on.error", "ignore"), ("topics.regex", "claims-.*")]),
    );
    assert_eq!(sink.len(), 3, "{sink:?}");
    assert!(sink[1].contains("the topic `dlq-lcc-1`"), "{sink:?}");
    let strict = [
        ("behavior.on.error", "FAIL"),
        ("errors.tolerance", "none"),
        ("topics", "claims-orders"),
    ];
    let strict = explain_no_records("lcc-1", true, &config(&strict));
    assert_eq!(strict.len(), 1, "{strict:?}");
    assert!(explain_no_records("lcc-1", false, &config(&[])).is_empty());
}

#[test]
fn a_log_line_matches_only_specific_rules() {
    let known = diagnose_text("Task failed\njava.lang.X: y\nCaused by: java.net.UnknownHostException: pg1").unwrap();
    assert_eq!(
        (known.rule.id, &known.errors[..]),
        ("unknown-host", &["java.net.UnknownHostException: pg1".to_owned()][..])
    );
    assert!(diagnose_text("Task threw an uncaught and unrecoverable exception").is_none());
    assert!(diagnose_text("all is well").is_none());
}
