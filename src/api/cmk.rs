//! `cmk/v2`: Kafka clusters (ccloud-sdk-go-v2 `cmk/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};
use crate::model::{ClusterId, EnvironmentId};

/// Path of the Kafka clusters of an environment.
pub const CLUSTERS: &str = "/cmk/v2/clusters";
/// Path of one Kafka cluster.
pub const CLUSTER: &str = "/cmk/v2/clusters/{id}";

/// A Kafka cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    /// `cmk/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `Cluster`.
    #[serde(default)]
    pub kind: String,
    /// `lkc-…`.
    pub id: ClusterId,
    /// Standard metadata. `resource_name` ends in `/kafka=lkc-…`; the Terraform provider cuts that part off to build
    /// its `rbac_crn`.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Properties of the cluster.
    pub spec: ClusterSpec,
    /// Provisioning status.
    #[serde(default)]
    pub status: ClusterStatus,
}

/// Properties of a Kafka cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// Name of the cluster.
    #[serde(default)]
    pub display_name: String,
    /// `SINGLE_ZONE`, `MULTI_ZONE`, …
    #[serde(default)]
    pub availability: String,
    /// `AWS`, `GCP`, `AZURE`.
    #[serde(default)]
    pub cloud: String,
    /// Cloud region.
    #[serde(default)]
    pub region: String,
    /// Cluster type and its sizing.
    #[serde(default)]
    pub config: ClusterConfig,
    /// Bootstrap address for producers and consumers.
    #[serde(default)]
    pub kafka_bootstrap_endpoint: String,
    /// Address of the cluster's Kafka REST endpoint.
    #[serde(default)]
    pub http_endpoint: String,
    /// Environment of the cluster.
    #[serde(default)]
    pub environment: ObjectReference,
}

/// Type of a cluster and the sizing that belongs to the type.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClusterConfig {
    /// `Basic`, `Standard`, `Enterprise`, `Dedicated`, `Freight`.
    #[serde(default)]
    pub kind: String,
    /// Capacity units (CKU) of a Dedicated cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cku: Option<u32>,
    /// Upper limit of capacity units (eCKU) of an elastic cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ecku: Option<u32>,
    /// Availability zones of a Dedicated cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<Vec<String>>,
}

/// Provisioning status of a cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// `PROVISIONING`, `PROVISIONED`, `FAILED`.
    #[serde(default)]
    pub phase: String,
}

/// Lists the Kafka clusters of an environment.
#[derive(Clone, Debug)]
pub struct ListClusters(pub EnvironmentId);

impl Endpoint for ListClusters {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CLUSTERS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<Cluster>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.push(("environment", self.0.to_string()));
        query
    }

    fn subject(&self) -> String {
        format!("Kafka clusters of `{}`", self.0)
    }
}

impl Paged for ListClusters {
    type Item = Cluster;
}

/// Reads one Kafka cluster.
#[derive(Clone, Debug)]
pub struct GetCluster {
    /// Environment of the cluster; the service requires it.
    pub environment: EnvironmentId,
    /// Id of the cluster.
    pub id: ClusterId,
}

impl Endpoint for GetCluster {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CLUSTER;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = Cluster;

    fn segments(&self) -> Vec<&str> {
        vec![self.id.as_str()]
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        vec![("environment", self.environment.to_string())]
    }

    fn subject(&self) -> String {
        format!("Kafka cluster `{}`", self.id)
    }
}
