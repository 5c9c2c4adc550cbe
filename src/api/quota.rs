//! `service-quota/v1`: applied quotas of Confluent Cloud (ccloud-sdk-go-v2 `service-quota/v1/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};

/// Path of the applied quotas of a scope.
pub const APPLIED_QUOTAS: &str = "/service-quota/v1/applied-quotas";
/// Path of one applied quota.
pub const APPLIED_QUOTA: &str = "/service-quota/v1/applied-quotas/{id}";
/// Path of the quota scopes.
pub const SCOPES: &str = "/service-quota/v1/scopes";
/// Path of one quota scope.
pub const SCOPE: &str = "/service-quota/v1/scopes/{id}";

/// Quota code: service accounts of the organization.
pub const SERVICE_ACCOUNTS_PER_ORG: &str = "iam.max_service_accounts.per_org";
/// Quota code: Cloud API keys of the organization.
pub const CLOUD_KEYS_PER_ORG: &str = "iam.max_cloud_api_keys.per_org";
/// Quota code: role bindings that allow access to a Kafka cluster.
pub const BINDINGS_PER_CLUSTER: &str = "iam.max_rbac_role_bindings.per_cluster";
/// Quota code: all role bindings of the organization.
pub const BINDINGS_PER_ORG: &str = "iam.max_rbac_role_bindings_all_roles.per_org";
/// Quota code: role bindings on the organization and its environments that allow access to Kafka.
pub const BINDINGS_PER_ORG_PLUS_ENVS: &str = "iam.max_rbac_role_bindings.per_org_plus_envs";
/// Quota code: API keys of a Kafka cluster.
pub const KEYS_PER_CLUSTER: &str = "kafka.max_api_keys.per_cluster";

/// Quota with the limit and usage of one object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppliedQuota {
    /// `service-quota/v1`.
    #[serde(default)]
    pub api_version: String,
    /// `AppliedQuota`.
    #[serde(default)]
    pub kind: String,
    /// Quota code. The caller must not assume that a code exists.
    pub id: String,
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// `ORGANIZATION`, `KAFKA_CLUSTER`, …; compare case-insensitively.
    #[serde(default)]
    pub scope: String,
    /// Name of the quota.
    #[serde(default)]
    pub display_name: String,
    /// Default limit of Confluent Cloud.
    #[serde(default)]
    pub default_limit: i64,
    /// Limit of this object.
    #[serde(default)]
    pub applied_limit: i64,
    /// Usage. An absent value means unknown, neither zero nor unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<i64>,
    /// Organization that the quota applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<ObjectReference>,
    /// Environment that the quota applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectReference>,
    /// Kafka cluster that the quota applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka_cluster: Option<ObjectReference>,
    /// Service account or user that the quota applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<ObjectReference>,
}

/// Lists applied quotas.
#[derive(Clone, Debug)]
pub struct ListAppliedQuotas {
    /// `organization`, `kafka_cluster`, …; the service requires it.
    pub scope: &'static str,
    /// Environment, for narrower scopes.
    pub environment: Option<String>,
    /// Kafka cluster, for its scope.
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
