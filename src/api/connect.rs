//! `connect/v1`: fully managed connectors (ccloud-sdk-go-v2 `connect/v1/api/openapi.yaml`, dossier `connect.md`).
//!
//! For now what the proof of an onboarding needs: the list, the status, and a create call.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, Repeat};
use crate::model::{ClusterId, EnvironmentId};

/// All connectors of a Kafka cluster.
pub const CONNECTORS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors";
/// One connector, by name.
pub const CONNECTOR: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}";
/// The status of a connector.
pub const STATUS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/status";

/// Where a connector lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
    pub cluster: ClusterId,
}

/// One entry of the expanded list, keyed by the connector's name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expanded {
    /// `{"id": "lcc-…", "id_type": "ID"}`.
    #[serde(default)]
    pub id: ExpandedId,
    /// Configuration and tasks.
    #[serde(default)]
    pub info: Info,
    /// State.
    #[serde(default)]
    pub status: Status,
}

/// The id of a connector, which only the expanded list tells.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpandedId {
    /// `lcc-…`, or `clcc-…` for custom connectors.
    #[serde(default)]
    pub id: String,
    /// `ID`.
    #[serde(default)]
    pub id_type: String,
}

/// Configuration and tasks of a connector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Info {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// `source`, `sink`, `unknown`: compare without case.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// The configuration, with masked secrets.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<serde_json::Value>,
}

/// The state of a connector and of its tasks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// `source`, `sink`, `unknown`.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// The state of the whole.
    #[serde(default)]
    pub connector: StatusOfConnector,
    /// The states of the tasks; empty while provisioning and after a failed start.
    #[serde(default)]
    pub tasks: Vec<serde_json::Value>,
}

/// The state of the whole connector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StatusOfConnector {
    /// `PROVISIONING`, `RUNNING`, `FAILED`, …: an open list.
    #[serde(default)]
    pub state: String,
    /// The worker.
    #[serde(default)]
    pub worker_id: String,
    /// The reason, when it failed.
    #[serde(default)]
    pub trace: String,
}

/// Lists all connectors of a cluster with id, configuration and status: the single read path.
#[derive(Clone, Debug)]
pub struct ListConnectors(pub Place);

impl Endpoint for ListConnectors {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CONNECTORS;
    const REPEAT: Repeat = Repeat::Safe;
    type Answer = BTreeMap<String, Expanded>;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.environment.as_str(), self.0.cluster.as_str()]
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        vec![("expand", "info,status,id".into())]
    }

    fn subject(&self) -> String {
        format!("connectors of `{}`", self.0.cluster)
    }
}

/// Creates a connector.
#[derive(Clone, Debug)]
pub struct CreateConnector {
    /// Where.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its configuration; the service wants the name in it, too.
    pub config: BTreeMap<String, String>,
}

impl Endpoint for CreateConnector {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = CONNECTORS;
    const REPEAT: Repeat = Repeat::LookFirst;
    type Answer = Info;

    fn segments(&self) -> Vec<&str> {
        vec![self.place.environment.as_str(), self.place.cluster.as_str()]
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "name": self.name, "config": self.config }))
    }

    fn subject(&self) -> String {
        format!("connector `{}`", self.name)
    }
}

/// Reads the status of a connector.
#[derive(Clone, Debug)]
pub struct GetStatus {
    /// Where.
    pub place: Place,
    /// Its name.
    pub name: String,
}

impl Endpoint for GetStatus {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = STATUS;
    const REPEAT: Repeat = Repeat::Safe;
    type Answer = Status;

    fn segments(&self) -> Vec<&str> {
        vec![self.place.environment.as_str(), self.place.cluster.as_str(), &self.name]
    }

    fn subject(&self) -> String {
        format!("connector `{}`", self.name)
    }
}
