//! The offsets of a connector: read, changed on request, one request at a time (docs/reference/connect.md#offsets).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{ClusterPath, OFFSETS, OFFSETS_REQUEST, OFFSETS_STATUS, connectors::by_name};
use crate::api::{Endpoint, RetrySafety, insert_offsets};

/// One partition and where the connector is in it. Both are the plugin's own shape; numbers must stay numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OffsetItem {
    /// Which part of the source or topic.
    pub partition: serde_json::Value,
    /// Where in it.
    pub offset: serde_json::Value,
}

/// Where a connector is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectorOffsets {
    /// `lcc-…`.
    #[serde(default)]
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// One entry for each partition.
    #[serde(default)]
    pub offsets: Vec<OffsetItem>,
    /// `observed_at`: offsets are a snapshot, and may be stale.
    #[serde(default)]
    pub metadata: serde_json::Value,
}

/// A request to change offsets, as the service took it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetsRequest {
    /// `lcc-…`.
    #[serde(default)]
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// `PATCH` or `DELETE`.
    #[serde(rename = "type", default)]
    pub request_type: String,
    /// The offsets that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<Vec<OffsetItem>>,
    /// When.
    #[serde(default)]
    pub requested_at: String,
}

/// What became of a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetsStatus {
    /// The request.
    #[serde(default)]
    pub request: OffsetsRequest,
    /// Where it is.
    #[serde(default)]
    pub status: OffsetsPhase,
    /// The offsets before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_offsets: Option<Vec<OffsetItem>>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
}

/// Where a request is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetsPhase {
    /// `PENDING`, `PENDING_VALIDATION`, `APPLIED`, `FAILED`; what is unknown counts as pending.
    #[serde(default)]
    pub phase: String,
    /// Why, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

by_name! {
    /// Reads where a connector is.
    GetOffsets: GET OFFSETS, Idempotent -> ConnectorOffsets, empty: false, "read";
    /// Reads what became of the last request.
    GetOffsetsStatus: GET OFFSETS_STATUS, Idempotent -> OffsetsStatus, empty: false, "read";
}

/// Asks for offsets to be changed; without offsets, for all of them to be reset.
#[derive(Clone, Debug)]
pub struct AlterOffsets {
    /// Where.
    pub cluster_path: ClusterPath,
    /// The name of the connector.
    pub name: String,
    /// The new offsets; none resets to the plugin's beginning.
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
