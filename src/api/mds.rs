//! `mds/v2`: role bindings (ccloud-sdk-go-v2 `mds/v2/api/openapi.yaml`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, List, ObjectMeta, Paged, RetrySafety, common::page_query};
use crate::model::{CrnPattern, Principal, Role, RoleBinding, RoleBindingId};

/// Path of all role bindings.
pub const ROLE_BINDINGS: &str = "/iam/v2/role-bindings";
/// Path of one role binding.
pub const ROLE_BINDING: &str = "/iam/v2/role-bindings/{id}";

/// Role binding with the metadata of the service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleBindingObject {
    /// `iam/v2`.
    #[serde(default)]
    pub api_version: String,
    /// `RoleBinding`.
    #[serde(default)]
    pub kind: String,
    /// `rb-…`.
    pub id: RoleBindingId,
    /// Standard metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Principal, role and CRN pattern.
    #[serde(flatten)]
    pub binding: RoleBinding,
}

/// Scope of a list of role bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleBindingScope {
    /// Role bindings on exactly this pattern.
    Exact(CrnPattern),
    /// Role bindings on anything below this scope, but not on the scope itself (`…/*`).
    Below(crate::model::Crn),
}

impl std::fmt::Display for RoleBindingScope {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(pattern) => write!(out, "{pattern}"),
            Self::Below(scope) => write!(out, "{scope}/*"),
        }
    }
}

/// Lists role bindings. The document calls the matching a "partial search", so always filter the response again.
#[derive(Clone, Debug)]
pub struct ListRoleBindings {
    /// Scope; the service requires it.
    pub scope: RoleBindingScope,
    /// Filter by principal.
    pub principal: Option<Principal>,
    /// Filter by role.
    pub role: Option<Role>,
}

impl Endpoint for ListRoleBindings {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = ROLE_BINDINGS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = List<RoleBindingObject>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(None);
        query.push(("crn_pattern", self.scope.to_string()));
        query.extend(
            self.principal
                .iter()
                .map(|principal| ("principal", principal.to_string())),
        );
        query.extend(self.role.iter().map(|role| ("role_name", role.to_string())));
        query
    }

    fn subject(&self) -> String {
        format!("role bindings on `{}`", self.scope)
    }
}

impl Paged for ListRoleBindings {
    type Item = RoleBindingObject;
}

/// Creates a role binding.
#[derive(Clone, Debug)]
pub struct CreateRoleBinding(pub RoleBinding);

impl Endpoint for CreateRoleBinding {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = ROLE_BINDINGS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    type Response = RoleBindingObject;

    fn body(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "principal": self.0.principal,
            "role_name": self.0.role,
            "crn_pattern": self.0.pattern,
        }))
    }

    fn subject(&self) -> String {
        format!(
            "role binding {} of `{}` on {}",
            self.0.role,
            self.0.principal.id(),
            self.0.pattern.to_short_string()
        )
    }
}

/// Reads a role binding.
#[derive(Clone, Debug)]
pub struct GetRoleBinding(pub RoleBindingId);

impl Endpoint for GetRoleBinding {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = ROLE_BINDING;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = RoleBindingObject;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("role binding `{}`", self.0)
    }
}

/// Deletes a role binding. The service returns either 200 with the object or 204
/// (docs/reference/rbac.md#iam-endpoints).
#[derive(Clone, Debug)]
pub struct DeleteRoleBinding(pub RoleBindingId);

impl Endpoint for DeleteRoleBinding {
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = ROLE_BINDING;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    const EMPTY_RESPONSE: bool = true;
    type Response = ();

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("role binding `{}`", self.0)
    }
}
