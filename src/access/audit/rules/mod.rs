//! Audit rules, one file each. To add a rule, write the file and add it to [`RULES`]; `docs/audit.md` is generated from
//! the rules.

use super::{RuleReport, context::AuditContext, visibility::RequiredData};
use crate::diag::Severity;

pub mod administrator_key;
pub mod connector_transform;
pub mod foreign_dead_letters;
pub mod invalid_key_record;
pub mod lookalike_name;
pub mod plugin_not_allowed;
pub mod privileged_connector;
pub mod unknown_resource_kind;
pub mod client_quota;
pub mod connector_identity;
pub mod connector_topic;
pub mod dangling_binding;
mod declared;
pub mod impersonating_account;
pub mod third_party_grant;
pub mod group_mapping;
pub mod key_age;
pub mod key_count;
pub mod orphan_department;
pub mod orphaned_key;
pub mod prefix_overlap;
pub mod registry_wide;
pub mod retired_prefix;
pub mod runtime_key;
pub mod runtime_owner;
pub mod unmanaged_account;
pub mod shared_namespace;
pub mod unmanaged_acl;
pub mod template_drift;
pub mod unnamed_administrator;
pub mod unrecorded_key;
pub mod user_key;
pub mod overbroad_binding;

/// An audit rule.
pub struct AuditRule {
    /// Rule id in kebab case. It must stay stable, because baseline files contain it.
    pub id: &'static str,
    /// Threat number in docs/reference/rbac.md#threats.
    pub threat: &'static str,
    /// Severity of its worst finding.
    pub severity: Severity,
    /// What the rule finds, one line.
    pub summary: &'static str,
    /// Why it matters, with sources.
    pub why: &'static str,
    /// Evidence for a finding, and exceptions.
    pub evidence: &'static str,
    /// What to do, and who.
    pub remedy: &'static str,
    /// Lists that must be complete for the verdict "absent".
    pub needs: &'static [RequiredData],
    pub(super) check: fn(&AuditContext<'_>, &mut RuleReport),
}

impl std::fmt::Debug for AuditRule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.id)
    }
}

/// All rules, ordered by threat.
pub const RULES: &[AuditRule] = &[
    prefix_overlap::RULE,
    overbroad_binding::RULE,
    unknown_resource_kind::RULE,
    third_party_grant::RULE,
    template_drift::RULE,
    unmanaged_account::RULE,
    impersonating_account::RULE,
    lookalike_name::RULE,
    runtime_owner::RULE,
    runtime_key::RULE,
    connector_topic::RULE,
    connector_transform::RULE,
    plugin_not_allowed::RULE,
    shared_namespace::RULE,
    foreign_dead_letters::RULE,
    connector_identity::RULE,
    privileged_connector::RULE,
    registry_wide::RULE,
    unrecorded_key::RULE,
    invalid_key_record::RULE,
    orphaned_key::RULE,
    key_age::RULE,
    key_count::RULE,
    user_key::RULE,
    administrator_key::RULE,
    dangling_binding::RULE,
    unmanaged_acl::RULE,
    retired_prefix::RULE,
    orphan_department::RULE,
    group_mapping::RULE,
    unnamed_administrator::RULE,
    client_quota::RULE,
];

/// Threats that are not visible through the API, with the mitigation.
pub const NOT_AUDITED: &[(&str, &str, &str)] = &[
    (
        "T9",
        "names of connectors, consumers, accounts and metrics of other departments that are visible in lists",
        "a list contains only the entries visible to its caller; `onboard` tests visibility with each new key",
    ),
    (
        "T10",
        "subjects outside every prefix, global compatibility and mode",
        "only the Schema Registry itself reports them, and it needs its own API key",
    ),
    (
        "T12",
        "a refused list that is treated as empty",
        "the verdict of a rule with incomplete data is *unknown*",
    ),
    (
        "T13",
        "deletion of the wrong role binding",
        "this program deletes by id after comparing principal, role and CRN again",
    ),
    (
        "T17",
        "theft of the provisioner's key",
        "the audit log of the organization records where a key is used",
    ),
    (
        "T18",
        "secrets stored by this program",
        "it stores no secrets except in pending profiles",
    ),
];

/// Returns the rule with `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static AuditRule> {
    RULES.iter().find(|rule| rule.id == id)
}
