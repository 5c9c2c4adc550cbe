//! Endpoints to list, create, read, change, pause, resume, restart and delete connectors.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{CONFIG, CONNECTOR, CONNECTORS, ClusterPath, PAUSE, RESTART, RESUME, status::ConnectorStatus};
use crate::api::{Endpoint, RetrySafety, insert_offsets};

/// Entry of the expanded connector list, which is keyed by connector name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpandedConnector {
    /// Id of the connector: `{"id": "lcc-…", "id_type": "ID"}`.
    #[serde(default)]
    pub id: ExpandedConnectorId,
    /// Configuration and tasks.
    #[serde(default)]
    pub info: ConnectorInfo,
    /// Status of the connector and its tasks.
    #[serde(default)]
    pub status: ConnectorStatus,
}

/// Id of a connector. Only the expanded list returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpandedConnectorId {
    /// `lcc-…`, or `clcc-…` for custom connectors.
    #[serde(default)]
    pub id: String,
    /// `ID`.
    #[serde(default)]
    pub id_type: String,
}

/// Configuration and tasks of a connector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorInfo {
    /// Name of the connector.
    #[serde(default)]
    pub name: String,
    /// `source`, `sink` or `unknown`. Compare case-insensitively, and prefer the type in the plugin list.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// Configuration, with masked secrets and with keys that the service adds.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Tasks of the connector.
    #[serde(default)]
    pub tasks: Vec<ConnectorTaskId>,
    /// Initial offsets, in the response to a create call that specified some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<serde_json::Value>,
}

/// Identifier of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorTaskId {
    /// Name of the connector.
    #[serde(default)]
    pub connector: String,
    /// Number of the task.
    #[serde(default)]
    pub task: u32,
}

/// Lists all connectors of a cluster with id, configuration and status. The only call that observes connectors; it is
/// not paged.
#[derive(Clone, Debug)]
pub struct ListConnectors(pub ClusterPath);

impl Endpoint for ListConnectors {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CONNECTORS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = BTreeMap<String, ExpandedConnector>;

    fn segments(&self) -> Vec<&str> {
        self.0.segments(&[])
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        vec![("expand", "info,status,id".into())]
    }

    fn subject(&self) -> String {
        format!("connectors of `{}`", self.0.cluster)
    }
}

/// Creates a connector. The response contains no id.
#[derive(Clone, Debug)]
pub struct CreateConnector {
    /// Cluster that the connector runs in.
    pub cluster_path: ClusterPath,
    /// Name of the connector.
    pub name: String,
    /// Configuration; the service requires the name in it as well.
    pub config: BTreeMap<String, String>,
    /// Initial offsets, in the format of the service.
    pub offsets: Option<serde_json::Value>,
}

impl Endpoint for CreateConnector {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = CONNECTORS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = ConnectorInfo;

    fn segments(&self) -> Vec<&str> {
        self.cluster_path.segments(&[])
    }

    fn body(&self) -> Option<serde_json::Value> {
        let mut body = serde_json::json!({ "name": self.name, "config": self.config });
        insert_offsets(&mut body, self.offsets.as_ref());
        Some(body)
    }

    fn subject(&self) -> String {
        format!("connector `{}`", self.name)
    }
}

by_name! {
    /// Reads a connector.
    GetConnector: GET CONNECTOR, Idempotent -> ConnectorInfo, empty: false, "read";
    /// Reads the configuration of a connector, with masked secrets and with keys that the service adds.
    GetConnectorConfig: GET CONFIG, Idempotent -> BTreeMap<String, String>, empty: false, "read";
    /// Deletes a connector. A response with status 200 can carry an error: check [`DeleteConnectorResponse::error`].
    DeleteConnector: DELETE CONNECTOR, Idempotent -> DeleteConnectorResponse, empty: false, "delete";
    /// Pauses a connector. The state changes later.
    PauseConnector: PUT PAUSE, Idempotent -> (), empty: true, "pause";
    /// Resumes a connector. The state changes later.
    ResumeConnector: PUT RESUME, Idempotent -> (), empty: true, "resume";
    /// Restarts a connector. The service returns 400 unless the connector is RUNNING
    /// (docs/reference/connect.md#restart).
    RestartConnector: POST RESTART, CheckFirst -> (), empty: true, "restart";
}

/// Actions on a connector that leave its configuration unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleAction {
    /// Stop the tasks.
    Pause,
    /// Start the stopped tasks.
    Resume,
    /// Stop and start the tasks.
    Restart,
}

/// Response to a delete call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeleteConnectorResponse {
    /// Reason for a failed deletion; `null` if the connector was deleted. Any other value means failure, even with a
    /// 2xx status (docs/reference/connect.md#error-bodies, E6).
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

/// Replaces the whole configuration of a connector: keys that are absent are removed, and a connector that does not
/// exist is created. Check that it exists first.
#[derive(Clone, Debug)]
pub struct PutConnectorConfig {
    /// Cluster that the connector runs in.
    pub cluster_path: ClusterPath,
    /// Name of the connector; the configuration must contain the same name.
    pub name: String,
    /// Complete configuration.
    pub config: BTreeMap<String, String>,
}

impl Endpoint for PutConnectorConfig {
    const METHOD: Method = Method::PUT;
    const ROUTE: &'static str = CONFIG;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ConnectorInfo;

    fn segments(&self) -> Vec<&str> {
        self.cluster_path.segments(&[&self.name])
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!(self.config))
    }

    fn subject(&self) -> String {
        format!("connector `{}`", self.name)
    }
}
