//! `kafka-quotas/v1`: client quotas of Kafka clusters (ccloud-sdk-go-v2 `kafka-quotas/v1/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};
use crate::model::{ByteRate, ClientQuota, ClientQuotaId, ClusterId, EnvironmentId, Principal, Throughput};

/// Path of the client quotas.
pub const CLIENT_QUOTAS: &str = "/kafka-quotas/v1/client-quotas";
/// Path of one client quota.
pub const CLIENT_QUOTA: &str = "/kafka-quotas/v1/client-quotas/{id}";

/// A client quota.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientQuotaObject {
    /// API group and version.
    #[serde(default)]
    pub api_version: String,
    /// `ClientQuota`.
    #[serde(default)]
    pub kind: String,
    /// Id: `cq-…`.
    pub id: ClientQuotaId,
    /// Metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Content.
    pub spec: ClientQuotaSpec,
}

/// Content of a client quota.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientQuotaSpec {
    /// Name.
    #[serde(default)]
    pub display_name: String,
    /// Description.
    #[serde(default)]
    pub description: String,
    /// Maximum throughput of each principal.
    pub throughput: ThroughputRates,
    /// Kafka cluster.
    pub cluster: ObjectReference,
    /// Principals: ids of service accounts and identity pools, or `<default>` for those without a quota.
    pub principals: Vec<ObjectReference>,
    /// Environment.
    pub environment: ObjectReference,
}

/// Bytes per second, as texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThroughputRates {
    /// From clients to the cluster.
    pub ingress_byte_rate: String,
    /// From the cluster to clients.
    pub egress_byte_rate: String,
}

impl From<Throughput> for ThroughputRates {
    fn from(throughput: Throughput) -> Self {
        Self {
            ingress_byte_rate: throughput.ingress.0.to_string(),
            egress_byte_rate: throughput.egress.0.to_string(),
        }
    }
}

impl ThroughputRates {
    /// Returns the rates as numbers; `None` if one of them is no number.
    #[must_use]
    pub fn throughput(&self) -> Option<Throughput> {
        Some(Throughput {
            ingress: ByteRate(self.ingress_byte_rate.parse().ok()?),
            egress: ByteRate(self.egress_byte_rate.parse().ok()?),
        })
    }
}

impl ClientQuotaObject {
    /// Returns the quota; `None` if a rate is no number.
    #[must_use]
    pub fn client_quota(self) -> Option<ClientQuota> {
        let principals = self.spec.principals.iter();
        let principals = principals.map(|reference| Principal::from_id(&reference.id)).collect();
        let throughput = self.spec.throughput.throughput()?;
        Some(ClientQuota::observed(
            self.id,
            self.spec.display_name,
            principals,
            throughput,
        ))
    }
}

/// Lists the client quotas of a cluster.
#[derive(Clone, Debug)]
pub struct ListClientQuotas {
    /// Environment.
    pub environment: EnvironmentId,
    /// Kafka cluster.
    pub cluster: ClusterId,
}

impl Endpoint for ListClientQuotas {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CLIENT_QUOTAS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<ClientQuotaObject>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.push(("spec.cluster", self.cluster.to_string()));
        query.push(("environment", self.environment.to_string()));
        query
    }

    fn subject(&self) -> String {
        format!("client quotas of Kafka cluster `{}`", self.cluster)
    }
}

impl Paged for ListClientQuotas {
    type Item = ClientQuotaObject;
}

/// Creates the client quota of one principal.
#[derive(Clone, Debug)]
pub struct CreateClientQuota {
    /// Environment.
    pub environment: EnvironmentId,
    /// Kafka cluster.
    pub cluster: ClusterId,
    /// Name.
    pub display_name: String,
    /// Id of the principal.
    pub principal: String,
    /// Maximum throughput.
    pub throughput: Throughput,
}

impl Endpoint for CreateClientQuota {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = CLIENT_QUOTAS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = ClientQuotaObject;

    fn body(&self) -> Option<Value> {
        let reference = |id: &str| json!({ "id": id });
        Some(json!({ "spec": {
            "display_name": self.display_name,
            "throughput": ThroughputRates::from(self.throughput),
            "cluster": reference(self.cluster.as_str()),
            "principals": [reference(&self.principal)],
            "environment": reference(self.environment.as_str()),
        }}))
    }

    fn subject(&self) -> String {
        format!("client quota of `{}`", self.principal)
    }
}

/// Reads a client quota.
#[derive(Clone, Debug)]
pub struct GetClientQuota(pub ClientQuotaId);

impl Endpoint for GetClientQuota {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = CLIENT_QUOTA;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ClientQuotaObject;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("client quota `{}`", self.0)
    }
}

/// Changes the throughput of a client quota.
#[derive(Clone, Debug)]
pub struct UpdateClientQuota {
    /// Id.
    pub id: ClientQuotaId,
    /// Environment, which the document requires.
    pub environment: EnvironmentId,
    /// New throughput.
    pub throughput: Throughput,
}

impl Endpoint for UpdateClientQuota {
    const METHOD: Method = Method::PATCH;
    const ROUTE: &'static str = CLIENT_QUOTA;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ClientQuotaObject;

    fn segments(&self) -> Vec<&str> {
        vec![self.id.as_str()]
    }

    fn body(&self) -> Option<Value> {
        Some(json!({ "spec": {
            "throughput": ThroughputRates::from(self.throughput),
            "environment": { "id": self.environment },
        }}))
    }

    fn subject(&self) -> String {
        format!("client quota `{}`", self.id)
    }
}

/// Deletes a client quota.
#[derive(Clone, Debug)]
pub struct DeleteClientQuota(pub ClientQuotaId);

impl Endpoint for DeleteClientQuota {
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = CLIENT_QUOTA;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    const EMPTY_RESPONSE: bool = true;
    type Response = ();

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("client quota `{}`", self.0)
    }
}
