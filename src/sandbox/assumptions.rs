//! Unconfirmed behaviour of Confluent Cloud. Each assumption is a switch, so that tests can run with both variants.
//!
//! `docs/assumptions.md` lists each assumption with the API call that confirms or refutes it.

use serde::{Deserialize, Serialize};

use super::connector::ConnectAssumptions;
use crate::access;

/// Response of a list call to a caller who may see only some of the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListVisibility {
    /// 200 with the visible objects.
    #[default]
    Filtered,
    /// 403, unless the caller may see all objects.
    Refused,
    /// 200 with all objects.
    Everything,
}

/// Unconfirmed behaviour of Confluent Cloud. The ids are those of docs/assumptions.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxAssumptions {
    /// Q1, Q11 and other inferred rules: the scopes on which a role can be bound.
    pub bindable: access::RbacAssumptions,
    /// Q2: response of `GET …/connectors` to a caller whose roles are limited to a prefix.
    pub connector_list: ListVisibility,
    /// Q3: creating an existing role binding returns 409; otherwise 201 with the id of the existing one.
    pub duplicate_binding_conflicts: bool,
    /// Q4: a principal may create, change and delete its own API keys with a Cloud key, even without a role for keys.
    pub own_keys_manageable: bool,
    /// Q5: connectors whose metrics a caller may read without MetricsViewer and without an administrator role: none
    /// (`refused`), the connectors whose metrics one of its roles allows (`filtered`), or all connectors of each
    /// cluster in which it has a role (`everything`).
    pub connector_metrics: ListVisibility,
    /// Q6: response of `GET role-bindings` to a caller who may see only a part of the scope.
    pub binding_list: ListVisibility,
    /// Q7: role bindings on `service-account=` count against `iam.max_rbac_role_bindings.per_org_plus_envs`.
    pub account_bindings_count_as_org: bool,
    /// Q9: using a service account in a connector without the role Assigner returns 403; otherwise 400.
    pub missing_assigner_is_forbidden: bool,
    /// Q10: `assigned_resource_owner` takes effect for callers without an organization-wide role; otherwise the account
    /// is created without an owner.
    pub owner_at_creation: bool,
    /// Q12: deleting a service account also deletes the role bindings of other principals on that account.
    pub account_deletion_removes_bindings: bool,
    /// A: an API key may always read itself, regardless of its roles.
    pub own_key_readable: bool,
    /// B: a principal may see its own role bindings.
    pub own_bindings_visible: bool,
    /// C: EnvironmentAdmin or CloudClusterAdmin on any resource allows listing all service accounts of the
    /// organization; otherwise only OrganizationAdmin and AccountAdmin do.
    pub administrators_see_accounts: bool,
    /// D: creating a role binding for a principal that does not exist returns 403 (observed for invitations); otherwise
    /// 400.
    pub unknown_principal_is_forbidden: bool,
    /// E: a log search returns the bare token of the next page; otherwise a link that contains the token (known clients
    /// disagree).
    pub log_next_is_token: bool,
    /// F: the last page of a log search links to another page, which is empty.
    pub log_pages_end_empty: bool,
    /// G: deleting a service account also deletes its ACLs; otherwise they remain, and lists identify the principal by
    /// its numeric id.
    pub account_deletion_removes_acls: bool,
    /// H: a principal may be in one client quota of a cluster only; a second one is 409.
    pub one_client_quota_per_principal: bool,
    /// Assumptions about Connect.
    pub connect: ConnectAssumptions,
}

impl Default for SandboxAssumptions {
    fn default() -> Self {
        Self {
            bindable: access::RbacAssumptions::default(),
            connector_list: ListVisibility::Filtered,
            duplicate_binding_conflicts: true,
            own_keys_manageable: true,
            connector_metrics: ListVisibility::Refused,
            binding_list: ListVisibility::Filtered,
            account_bindings_count_as_org: false,
            missing_assigner_is_forbidden: true,
            owner_at_creation: true,
            account_deletion_removes_bindings: true,
            own_key_readable: true,
            own_bindings_visible: true,
            administrators_see_accounts: true,
            unknown_principal_is_forbidden: true,
            log_next_is_token: false,
            log_pages_end_empty: false,
            account_deletion_removes_acls: false,
            one_client_quota_per_principal: true,
            connect: ConnectAssumptions::default(),
        }
    }
}
