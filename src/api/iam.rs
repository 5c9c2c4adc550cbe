//! `iam/v2`: service accounts and users (ccloud-sdk-go-v2 `iam/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, Paged, RetrySafety, common::page_query};
use crate::model::{ServiceAccountId, UserId};

/// All service accounts.
pub const SERVICE_ACCOUNTS: &str = "/iam/v2/service-accounts";
/// One service account.
pub const SERVICE_ACCOUNT: &str = "/iam/v2/service-accounts/{id}";
/// All users.
pub const USERS: &str = "/iam/v2/users";
/// One user.
pub const USER: &str = "/iam/v2/users/{id}";
/// Identity providers; the sandbox has none, the stock CLI asks for them.
pub const IDENTITY_PROVIDERS: &str = "/iam/v2/identity-providers";
/// Group mappings; the sandbox has none, the stock CLI asks for them.
pub const GROUP_MAPPINGS: &str = "/iam/v2/sso/group-mappings";

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceAccount {
    /// `iam/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `ServiceAccount`.
    #[serde(default)]
    pub kind: String,
    /// `sa-…`.
    pub id: ServiceAccountId,
    /// When it was made, and the like.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Unique in the organization.
    #[serde(default)]
    pub display_name: String,
    /// Free text; ours hold an ownership tag.
    #[serde(default)]
    pub description: String,
}

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// `iam/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `User`.
    #[serde(default)]
    pub kind: String,
    /// `u-…`.
    pub id: UserId,
    /// When it was made, and the like.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// The address.
    #[serde(default)]
    pub email: String,
    /// The name.
    #[serde(default)]
    pub full_name: String,
    /// How they log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
}

/// Lists service accounts.
#[derive(Clone, Debug, Default)]
pub struct ListServiceAccounts {
    /// Only those with one of these names, exactly.
    pub display_names: Vec<String>,
}

impl Endpoint for ListServiceAccounts {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = SERVICE_ACCOUNTS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<ServiceAccount>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.extend(self.display_names.iter().map(|name| ("display_name", name.clone())));
        query
    }

    fn subject(&self) -> String {
        "service accounts".into()
    }
}

impl Paged for ListServiceAccounts {
    type Item = ServiceAccount;
}

/// Creates a service account.
#[derive(Clone, Debug)]
pub struct CreateServiceAccount {
    /// Its name.
    pub display_name: String,
    /// Its description.
    pub description: String,
    /// The id of the principal that becomes its ResourceOwner in the same step (`sa-…`, `u-…`).
    pub assigned_resource_owner: Option<String>,
}

impl Endpoint for CreateServiceAccount {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = SERVICE_ACCOUNTS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = ServiceAccount;

    fn query(&self) -> Vec<(&'static str, String)> {
        self.assigned_resource_owner
            .iter()
            .map(|owner| ("assigned_resource_owner", owner.clone()))
            .collect()
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "display_name": self.display_name, "description": self.description }))
    }

    fn subject(&self) -> String {
        format!("service account `{}`", self.display_name)
    }
}

/// Reads a service account.
#[derive(Clone, Debug)]
pub struct GetServiceAccount(pub ServiceAccountId);

impl Endpoint for GetServiceAccount {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = SERVICE_ACCOUNT;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ServiceAccount;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("service account `{}`", self.0)
    }
}

/// Changes the description of a service account.
#[derive(Clone, Debug)]
pub struct UpdateServiceAccount {
    /// Which.
    pub id: ServiceAccountId,
    /// The new description.
    pub description: String,
}

impl Endpoint for UpdateServiceAccount {
    const METHOD: Method = Method::PATCH;
    const ROUTE: &'static str = SERVICE_ACCOUNT;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = ServiceAccount;

    fn segments(&self) -> Vec<&str> {
        vec![self.id.as_str()]
    }

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "description": self.description }))
    }

    fn subject(&self) -> String {
        format!("service account `{}`", self.id)
    }
}

/// Deletes a service account, with its API keys.
#[derive(Clone, Debug)]
pub struct DeleteServiceAccount(pub ServiceAccountId);

impl Endpoint for DeleteServiceAccount {
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = SERVICE_ACCOUNT;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    const EMPTY_RESPONSE: bool = true;
    type Response = ();

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("service account `{}`", self.0)
    }
}

/// Lists users.
#[derive(Clone, Debug, Default)]
pub struct ListUsers;

impl Endpoint for ListUsers {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = USERS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<User>;

    fn query(&self) -> Vec<(&'static str, String)> {
        page_query(None)
    }

    fn subject(&self) -> String {
        "users".into()
    }
}

impl Paged for ListUsers {
    type Item = User;
}
