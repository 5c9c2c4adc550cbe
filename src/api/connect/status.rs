//! Status of a connector: state, tasks, errors, recommendations.
//!
//! The service returns several fields that no document describes (docs/reference/connect.md#status). All of them may be
//! absent.

use std::collections::HashSet;

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClusterPath, RECOMMENDATIONS, STATUS, TASKS};
use crate::{
    api::{Endpoint, RetrySafety},
    model::{ConnectorState, TaskState},
};

/// State of a connector and of its tasks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorStatus {
    /// Name of the connector.
    #[serde(default)]
    pub name: String,
    /// `source`, `sink`, `unknown`.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// State of the connector as a whole.
    #[serde(default)]
    pub connector: ConnectorStateDetail,
    /// States of the tasks; empty while the connector is provisioning and after a failed start.
    #[serde(default)]
    pub tasks: Vec<TaskStatus>,
    /// Errors that the service extracted from stack traces: texts, or objects with the key `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors_from_trace: Option<Vec<serde_json::Value>>,
    /// Configuration errors in the form `key: text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_errors: Option<Vec<String>>,
    /// Message that Confluent set by hand; it takes precedence over all other messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_message: Option<String>,
    /// Summary of the error in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_summary: Option<String>,
    /// Whether [`GetErrorRecommendations`] returns recommendations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_recommendation_enabled: Option<bool>,
    /// Lifecycle stage of the plugin: `ACTIVE`, or a stage of its deprecation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_lifecycle: Option<String>,
}

impl ConnectorStatus {
    /// Returns the errors from stack traces as texts, without duplicates.
    #[must_use]
    pub fn trace_errors(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for error in self.errors_from_trace.iter().flatten() {
            let text = error.as_str().or_else(|| error["error"].as_str()).unwrap_or_default();
            if !text.is_empty() && seen.insert(text) {
                texts.push(text.to_owned());
            }
        }
        texts
    }

    /// Returns the number of running tasks.
    #[must_use]
    pub fn running_tasks(&self) -> usize {
        self.tasks.iter().filter(|task| task.state.is_running()).count()
    }

    /// Returns the failed tasks.
    pub fn failed_tasks(&self) -> impl Iterator<Item = &TaskStatus> {
        self.tasks.iter().filter(|task| task.state.has_failed())
    }
}

/// State of the connector as a whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorStateDetail {
    /// State.
    #[serde(default)]
    pub state: ConnectorState,
    /// Id of the worker.
    #[serde(default)]
    pub worker_id: String,
    /// Reason of a failure.
    #[serde(default)]
    pub trace: String,
}

/// State of one task.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskStatus {
    /// Number of the task.
    #[serde(default)]
    pub id: u32,
    /// State.
    #[serde(default)]
    pub state: TaskState,
    /// Id of the worker.
    #[serde(default)]
    pub worker_id: String,
    /// Short message.
    #[serde(default)]
    pub msg: String,
    /// Stack trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Recommendations for an error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ErrorRecommendations {
    /// Id of the error.
    #[serde(default)]
    pub event_id: String,
    /// Recommended checks.
    #[serde(default)]
    pub recommendations: Vec<String>,
}

impl ErrorRecommendations {
    /// Returns the time of the error: the event id ends in a Unix timestamp
    /// (docs/reference/connect.md#error-recommendations).
    #[must_use]
    pub fn occurred_at(&self) -> Option<Timestamp> {
        let (_, second) = self.event_id.rsplit_once('_')?;
        Timestamp::from_second(second.parse().ok()?).ok()
    }
}

by_name! {
    /// Reads the status of a connector.
    GetConnectorStatus: GET STATUS, Idempotent -> ConnectorStatus, empty: false, "read";
    /// Lists the tasks of a connector: `[{"id": {"connector", "task"}, "config": {…}}]`.
    ListConnectorTasks: GET TASKS, Idempotent -> Vec<serde_json::Value>, empty: false, "read";
    /// Reads the recommendations for an error. 400, 403 and 404 all mean that there are none.
    GetErrorRecommendations: GET RECOMMENDATIONS, Idempotent -> ErrorRecommendations, empty: false, "read";
}

#[cfg(test)]
mod tests {
    use super::{ConnectorStatus, ErrorRecommendations};

    // Event id from docs/reference/connect.md#error-recommendations.
    #[test]
    fn the_event_id_yields_the_time_of_the_error() {
        let at = |event_id: &str| {
            let advice = ErrorRecommendations {
                event_id: event_id.to_owned(),
                ..ErrorRecommendations::default()
            };
            advice.occurred_at().map(|at| at.to_string())
        };
        assert_eq!(at("lcc-8kq2zm_1767225600").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(at("lcc-8kq2zm"), None);
        assert_eq!(at("lcc-8kq2zm_soon"), None);
    }

    // Two clients expect different element types (docs/reference/connect.md#status).
    #[test]
    fn trace_errors_may_be_texts_or_objects() {
        let json = r#"{"errors_from_trace":["a",{"error":"b"},"a",{"other":1}]}"#;
        let status: ConnectorStatus = serde_json::from_str(json).unwrap();
        assert_eq!(status.trace_errors(), ["a", "b"]);
    }
}
