//! `apikeys/v2`: API keys (ccloud-sdk-go-v2 `apikeys/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};
use crate::model::{ApiKeyId, Secret};

/// Path of the API keys that the caller may see.
pub const API_KEYS: &str = "/iam/v2/api-keys";
/// Path of one API key.
pub const API_KEY: &str = "/iam/v2/api-keys/{id}";

/// Resource id of Cloud keys.
pub const CLOUD: &str = "cloud";

/// An API key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// `iam/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `ApiKey`.
    #[serde(default)]
    pub kind: String,
    /// Key id, the public half.
    pub id: ApiKeyId,
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Properties of the key.
    pub spec: ApiKeySpec,
}

/// Properties of an API key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKeySpec {
    /// Secret half. Only the response to the create call contains it, once; it is never serialized.
    #[serde(default, skip_serializing)]
    pub secret: Option<Secret>,
    /// Name; not unique.
    #[serde(default)]
    pub display_name: String,
    /// Free text; managed keys carry the tag `ebs:v1 … state=live`.
    #[serde(default)]
    pub description: String,
    /// Service account or user that owns the key.
    #[serde(default)]
    pub owner: ObjectReference,
    /// Resource that the key authenticates to: `cloud`, a cluster or a Schema Registry.
    #[serde(default)]
    pub resource: ObjectReference,
}

/// Lists API keys.
#[derive(Clone, Debug, Default)]
pub struct ListApiKeys {
    /// Filter by owner.
    pub owner: Option<String>,
    /// Filter by resource.
    pub resource: Option<String>,
}

impl Endpoint for ListApiKeys {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = API_KEYS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<ApiKey>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.extend(self.owner.iter().map(|owner| ("spec.owner", owner.clone())));
        query.extend(self.resource.iter().map(|resource| ("spec.resource", resource.clone())));
        query
    }

    fn subject(&self) -> String {
        "API keys".into()
    }
}

impl Paged for ListApiKeys {
    type Item = ApiKey;
}

/// Creates an API key. Never retried blindly: if the response is lost, the secret is lost
/// (docs/reference/rbac.md#repeating-requests).
#[derive(Clone, Debug)]
pub struct CreateApiKey {
    /// Id of the owner.
    pub owner: String,
    /// Resource of the key: [`CLOUD`], or the id of a cluster or Schema Registry.
    pub resource: String,
    /// Environment of the resource, for cluster and Schema Registry keys.
    pub environment: Option<String>,
    /// Name of the key.
    pub display_name: String,
    /// Description of the key.
    pub description: String,
}

impl Endpoint for CreateApiKey {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = API_KEYS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = ApiKey;

    fn body(&self) -> Option<serde_json::Value> {
        // The document requires `related` and `resource_name`; the Confluent CLI and the Terraform provider send them
        // empty.
        let reference = |id: &str| serde_json::json!({ "id": id, "related": "", "resource_name": "" });
        let mut resource = reference(&self.resource);
        if let Some(environment) = &self.environment {
            resource["environment"] = environment.clone().into();
        }
        Some(serde_json::json!({ "spec": {
            "display_name": self.display_name,
            "description": self.description,
            "owner": reference(&self.owner),
            "resource": resource,
        }}))
    }

    fn subject(&self) -> String {
        format!("API key of `{}`", self.owner)
    }
}

/// Reads an API key, without its secret.
#[derive(Clone, Debug)]
pub struct GetApiKey(pub ApiKeyId);

impl Endpoint for GetApiKey {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = API_KEY;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ApiKey;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("API key `{}`", self.0)
    }
}

/// Changes the description of an API key.
#[derive(Clone, Debug)]
pub struct UpdateApiKey {
    /// Id of the key.
    pub id: ApiKeyId,
    /// New description.
    pub description: String,
}

impl Endpoint for UpdateApiKey {
    const METHOD: Method = Method::PATCH;
    const ROUTE: &'static str = API_KEY;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ApiKey;

    fn segments(&self) -> Vec<&str> {
        vec![self.id.as_str()]
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "spec": { "description": self.description } }))
    }

    fn subject(&self) -> String {
        format!("API key `{}`", self.id)
    }
}

/// Deletes an API key.
#[derive(Clone, Debug)]
pub struct DeleteApiKey(pub ApiKeyId);

impl Endpoint for DeleteApiKey {
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = API_KEY;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    const EMPTY_RESPONSE: bool = true;
    type Response = ();

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("API key `{}`", self.0)
    }
}
