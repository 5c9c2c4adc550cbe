//! Connectors: list, create, read, change, pause, resume, restart, delete.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{CONFIG, CONNECTOR, CONNECTORS, PAUSE, Place, RESTART, RESUME, status::Status};
use crate::api::{Endpoint, Repeat, offsets_of};

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// `source`, `sink`, `unknown`: compare without case, and trust the plugin list more.
    #[serde(rename = "type", default)]
    pub connector_type: String,
    /// The configuration, with masked secrets and with keys that the service adds.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<TaskId>,
    /// The offsets it began with, in the answer to a create call that named some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<serde_json::Value>,
}

/// The name of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskId {
    /// The connector.
    #[serde(default)]
    pub connector: String,
    /// Its number.
    #[serde(default)]
    pub task: u32,
}

/// Lists all connectors of a cluster with id, configuration and status: the single read path. Never paged.
#[derive(Clone, Debug)]
pub struct ListConnectors(pub Place);

impl Endpoint for ListConnectors {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CONNECTORS;
    const REPEAT: Repeat = Repeat::Safe;
    type Answer = BTreeMap<String, Expanded>;

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
    pub place: Place,
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
    const REPEAT: Repeat = Repeat::LookFirst;
    type Answer = Info;

    fn segments(&self) -> Vec<&str> {
        self.place.segments(&[])
    }

    fn body(&self) -> Option<serde_json::Value> {
        let mut body = serde_json::json!({ "name": self.name, "config": self.config });
        offsets_of(&mut body, self.offsets.as_ref());
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
            pub place: Place,
            /// The name of the connector.
            pub name: String,
        }

        impl Endpoint for $name {
            const METHOD: Method = Method::$method;
            const ROUTE: &'static str = $route;
            const REPEAT: Repeat = Repeat::$repeat;
            const EMPTY_ANSWER: bool = $empty;
            type Answer = $answer;

            fn segments(&self) -> Vec<&str> {
                self.place.segments(&[&self.name])
            }

            fn deed(&self) -> &'static str {
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
    GetConnector: GET CONNECTOR, Safe -> Info, empty: false, "read";
    /// Reads the configuration of a connector, with masked secrets and with keys that the service adds.
    GetConfig: GET CONFIG, Safe -> BTreeMap<String, String>, empty: false, "read";
    /// Deletes a connector. A 200 can carry an error: look at [`Deleted::error`].
    DeleteConnector: DELETE CONNECTOR, Safe -> Deleted, empty: false, "delete";
    /// Pauses a connector; it takes a while.
    PauseConnector: PUT PAUSE, Safe -> (), empty: true, "pause";
    /// Resumes a connector; it takes a while.
    ResumeConnector: PUT RESUME, Safe -> (), empty: true, "resume";
    /// Restarts a connector. 400 unless it is RUNNING (dossier `connect.md` §2.8).
    RestartConnector: POST RESTART, LookFirst -> (), empty: true, "restart";
}

/// What can be done to a connector without changing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// Stop its tasks.
    Pause,
    /// Start its tasks again.
    Resume,
    /// Stop and start its tasks.
    Restart,
}

/// The answer to a delete call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Deleted {
    /// `null` when it is deleted. Anything else means that it is not, whatever the status says (dossier `connect.md`
    /// §1.1, E6).
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

/// Sets the whole configuration of a connector: what is not named is removed, and a connector that does not exist is
/// created. Look first.
#[derive(Clone, Debug)]
pub struct PutConfig {
    /// Where.
    pub place: Place,
    /// The name of the connector, which the configuration must repeat.
    pub name: String,
    /// The whole configuration.
    pub config: BTreeMap<String, String>,
}

impl Endpoint for PutConfig {
    const METHOD: Method = Method::PUT;
    const ROUTE: &'static str = CONFIG;
    const REPEAT: Repeat = Repeat::Safe;
    type Answer = Info;

    fn segments(&self) -> Vec<&str> {
        self.place.segments(&[&self.name])
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!(self.config))
    }

    fn subject(&self) -> String {
        format!("connector `{}`", self.name)
    }
}
