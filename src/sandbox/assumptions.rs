//! What nobody could yet try on a live organization: each a switch, so that every flow can be run both ways.
//!
//! `docs/assumptions.md` lists them with the probe that settles each one.

use serde::{Deserialize, Serialize};

use super::connector::ConnectAssumptions;
use crate::access;

/// What a list call does for a caller who may see only a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListVisibility {
    /// 200 with the part.
    #[default]
    Filtered,
    /// 403, unless the caller may see the whole.
    Refused,
    /// 200 with everything.
    Everything,
}

/// The unconfirmed behaviour of the service. Ids are those of docs/assumptions.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxAssumptions {
    /// Q1, Q11 and the rest of what is inferred about legal scopes: where a role may be bound.
    pub bindable: access::RbacAssumptions,
    /// Q2: what `GET …/connectors` shows to a caller with roles on a prefix only.
    pub connector_list: ListVisibility,
    /// Q3: the same role binding a second time is 409; otherwise 201 with the first one's id.
    pub duplicate_binding_conflicts: bool,
    /// Q4: a principal may make, change and delete API keys for itself with a Cloud key that has no key role.
    pub own_keys_manageable: bool,
    /// Q5: whose metrics a caller may read who holds neither MetricsViewer nor an administrator's role: nobody's
    /// (`refused`), those of connectors whose metrics a role lets it see (`filtered`), those of every connector in a
    /// cluster that it holds any role in (`everything`).
    pub connector_metrics: ListVisibility,
    /// Q6: what `GET role-bindings` shows to a caller who may look at a part of the scope.
    pub binding_list: ListVisibility,
    /// Q7: bindings on `service-account=` count against `iam.max_rbac_role_bindings.per_org_plus_envs`.
    pub account_bindings_count_as_org: bool,
    /// Q9: attaching a service account without Assigner is 403; otherwise 400.
    pub missing_assigner_is_forbidden: bool,
    /// Q10: `assigned_resource_owner` is honoured for callers without an organization-wide role; otherwise the account is
    /// made and nobody owns it.
    pub owner_at_creation: bool,
    /// Q12: deleting an account also removes the bindings that others hold on it.
    pub account_deletion_removes_bindings: bool,
    /// A: a key may read itself, whatever its roles ("who am I").
    pub own_key_readable: bool,
    /// B: a principal may see the bindings that it holds itself.
    pub own_bindings_visible: bool,
    /// C: who holds EnvironmentAdmin or CloudClusterAdmin anywhere sees all service accounts of the organization;
    /// otherwise only OrganizationAdmin and AccountAdmin do.
    pub administrators_see_accounts: bool,
    /// D: a role binding for a principal that does not exist is 403 (seen for invitations); otherwise 400.
    pub unknown_principal_is_forbidden: bool,
    /// E: the next page of a log search is named by its bare token; otherwise by a link that holds it (clients disagree).
    pub log_next_is_token: bool,
    /// F: a log search names a next page after the last one, which is empty.
    pub log_pages_end_empty: bool,
    /// G: deleting an account also deletes the ACLs that name it; otherwise they stay, and lists name their principal by
    /// a number.
    pub account_deletion_removes_acls: bool,
    /// What is not known about Connect.
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
            connect: ConnectAssumptions::default(),
        }
    }
}
