//! Responses about a connector: status with its undocumented fields, info, tasks, recommendations
//! (docs/reference/connect.md#status, docs/reference/connect.md#error-recommendations and
//! docs/reference/connect.md#endpoints).

use serde_json::{Value, json};

use super::{
    config::displayed_config,
    evaluation::ConnectorEvaluation,
    lifecycle::{FaultProgression, LifecycleState},
    messages::FaultDetails,
};
use crate::{
    api::connect::{ConnectorInfo, ConnectorStateDetail, ConnectorStatus, ConnectorTaskId, TaskStatus},
    model::TaskState,
    sandbox::state::ConnectorRecord,
};

/// Returns configuration and tasks.
pub(crate) fn info(connector: &ConnectorRecord, evaluation: &ConnectorEvaluation, crn: &str) -> ConnectorInfo {
    let tasks = (0..started_task_count(evaluation)).map(|task| ConnectorTaskId {
        connector: connector.name.clone(),
        task,
    });
    ConnectorInfo {
        name: connector.name.clone(),
        connector_type: evaluation.plugin.kind().into(),
        config: displayed_config(connector, crn),
        tasks: tasks.collect(),
        offsets: None,
    }
}

/// Returns the number of started tasks: none before the start, and none if the configuration failed validation.
fn started_task_count(evaluation: &ConnectorEvaluation) -> u32 {
    let invalid = evaluation
        .visible_fault()
        .is_some_and(|fault| !fault.starts_tasks && !evaluation.runs_previous_config);
    match evaluation.state {
        LifecycleState::Provisioning | LifecycleState::Deleted => 0,
        _ if invalid => 0,
        _ => evaluation.tasks,
    }
}

/// Returns the status.
pub(crate) fn status(connector: &ConnectorRecord, evaluation: &ConnectorEvaluation) -> Value {
    let fault = evaluation.visible_fault();
    let texts = |list: Vec<String>| Some(list);
    let status = ConnectorStatus {
        name: connector.name.clone(),
        connector_type: evaluation.plugin.kind().into(),
        connector: ConnectorStateDetail {
            state: evaluation.state.into(),
            worker_id: connector.name.clone(),
            trace: fault.map_or_else(String::new, |fault| fault.trace.clone()),
        },
        tasks: (0..started_task_count(evaluation))
            .map(|id| task_status(connector, evaluation, fault, id))
            .collect(),
        errors_from_trace: Some(fault.map_or_else(Vec::new, |fault| {
            fault.errors.iter().map(|error| json!({ "error": error })).collect()
        })),
        validation_errors: texts(fault.map_or_else(Vec::new, |fault| fault.validation.clone())),
        override_message: Some(String::new()),
        error_summary: fault.map(|fault| fault.summary.clone()),
        error_recommendation_enabled: Some(fault.is_some_and(|fault| !fault.recommendations.is_empty())),
        plugin_lifecycle: Some("ACTIVE".into()),
    };
    let mut status = serde_json::to_value(status).unwrap_or_default();
    // An undocumented field of the service that no known client reads.
    status["error_details"] = json!({});
    status["is_csfle_error"] = json!(false);
    status["validation_error_category_info"] = Value::Null;
    status
}

fn task_status(
    connector: &ConnectorRecord,
    evaluation: &ConnectorEvaluation,
    fault: Option<&FaultDetails>,
    id: u32,
) -> TaskStatus {
    let healthy = |state: TaskState| TaskStatus {
        id,
        state,
        worker_id: connector.name.clone(),
        ..TaskStatus::default()
    };
    match (evaluation.state, fault) {
        (LifecycleState::Paused, _) => healthy(TaskState::Stopped),
        (LifecycleState::Restarting, _) => healthy(TaskState::Restarting),
        // The tasks keep running with the previous configuration.
        (LifecycleState::Failed, Some(fault))
            if fault.progression == FaultProgression::Validation && evaluation.runs_previous_config =>
        {
            healthy(TaskState::Running)
        }
        (LifecycleState::Degraded, Some(_)) if id > 0 => healthy(TaskState::Running),
        (LifecycleState::Failed | LifecycleState::Degraded, Some(fault)) => TaskStatus {
            trace: Some(fault.task_trace(&connector.id, evaluation.plugin.is_sink(), id)),
            ..healthy(fault.task_state.clone())
        },
        _ => healthy(TaskState::Running),
    }
}

/// Returns the tasks with their configurations.
pub(crate) fn tasks(connector: &ConnectorRecord, evaluation: &ConnectorEvaluation, crn: &str) -> Vec<Value> {
    let config = displayed_config(connector, crn);
    (0..started_task_count(evaluation))
        .map(|task| json!({ "id": { "connector": connector.name, "task": task }, "config": config }))
        .collect()
}

/// Returns recommendations; none for a healthy connector or one whose configuration failed validation.
pub(crate) fn recommendations(connector: &ConnectorRecord, evaluation: &ConnectorEvaluation) -> Option<Value> {
    let fault = evaluation
        .visible_fault()
        .filter(|fault| fault.starts_tasks && !fault.recommendations.is_empty())?;
    let since = evaluation.fault_since.unwrap_or(connector.run.since);
    Some(json!({
        "error": null,
        "event_id": format!("{}_{}", connector.id, since.as_second()),
        "recommendations": fault.recommendations,
    }))
}
