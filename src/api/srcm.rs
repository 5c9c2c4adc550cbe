//! `srcm/v3`: Schema Registry clusters (ccloud-sdk-go-v2 `srcm/v3/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};
use crate::model::{EnvironmentId, SchemaRegistryId};

/// Path of the Schema Registries of an environment; the list has at most one element.
pub const REGISTRIES: &str = "/srcm/v3/clusters";
/// Path of one Schema Registry.
pub const REGISTRY: &str = "/srcm/v3/clusters/{id}";

/// A Schema Registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registry {
    /// `srcm/v3`.
    #[serde(default)]
    pub api_version: String,
    /// `Cluster`.
    #[serde(default)]
    pub kind: String,
    /// `lsrc-…`.
    pub id: SchemaRegistryId,
    /// Standard metadata. Its `resource_name` is wrong for role bindings: build the CRN from the id.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Properties of the Schema Registry.
    pub spec: RegistrySpec,
    /// Provisioning status.
    #[serde(default)]
    pub status: super::cmk::ClusterStatus,
}

/// Properties of a Schema Registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegistrySpec {
    /// Name of the Schema Registry.
    #[serde(default)]
    pub display_name: String,
    /// `ESSENTIALS` or `ADVANCED`.
    #[serde(default)]
    pub package: String,
    /// Address of the Schema Registry's API.
    #[serde(default)]
    pub http_endpoint: String,
    /// `AWS`, `GCP`, `AZURE`.
    #[serde(default)]
    pub cloud: String,
    /// Cloud region.
    #[serde(default)]
    pub region: String,
    /// Environment of the Schema Registry.
    #[serde(default)]
    pub environment: ObjectReference,
}

/// Lists the Schema Registries of an environment.
#[derive(Clone, Debug)]
pub struct ListRegistries(pub EnvironmentId);

impl Endpoint for ListRegistries {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = REGISTRIES;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<Registry>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.push(("environment", self.0.to_string()));
        query
    }

    fn subject(&self) -> String {
        format!("Schema Registries of `{}`", self.0)
    }
}

impl Paged for ListRegistries {
    type Item = Registry;
}
