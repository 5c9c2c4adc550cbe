//! `apikeys/v2`: API keys (ccloud-sdk-go-v2 `apikeys/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, ObjectReference, Paged, RetrySafety, common::page_query};
use crate::model::{ApiKeyId, Secret};

/// All API keys that the caller may see.
pub const API_KEYS: &str = "/iam/v2/api-keys";
/// One API key.
pub const API_KEY: &str = "/iam/v2/api-keys/{id}";

/// The resource of a Cloud key.
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
    /// The public half.
    pub id: ApiKeyId,
    /// When it was made, and the like.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Everything else.
    pub spec: ApiKeySpec,
}

/// What an API key is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKeySpec {
    /// The secret half: only in the answer to the create call, once. Never written back.
    #[serde(default, skip_serializing)]
    pub secret: Option<Secret>,
    /// A name; not unique.
    #[serde(default)]
    pub display_name: String,
    /// Free text; ours say `ebs:v1 … state=live`.
    #[serde(default)]
    pub description: String,
    /// The service account or user it belongs to.
    #[serde(default)]
    pub owner: ObjectReference,
    /// What it opens: `cloud`, a cluster, a Schema Registry.
    #[serde(default)]
    pub resource: ObjectReference,
}

/// Lists API keys.
#[derive(Clone, Debug, Default)]
pub struct ListApiKeys {
    /// Only those of this owner.
    pub owner: Option<String>,
    /// Only those for this resource.
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

/// Creates an API key. Never repeated blindly: a lost answer has lost the secret for ever
/// (docs/reference/rbac.md#repeating-requests).
#[derive(Clone, Debug)]
pub struct CreateApiKey {
    /// The service account it is for.
    pub owner: String,
    /// What it opens: [`CLOUD`], a cluster's or a Schema Registry's id.
    pub resource: String,
    /// The environment of the resource, for cluster and Schema Registry keys.
    pub environment: Option<String>,
    /// A name.
    pub display_name: String,
    /// Free text.
    pub description: String,
}

impl Endpoint for CreateApiKey {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = API_KEYS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = ApiKey;

    fn body(&self) -> Option<serde_json::Value> {
        // The document marks `related` and `resource_name` as required; both stock clients send them empty.
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
    /// Which.
    pub id: ApiKeyId,
    /// The new description.
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
