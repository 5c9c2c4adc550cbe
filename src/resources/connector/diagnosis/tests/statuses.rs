//! What a whole status means.

use serde_json::json;

use super::super::*;
use crate::api::connect::Status;

// Dossier `connect.md` §2.9: the status of a connector whose database refuses the password.
#[test]
fn many_fields_and_a_trace_have_one_root() {
    let status: Status = serde_json::from_value(json!({
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
    assert_eq!(diagnosis.previous_runs, Some(false));
    assert_eq!(
        diagnosis.tasks[0].error.as_deref(),
        Some("org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"cdc\"")
    );
}

// Pattern 9 of the dossier: the same message for all `database.*` fields is one root.
#[test]
fn what_debezium_says_of_every_field_is_one_root() {
    let said = "Error while validating connector config: Couldn't obtain encoding for database claims";
    let keys = ["hostname", "port", "user", "password", "dbname"].map(|key| format!("database.{key}"));
    let status = |more: &[&str], trace: &str| -> Status {
        let errors = keys.iter().map(|key| format!("{key}: {said}"));
        let errors: Vec<String> = errors.chain(more.iter().map(|error| (*error).to_owned())).collect();
        let trace = json!([{ "id": 0, "state": "USER_ACTIONABLE_ERROR", "trace": trace }]);
        serde_json::from_value(
            json!({ "connector": { "state": "FAILED" }, "validation_errors": errors, "tasks": trace }),
        )
        .unwrap()
    };
    let ids = |status: &Status| -> Vec<&str> { diagnose(status).causes.iter().map(|found| found.rule.id).collect() };
    let alone = diagnose(&status(&[], ""));
    assert_eq!(alone.causes.len(), 1, "{alone:?}");
    assert_eq!(alone.causes[0].rule.id, "database-unreachable");
    assert_eq!(alone.causes[0].configs, keys);
    assert_eq!(alone.causes[0].errors, ["Couldn't obtain encoding for database claims"]);
    assert!(alone.is_vague(), "log lines may say why");
    // Another key has another root; what a task says is the root.
    assert_eq!(
        ids(&status(&["flush.size: cannot be guessed"], "")),
        ["database-unreachable", "invalid-configuration"]
    );
    assert_eq!(
        ids(&status(&[], "java.net.UnknownHostException: pg1")),
        ["unknown-host"]
    );
    // What wraps everything says nothing of a key.
    let wrapped: Status = serde_json::from_value(json!({ "connector": { "state": "FAILED" },
        "validation_errors": ["s3.region: Task threw an uncaught and unrecoverable exception"] }))
    .unwrap();
    assert_eq!(ids(&wrapped), ["invalid-configuration"]);
}

#[test]
fn different_roots_are_different_causes() {
    let status: Status = serde_json::from_value(json!({
        "connector": { "state": "FAILED" },
        "validation_errors": ["topics: \"topics\" is required", "flush.size: \"flush.size\" should be greater than or equal to 1000",
            "s3.region: cannot be guessed"],
    }))
    .unwrap();
    let ids: Vec<&str> = diagnose(&status).causes.iter().map(|found| found.rule.id).collect();
    assert_eq!(ids, ["missing-key", "value-out-of-range", "invalid-configuration"]);
}

// Dossier `connect.md` §2.4: the previous configuration goes on, so its tasks run.
#[test]
fn a_refused_change_leaves_the_former_configuration_in_force() {
    for (tasks, previous) in [(json!([{ "id": 0, "state": "RUNNING" }]), true), (json!([]), false)] {
        let status: Status = serde_json::from_value(json!({
            "connector": { "state": "FAILED", "trace": "Unable to validate configuration. If an update was made to the \
                configuration, this means that the configuration was invalid, and … Errors:\nflush.size: too small\nother: bad" },
            "tasks": tasks,
        }))
        .unwrap();
        let diagnosis = diagnose(&status);
        assert_eq!(diagnosis.previous_runs, Some(previous));
        let found = &diagnosis.causes[0];
        assert_eq!(
            (found.rule.id, &found.configs[..]),
            ("invalid-configuration", &["other".to_owned(), "flush.size".into()][..])
        );
    }
}

#[test]
fn a_vague_error_gives_way_and_is_whose_the_tasks_say() {
    let trace = "WorkerSinkTask{id=lcc-1-0} Task threw an uncaught and unrecoverable exception";
    let status = |state: &str, root: &str| -> Status {
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
    assert_eq!((known.causes.len(), known.is_vague()), (1, false), "{known:?}");
    for (state, owner) in [
        ("USER_ACTIONABLE_ERROR", Owner::Department),
        ("SYSTEM_ERROR", Owner::Ebs),
    ] {
        let unknown = diagnose(&status(state, "a.b.NewException: never seen"));
        assert!(unknown.is_vague());
        assert!(unknown.causes.iter().all(|found| found.owner == owner), "{unknown:?}");
        let said = unknown.causes.iter().flat_map(|found| &found.errors);
        assert!(said.into_iter().any(|line| line.contains("never seen")), "{unknown:?}");
    }
}

// Dossier `connect.md` §3.1.
#[test]
fn health_is_read_from_states_and_refusals() {
    let status = |state: &str, task: &str| -> Status {
        serde_json::from_value(json!({ "connector": { "state": state }, "tasks": [{ "id": 0, "state": task }] }))
            .unwrap()
    };
    for (state, task, expected) in [
        ("RUNNING", "RUNNING", Health::Healthy),
        ("PAUSED", "STOPPED", Health::Healthy),
        ("RUNNING", "USER_ACTIONABLE_ERROR", Health::Unhealthy),
        ("RUNNING", "UNASSIGNED", Health::Unsettled),
        ("DEGRADED", "RUNNING", Health::Unhealthy),
        ("FAILED", "SYSTEM_ERROR", Health::Unhealthy),
        ("PROVISIONING", "STOPPED", Health::Unsettled),
        ("", "STOPPED", Health::Unsettled),
        ("SOMETHING_NEW", "RUNNING", Health::Unsettled),
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

// Dossier `connect.md` §4.1 and pattern 32.
#[test]
fn what_may_happen_in_silence_is_read_from_the_configuration() {
    let config = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    };
    let sink = quiet(
        "lcc-1",
        true,
        &config(&[("behavior.on.error", "ignore"), ("topics.regex", "claims-.*")]),
    );
    assert_eq!(sink.len(), 3, "{sink:?}");
    assert!(sink[1].contains("the topic dlq-lcc-1"), "{sink:?}");
    let strict = [
        ("behavior.on.error", "FAIL"),
        ("errors.tolerance", "none"),
        ("topics", "claims-orders"),
    ];
    let strict = quiet("lcc-1", true, &config(&strict));
    assert_eq!(strict.len(), 1, "{strict:?}");
    assert!(quiet("lcc-1", false, &config(&[])).is_empty());
}

#[test]
fn a_line_from_elsewhere_is_known_only_by_what_says_more() {
    let known = in_text("Task failed\njava.lang.X: y\nCaused by: java.net.UnknownHostException: pg1").unwrap();
    assert_eq!(
        (known.rule.id, &known.errors[..]),
        ("unknown-host", &["java.net.UnknownHostException: pg1".to_owned()][..])
    );
    assert!(in_text("Task threw an uncaught and unrecoverable exception").is_none());
    assert!(in_text("all is well").is_none());
}
