//! `connect/v1`: fully managed connectors (ccloud-sdk-go-v2 `connect/v1/api/openapi.yaml`;
//! docs/reference/connect.md#endpoints names what the live service does beyond it).
//!
//! Everything is addressed by the *name* of the connector; its id comes only with the expanded list.

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

/// Where a connector lives: there is no "Connect cluster", only the Kafka cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPath {
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
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

/// All connectors of a Kafka cluster.
pub const CONNECTORS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors";
/// One connector, by name.
pub const CONNECTOR: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}";
/// The configuration of a connector.
pub const CONFIG: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/config";
/// Pauses a connector.
pub const PAUSE: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/pause";
/// Resumes a connector.
pub const RESUME: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/resume";
/// Restarts a connector. In the published API, not in the SDK's document (docs/reference/connect.md#restart).
pub const RESTART: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/restart";
/// The status of a connector.
pub const STATUS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/status";
/// The tasks of a connector.
pub const TASKS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/tasks";
/// Advice on an error. Undocumented (docs/reference/connect.md#error-recommendations): may be missing.
pub const RECOMMENDATIONS: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/error-recommendations";
/// The offsets of a connector.
pub const OFFSETS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/offsets";
/// Asks for the offsets of a connector to be changed.
pub const OFFSETS_REQUEST: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/offsets/request";
/// What became of that.
pub const OFFSETS_STATUS: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connectors/{name}/offsets/request/status";
/// The plugins offered for a Kafka cluster.
pub const PLUGINS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connector-plugins";
/// Checks a configuration against a plugin.
pub const VALIDATE: &str =
    "/connect/v1/environments/{environment}/clusters/{cluster}/connector-plugins/{plugin}/config/validate";
