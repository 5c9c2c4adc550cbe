//! Connectors: list, create, read, change, pause, resume, restart, delete.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{CONFIG, CONNECTOR, CONNECTORS, ClusterPath, PAUSE, RESTART, RESUME, status::ConnectorStatus};
use crate::api::{Endpoint, RetrySafety, insert_offsets};

/// One entry of the expanded list, keyed by the connector's name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpandedConnector {
    /// `{"id": "lcc-…", "id_type": "ID"}`.
    #[serde(default)]
    pub id: ExpandedConnectorId,
    /// Configuration and tasks.
    #[serde(default)]
    pub info: ConnectorInfo,
    /// State.
    #[serde(default)]
    pub status: ConnectorStatus,
}

/// The id of a connector, which only the expanded list tells.
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
    /// The name.
    #[serde(default)]
    pub name: String,
    /// `source`, `sink`, `unknown`: compare without case, and trust the plugin list more.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// The configuration, with masked secrets and with keys that the service adds.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<ConnectorTaskId>,
    /// The offsets it began with, in the answer to a create call that named some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<serde_json::Value>,
}

/// The name of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorTaskId {
    /// The connector.
    #[serde(default)]
    pub connector: String,
    /// Its number.
    #[serde(default)]
    pub task: u32,
}

/// Lists all connectors of a cluster with id, configuration and status: the single read path. Never paged.
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

/// Creates a connector. The answer holds no id.
#[derive(Clone, Debug)]
pub struct CreateConnector {
    /// Where.
    pub cluster_path: ClusterPath,
    /// Its name.
    pub name: String,
    /// Its configuration; the service wants the name in it, too.
    pub config: BTreeMap<String, String>,
    /// Where it begins to read, as the service words it.
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

macro_rules! by_name {
    ($($(#[doc = $doc:literal])+ $name:ident: $method:ident $route:ident, $repeat:ident -> $answer:ty, empty: $empty:literal, $deed:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            /// Where.
            pub cluster_path: ClusterPath,
            /// The name of the connector.
            pub name: String,
        }

        impl Endpoint for $name {
            const METHOD: Method = Method::$method;
            const ROUTE: &'static str = $route;
            const RETRY: RetrySafety = RetrySafety::$repeat;
            const EMPTY_RESPONSE: bool = $empty;
            type Response = $answer;

            fn segments(&self) -> Vec<&str> {
                self.cluster_path.segments(&[&self.name])
            }

            fn action(&self) -> &'static str {
                $deed
            }

            fn subject(&self) -> String {
                format!("connector `{}`", self.name)
            }
        }
    )+};
}
pub(super) use by_name;

by_name! {
    /// Reads a connector.
    GetConnector: GET CONNECTOR, Idempotent -> ConnectorInfo, empty: false, "read";
    /// Reads the configuration of a connector, with masked secrets and with keys that the service adds.
    GetConnectorConfig: GET CONFIG, Idempotent -> BTreeMap<String, String>, empty: false, "read";
    /// Deletes a connector. A 200 can carry an error: look at [`Deleted::error`].
    DeleteConnector: DELETE CONNECTOR, Idempotent -> DeleteConnectorResponse, empty: false, "delete";
    /// Pauses a connector; it takes a while.
    PauseConnector: PUT PAUSE, Idempotent -> (), empty: true, "pause";
    /// Resumes a connector; it takes a while.
    ResumeConnector: PUT RESUME, Idempotent -> (), empty: true, "resume";
    /// Restarts a connector. 400 unless it is RUNNING (docs/reference/connect.md#restart).
    RestartConnector: POST RESTART, CheckFirst -> (), empty: true, "restart";
}

/// What can be done to a connector without changing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleAction {
    /// Stop its tasks.
    Pause,
    /// Start its tasks again.
    Resume,
    /// Stop and start its tasks.
    Restart,
}

/// The answer to a delete call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeleteConnectorResponse {
    /// `null` when it is deleted. Anything else means that it is not, whatever the status says
    /// (docs/reference/connect.md#error-bodies, E6).
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

/// Sets the whole configuration of a connector: what is not named is removed, and a connector that does not exist is
/// created. Look first.
#[derive(Clone, Debug)]
pub struct PutConnectorConfig {
    /// Where.
    pub cluster_path: ClusterPath,
    /// The name of the connector, which the configuration must repeat.
    pub name: String,
    /// The whole configuration.
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
