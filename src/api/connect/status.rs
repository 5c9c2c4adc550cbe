//! How a connector is: state, tasks, errors, advice.
//!
//! Several fields are real and in no document (docs/reference/connect.md#status); all of them may be absent.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClusterPath, RECOMMENDATIONS, STATUS, TASKS, connectors::by_name};
use crate::api::{Endpoint, RetrySafety};

/// The state of a connector and of its tasks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorStatus {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// `source`, `sink`, `unknown`.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// The state of the whole.
    #[serde(default)]
    pub connector: ConnectorStateDetail,
    /// The states of the tasks; empty while provisioning and after a failed start.
    #[serde(default)]
    pub tasks: Vec<TaskStatus>,
    /// Errors that the service found in traces: texts, or objects with an `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors_from_trace: Option<Vec<serde_json::Value>>,
    /// What is wrong with the configuration, as `key: text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_errors: Option<Vec<String>>,
    /// Confluent's own words, which come before everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_message: Option<String>,
    /// A summary in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_summary: Option<String>,
    /// Whether [`GetRecommendations`] has something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_recommendation_enabled: Option<bool>,
    /// `ACTIVE`, or on its way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_lifecycle: Option<String>,
}

impl ConnectorStatus {
    /// The errors found in traces, as texts, without repeats.
    #[must_use]
    pub fn trace_errors(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for error in self.errors_from_trace.iter().flatten() {
            let text = error
                .as_str()
                .or_else(|| error["error"].as_str())
                .unwrap_or_default()
                .to_owned();
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }
}

/// The state of the whole connector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorStateDetail {
    /// `NONE`, `PROVISIONING`, `RUNNING`, `DEGRADED`, `FAILED`, `PAUSED`, `DELETED`, `RESTARTING`, …: an open list.
    #[serde(default)]
    pub state: String,
    /// The worker.
    #[serde(default)]
    pub worker_id: String,
    /// The reason, when it failed.
    #[serde(default)]
    pub trace: String,
}

/// The state of one task.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskStatus {
    /// Its number.
    #[serde(default)]
    pub id: u32,
    /// `RUNNING`, `STOPPED`, `UNASSIGNED`, `RESTARTING`, `SYSTEM_ERROR`, `USER_ACTIONABLE_ERROR`, `FAILED`, …
    #[serde(default)]
    pub state: String,
    /// The worker.
    #[serde(default)]
    pub worker_id: String,
    /// A short message.
    #[serde(default)]
    pub msg: String,
    /// The stack trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Advice on an error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ErrorRecommendations {
    /// The error it is about.
    #[serde(default)]
    pub event_id: String,
    /// What to check.
    #[serde(default)]
    pub recommendations: Vec<String>,
}

impl ErrorRecommendations {
    /// When the error happened: the event's id ends in a Unix time (docs/reference/connect.md#error-recommendations).
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
    /// Reads advice on an error. 400, 403 and 404 all mean that there is none.
    GetErrorRecommendations: GET RECOMMENDATIONS, Idempotent -> ErrorRecommendations, empty: false, "read";
}

#[cfg(test)]
mod tests {
    use super::{ConnectorStatus, ErrorRecommendations};

    // The id of docs/reference/connect.md#error-recommendations.
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

    // Two clients disagree on the elements (docs/reference/connect.md#status).
    #[test]
    fn trace_errors_may_be_texts_or_objects() {
        let json = r#"{"errors_from_trace":["a",{"error":"b"},"a",{"other":1}]}"#;
        let status: ConnectorStatus = serde_json::from_str(json).unwrap();
        assert_eq!(status.trace_errors(), ["a", "b"]);
    }
}
