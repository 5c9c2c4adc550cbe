//! `iam/v2`: service accounts and users (ccloud-sdk-go-v2 `iam/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, Paged, RetrySafety, common::page_query};
use crate::model::{ServiceAccountId, UserId};

/// Path of all service accounts.
pub const SERVICE_ACCOUNTS: &str = "/iam/v2/service-accounts";
/// Path of one service account.
pub const SERVICE_ACCOUNT: &str = "/iam/v2/service-accounts/{id}";
/// Path of all users.
pub const USERS: &str = "/iam/v2/users";
/// Path of one user.
pub const USER: &str = "/iam/v2/users/{id}";
/// Path of the identity providers. The Confluent CLI requests them; the sandbox has none.
pub const IDENTITY_PROVIDERS: &str = "/iam/v2/identity-providers";
/// Path of the group mappings. The Confluent CLI requests them; the sandbox has none.
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
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Name, unique in the organization.
    #[serde(default)]
    pub display_name: String,
    /// Free text; managed accounts carry an ownership tag.
    #[serde(default)]
    pub description: String,
}

/// User of the organization.
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
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// E-mail address.
    #[serde(default)]
    pub email: String,
    /// Full name.
    #[serde(default)]
    pub full_name: String,
    /// Login method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
}

/// Lists service accounts.
#[derive(Clone, Debug, Default)]
pub struct ListServiceAccounts {
    /// Filter by exact name; empty for all accounts.
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
    /// Name of the account.
    pub display_name: String,
    /// Description of the account.
    pub description: String,
    /// Id of the principal that becomes ResourceOwner of the account in the same call (`sa-…`, `u-…`).
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
    /// Id of the account.
    pub id: ServiceAccountId,
    /// New description.
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

/// Deletes a service account and its API keys.
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
