//! `connect/v1`: fully managed connectors (ccloud-sdk-go-v2 `connect/v1/api/openapi.yaml`;
//! docs/reference/connect.md#endpoints lists what the live service does beyond it).
//!
//! Every path contains the *name* of the connector. Only the expanded list returns its id.

/// Endpoints that name one connector and have no body.
macro_rules! by_name {
    ($($(#[doc = $doc:literal])+ $name:ident: $method:ident $route:ident, $repeat:ident -> $answer:ty, empty: $empty:literal, $deed:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            /// Cluster that the connector runs in.
            pub cluster_path: ClusterPath,
            /// Name of the connector.
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

pub mod connectors;
pub mod offsets;
pub mod plugins;
pub mod status;

pub use connectors::{
    ConnectorInfo, ConnectorTaskId, CreateConnector, DeleteConnector, DeleteConnectorResponse, ExpandedConnector,
    ExpandedConnectorId, GetConnector, GetConnectorConfig, LifecycleAction, ListConnectors, PauseConnector,
    PutConnectorConfig, RestartConnector, ResumeConnector,
};
pub use offsets::{
    AlterOffsets, ConnectorOffsets, GetOffsets, GetOffsetsStatus, OffsetItem, OffsetsRequest, OffsetsStatus,
};
pub use plugins::{ConfigValidation, ListPlugins, Plugin, ValidateConfig, ValidatedKey};
pub use status::{
    ConnectorStateDetail, ConnectorStatus, ErrorRecommendations, GetConnectorStatus, GetErrorRecommendations,
    ListConnectorTasks, TaskStatus,
};

use crate::model::{ClusterId, EnvironmentId};

/// Environment and Kafka cluster that a connector belongs to. Confluent Cloud has no separate Connect cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPath {
    /// Environment of the cluster.
    pub environment: EnvironmentId,
    /// Kafka cluster.
    pub cluster: ClusterId,
}

impl ClusterPath {
    fn segments<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [self.environment.as_str(), self.cluster.as_str()]
            .iter()
            .chain(rest)
            .copied()
            .collect()
    }
}

/// Path of all connectors of a Kafka cluster.
pub const CONNECTORS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors";
/// Path of one connector, by name.
pub const CONNECTOR: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}";
/// Path of the configuration of a connector.
pub const CONFIG: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/config";
/// Path that pauses a connector.
pub const PAUSE: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/pause";
/// Path that resumes a connector.
pub const RESUME: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/resume";
/// Path that restarts a connector. The published API has it, the SDK's document does not
/// (docs/reference/connect.md#restart).
pub const RESTART: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/restart";
/// Path of the status of a connector.
pub const STATUS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/status";
/// Path of the tasks of a connector.
pub const TASKS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/tasks";
/// Path of the recommendations for an error. Undocumented (docs/reference/connect.md#error-recommendations), so it may
/// not exist.
pub const RECOMMENDATIONS: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/error-recommendations";
/// Path of the offsets of a connector.
pub const OFFSETS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/offsets";
/// Path that requests a change of the offsets of a connector.
pub const OFFSETS_REQUEST: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/offsets/request";
/// Path of the status of the last request to change offsets.
pub const OFFSETS_STATUS: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/offsets/request/status";
/// Path of the plugins that are available in a Kafka cluster.
pub const PLUGINS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connector-plugins";
/// Path that validates a configuration against a plugin.
pub const VALIDATE: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connector-plugins/{plugin}/config/validate";
