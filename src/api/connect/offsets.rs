//! Offsets of a connector: read and change. The service processes one change request at a time
//! (docs/reference/connect.md#offsets).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{ClusterPath, OFFSETS, OFFSETS_REQUEST, OFFSETS_STATUS};
use crate::api::{Endpoint, RetrySafety, insert_offsets};

/// Offset of a connector in one partition. Both fields have the plugin's own format; numbers must stay numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OffsetItem {
    /// Partition of the source or topic.
    pub partition: serde_json::Value,
    /// Offset in the partition.
    pub offset: serde_json::Value,
}

/// Current offsets of a connector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorOffsets {
    /// `lcc-…`.
    #[serde(default)]
    pub id: String,
    /// Name of the connector.
    #[serde(default)]
    pub name: String,
    /// One entry for each partition.
    #[serde(default)]
    pub offsets: Vec<OffsetItem>,
    /// Metadata with `observed_at`: offsets are a snapshot and may be stale.
    #[serde(default)]
    pub metadata: serde_json::Value,
}

/// Request to change offsets, as accepted by the service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetsRequest {
    /// `lcc-…`.
    #[serde(default)]
    pub id: String,
    /// Name of the connector.
    #[serde(default)]
    pub name: String,
    /// `PATCH` or `DELETE`.
    #[serde(rename = "type", default)]
    pub request_type: String,
    /// Requested offsets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<Vec<OffsetItem>>,
    /// Time of the request.
    #[serde(default)]
    pub requested_at: String,
}

/// Status of a request to change offsets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetsStatus {
    /// The request.
    #[serde(default)]
    pub request: OffsetsRequest,
    /// Progress of the request.
    #[serde(default)]
    pub status: OffsetsPhase,
    /// Offsets before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_offsets: Option<Vec<OffsetItem>>,
    /// Time at which the change was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
}

/// Progress of a request to change offsets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetsPhase {
    /// `PENDING`, `PENDING_VALIDATION`, `APPLIED` or `FAILED`; an unknown value counts as pending.
    #[serde(default)]
    pub phase: String,
    /// Reason, if the request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

by_name! {
    /// Reads the current offsets of a connector.
    GetOffsets: GET OFFSETS, Idempotent -> ConnectorOffsets, empty: false, "read";
    /// Reads the status of the last request to change offsets.
    GetOffsetsStatus: GET OFFSETS_STATUS, Idempotent -> OffsetsStatus, empty: false, "read";
}

/// Requests a change of offsets, or a reset of all offsets if none are given.
#[derive(Clone, Debug)]
pub struct AlterOffsets {
    /// Cluster that the connector runs in.
    pub cluster_path: ClusterPath,
    /// Name of the connector.
    pub name: String,
    /// New offsets; `None` resets to the initial offsets of the plugin.
    pub offsets: Option<Vec<OffsetItem>>,
}

impl Endpoint for AlterOffsets {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = OFFSETS_REQUEST;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = OffsetsRequest;

    fn segments(&self) -> Vec<&str> {
        self.cluster_path.segments(&[&self.name])
    }

    fn body(&self) -> Option<serde_json::Value> {
        let request_type = if self.offsets.is_some() { "PATCH" } else { "DELETE" };
        let mut body = serde_json::json!({ "type": request_type });
        let offsets = self.offsets.as_ref().map(|offsets| serde_json::json!(offsets));
        insert_offsets(&mut body, offsets.as_ref());
        Some(body)
    }

    fn action(&self) -> &'static str {
        "change"
    }

    fn subject(&self) -> String {
        format!("offsets of connector `{}`", self.name)
    }
}
