//! What a connector looks like: status with its undeclared fields, info, tasks, advice (dossier `connect.md` §2.9 to §2.11).

use serde_json::{Value, json};

use super::{
    config::shown,
    diagnose::Seen,
    life::{Course, State},
    texts::Trouble,
};
use crate::{
    api::connect::{Info, Status, StatusOfConnector, TaskId, TaskStatus},
    sandbox::state::Connector,
};

/// Configuration and tasks.
pub(crate) fn info(connector: &Connector, seen: &Seen, crn: &str) -> Info {
    let tasks = (0..tasks_of(seen)).map(|task| TaskId {
        connector: connector.name.clone(),
        task,
    });
    Info {
        name: connector.name.clone(),
        connector_type: seen.plugin.kind().into(),
        config: shown(connector, crn),
        tasks: tasks.collect(),
        offsets: None,
    }
}

/// How many tasks there are at this moment: none before the start, and none of a configuration that failed validation.
fn tasks_of(seen: &Seen) -> u32 {
    let invalid = seen
        .shown()
        .is_some_and(|trouble| !trouble.starts_tasks && !seen.on_previous);
    match seen.state {
        State::Provisioning | State::Deleted => 0,
        _ if invalid => 0,
        _ => seen.tasks,
    }
}

/// Its state.
pub(crate) fn status(connector: &Connector, seen: &Seen) -> Value {
    let trouble = seen.shown();
    let texts = |list: Vec<String>| Some(list);
    let status = Status {
        name: connector.name.clone(),
        connector_type: seen.plugin.kind().into(),
        connector: StatusOfConnector {
            state: seen.state.as_str().into(),
            worker_id: connector.name.clone(),
            trace: trouble.map_or_else(String::new, |trouble| trouble.trace.clone()),
        },
        tasks: (0..tasks_of(seen))
            .map(|id| task(connector, seen, trouble, id))
            .collect(),
        errors_from_trace: Some(trouble.map_or_else(Vec::new, |trouble| {
            trouble.errors.iter().map(|error| json!({ "error": error })).collect()
        })),
        validation_errors: texts(trouble.map_or_else(Vec::new, |trouble| trouble.validation.clone())),
        override_message: Some(String::new()),
        error_summary: trouble.map(|trouble| trouble.summary.clone()),
        error_recommendation_enabled: Some(trouble.is_some_and(|trouble| !trouble.recommendations.is_empty())),
        plugin_lifecycle: Some("ACTIVE".into()),
    };
    let mut status = serde_json::to_value(status).unwrap_or_default();
    // Real, in no document, and read by nobody here.
    status["error_details"] = json!({});
    status["is_csfle_error"] = json!(false);
    status["validation_error_category_info"] = Value::Null;
    status
}

fn task(connector: &Connector, seen: &Seen, trouble: Option<&Trouble>, id: u32) -> TaskStatus {
    let healthy = |state: &str| TaskStatus {
        id,
        state: state.into(),
        worker_id: connector.name.clone(),
        ..TaskStatus::default()
    };
    match (seen.state, trouble) {
        (State::Paused, _) => healthy("STOPPED"),
        (State::Restarting, _) => healthy("RESTARTING"),
        // What was in force before runs on.
        (State::Failed, Some(trouble)) if trouble.course == Course::Validation && seen.on_previous => {
            healthy("RUNNING")
        }
        (State::Degraded, Some(_)) if id > 0 => healthy("RUNNING"),
        (State::Failed | State::Degraded, Some(trouble)) => TaskStatus {
            state: trouble.task_state.into(),
            trace: Some(trouble.task_trace(&connector.id, seen.plugin.is_sink(), id)),
            ..healthy("")
        },
        _ => healthy("RUNNING"),
    }
}

/// Its tasks, with configurations.
pub(crate) fn tasks(connector: &Connector, seen: &Seen, crn: &str) -> Vec<Value> {
    let config = shown(connector, crn);
    (0..tasks_of(seen))
        .map(|task| json!({ "id": { "connector": connector.name, "task": task }, "config": config }))
        .collect()
}

/// Advice; none for a healthy connector or one whose configuration failed validation.
pub(crate) fn recommendations(connector: &Connector, seen: &Seen) -> Option<Value> {
    let trouble = seen
        .shown()
        .filter(|trouble| trouble.starts_tasks && !trouble.recommendations.is_empty())?;
    let since = seen.wrong_since.unwrap_or(connector.run.since);
    Some(json!({
        "error": null,
        "event_id": format!("{}_{}", connector.id, since.as_second()),
        "recommendations": trouble.recommendations,
    }))
}
