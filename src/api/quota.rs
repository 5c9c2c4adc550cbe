//! `service-quota/v1`: the provider's applied quotas (ccloud-sdk-go-v2 `service-quota/v1/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};

/// All applied quotas of a scope.
pub const APPLIED_QUOTAS: &str = "/service-quota/v1/applied-quotas";
/// One applied quota.
pub const APPLIED_QUOTA: &str = "/service-quota/v1/applied-quotas/{id}";
/// The scopes there are.
pub const SCOPES: &str = "/service-quota/v1/scopes";
/// One scope.
pub const SCOPE: &str = "/service-quota/v1/scopes/{id}";

/// Service accounts of the organization.
pub const SERVICE_ACCOUNTS_PER_ORG: &str = "iam.max_service_accounts.per_org";
/// Cloud API keys of the organization.
pub const CLOUD_KEYS_PER_ORG: &str = "iam.max_cloud_api_keys.per_org";
/// Role bindings that give access to a Kafka cluster.
pub const BINDINGS_PER_CLUSTER: &str = "iam.max_rbac_role_bindings.per_cluster";
/// All role bindings of the organization.
pub const BINDINGS_PER_ORG: &str = "iam.max_rbac_role_bindings_all_roles.per_org";
/// Role bindings of the organization and its environments that give Kafka access.
pub const BINDINGS_PER_ORG_PLUS_ENVS: &str = "iam.max_rbac_role_bindings.per_org_plus_envs";
/// Kafka API keys of a cluster.
pub const KEYS_PER_CLUSTER: &str = "kafka.max_api_keys.per_cluster";

/// A quota as it applies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppliedQuota {
    /// `service-quota/v1`.
    #[serde(default)]
    pub api_version: String,
    /// `AppliedQuota`.
    #[serde(default)]
    pub kind: String,
    /// The quota's code; codes are discovered, never assumed to exist.
    pub id: String,
    /// When it was made, and the like.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// `ORGANIZATION`, `KAFKA_CLUSTER`, …: compare without case.
    #[serde(default)]
    pub scope: String,
    /// Its name.
    #[serde(default)]
    pub display_name: String,
    /// The limit everybody has.
    #[serde(default)]
    pub default_limit: i64,
    /// The limit that applies here.
    #[serde(default)]
    pub applied_limit: i64,
    /// What is used of it. Absent means unknown: never nothing, never unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<i64>,
    /// The organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<ObjectReference>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectReference>,
    /// The Kafka cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka_cluster: Option<ObjectReference>,
    /// The service account or user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<ObjectReference>,
}

/// Lists applied quotas.
#[derive(Clone, Debug)]
pub struct ListAppliedQuotas {
    /// `organization`, `kafka_cluster`, …; the service requires it.
    pub scope: &'static str,
    /// The environment, for narrower scopes.
    pub environment: Option<String>,
    /// The Kafka cluster, for its scope.
    pub kafka_cluster: Option<String>,
}

impl Endpoint for ListAppliedQuotas {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = APPLIED_QUOTAS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<AppliedQuota>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.push(("scope", self.scope.to_owned()));
        query.extend(self.environment.iter().map(|id| ("environment", id.clone())));
        query.extend(self.kafka_cluster.iter().map(|id| ("kafka_cluster", id.clone())));
        query
    }

    fn subject(&self) -> String {
        format!("applied quotas of scope {}", self.scope)
    }
}

impl Paged for ListAppliedQuotas {
    type Item = AppliedQuota;
}
