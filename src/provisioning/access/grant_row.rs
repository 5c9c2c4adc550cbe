//! Principals and grants in answers.

use serde::Serialize;

use crate::{
    access::{AccessGrant, AccessModel, GrantOrigin, access_model::PLANNED_ID_PREFIX},
    model::{AclBinding, CrnPattern, Principal},
};

/// Principal in an answer.
#[derive(Clone, Debug, Serialize)]
pub struct AccessPrincipal {
    /// Id; `None` for a planned account.
    id: Option<String>,
    /// Name of the service account.
    name: Option<String>,
    /// Code of the department of the account; `None` if the account belongs to no department.
    department: Option<String>,
    /// Name of the persona of the account; `None` if the account belongs to no department.
    persona: Option<String>,
    /// Title in sentences and tables.
    #[serde(skip)]
    pub title: String,
}

impl AccessPrincipal {
    pub(super) fn new(model: &AccessModel, principal: &Principal) -> Self {
        let member = model.persona_of(principal);
        let id = principal.id();
        Self {
            id: (!id.starts_with(PLANNED_ID_PREFIX)).then(|| id.to_owned()),
            name: model.display_names.get(principal).cloned(),
            department: member.map(|member| member.department.to_string()),
            persona: member.map(|member| member.persona.clone()),
            title: model.persona_title(principal),
        }
    }
}

/// Role binding or ACL in an answer.
#[derive(Clone, Debug, Serialize)]
pub struct GrantRow {
    /// Principal that holds the grant.
    pub principal: AccessPrincipal,
    /// Role, for a role binding.
    role_name: Option<String>,
    /// ACL, for an ACL.
    acl: Option<AclBinding>,
    /// CRN pattern of the grant.
    crn_pattern: CrnPattern,
    /// Origin of the grant.
    pub origin: GrantOrigin,
    /// Resource in sentences and tables.
    #[serde(skip)]
    pub resource: String,
    /// Role or ACL in sentences and tables.
    #[serde(skip)]
    pub label: String,
}

impl GrantRow {
    pub(super) fn new(model: &AccessModel, grant: &AccessGrant) -> Self {
        Self {
            principal: AccessPrincipal::new(model, grant.principal()),
            label: grant.label(),
            role_name: grant.role_binding().map(|binding| binding.role.to_string()),
            acl: grant.acl().cloned(),
            crn_pattern: grant.pattern().clone(),
            origin: model.grant_origin(grant),
            resource: model.describe_resource(grant.pattern()),
        }
    }

    /// Describes the grant, such as `ConnectManager on connector claims-*` or `ACL ALLOW WRITE on topic dlq-lcc*`.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} on {}", self.label, self.resource)
    }

    /// Returns the full origin, if a table row shows a short form of it.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let (short, full) = (self.origin.to_short_string(), self.origin.to_string());
        (short != full).then(|| format!("{}: {full}.", self.label))
    }

    /// Whether two grants differ only in the name of the resource.
    #[must_use]
    pub fn is_similar_to(&self, other: &Self) -> bool {
        let kind = |grant: &Self| grant.crn_pattern.kind();
        self.principal.title == other.principal.title
            && self.label == other.label
            && kind(self) == kind(other)
            && self.origin == other.origin
    }
}
