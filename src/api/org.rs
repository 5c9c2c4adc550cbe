//! `org/v2`: organizations and environments (ccloud-sdk-go-v2 `org/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, Paged, RetrySafety, common::page_query};
use crate::model::{EnvironmentId, OrganizationId};

/// Path of the caller's organizations; the list has one element.
pub const ORGANIZATIONS: &str = "/org/v2/organizations";
/// Path of one organization.
pub const ORGANIZATION: &str = "/org/v2/organizations/{id}";
/// Path of all environments.
pub const ENVIRONMENTS: &str = "/org/v2/environments";
/// Path of one environment.
pub const ENVIRONMENT: &str = "/org/v2/environments/{id}";

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Organization {
    /// `org/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `Organization`.
    #[serde(default)]
    pub kind: String,
    /// UUID of the organization.
    pub id: OrganizationId,
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Name of the organization.
    #[serde(default)]
    pub display_name: String,
    /// Whether user accounts are created at first login (just-in-time provisioning).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jit_enabled: Option<bool>,
}

/// An environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CloudEnvironment {
    /// `org/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `Environment`.
    #[serde(default)]
    pub kind: String,
    /// `env-…`.
    pub id: EnvironmentId,
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Name of the environment.
    #[serde(default)]
    pub display_name: String,
    /// Stream Governance package: `{"package": "ESSENTIALS"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_governance_config: Option<serde_json::Value>,
}

/// Lists organizations.
#[derive(Clone, Debug, Default)]
pub struct ListOrganizations;

impl Endpoint for ListOrganizations {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = ORGANIZATIONS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<Organization>;

    fn query(&self) -> Vec<(&'static str, String)> {
        page_query(None)
    }

    fn subject(&self) -> String {
        "organizations".into()
    }
}

impl Paged for ListOrganizations {
    type Item = Organization;
}

/// Lists environments.
#[derive(Clone, Debug, Default)]
pub struct ListEnvironments;

impl Endpoint for ListEnvironments {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = ENVIRONMENTS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<CloudEnvironment>;

    fn query(&self) -> Vec<(&'static str, String)> {
        page_query(None)
    }

    fn subject(&self) -> String {
        "environments".into()
    }
}

impl Paged for ListEnvironments {
    type Item = CloudEnvironment;
}

/// Reads an environment.
#[derive(Clone, Debug)]
pub struct GetEnvironment(pub EnvironmentId);

impl Endpoint for GetEnvironment {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = ENVIRONMENT;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = CloudEnvironment;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("environment `{}`", self.0)
    }
}
