//! The rules of the audit, one file each. To add one: write the file, and its line in [`RULES`]; `docs/audit.md` is made
//! from them.

use super::{RuleReport, context::AuditContext, visibility::RequiredData};
use crate::diag::Severity;

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

/// One rule.
pub struct AuditRule {
    /// Its id, kebab-case and stable: people write it into files of accepted findings.
    pub id: &'static str,
    /// The threat, as numbered in docs/reference/rbac.md#threats.
    pub threat: &'static str,
    /// How bad its worst finding is.
    pub severity: Severity,
    /// What it looks for, one line.
    pub summary: &'static str,
    /// Why it matters, and where that is known from.
    pub why: &'static str,
    /// What shows it, and what does not count.
    pub evidence: &'static str,
    /// What to do, and who.
    pub remedy: &'static str,
    /// The lists it must see in full to say that there is nothing.
    pub needs: &'static [RequiredData],
    pub(super) check: fn(&AuditContext<'_>, &mut RuleReport),
}

impl std::fmt::Debug for AuditRule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.id)
    }
}

/// All rules, in the order of threats.
pub const RULES: &[AuditRule] = &[
    prefix_overlap::RULE,
    overbroad_binding::RULE,
    third_party_grant::RULE,
    template_drift::RULE,
    unmanaged_account::RULE,
    impersonating_account::RULE,
    runtime_owner::RULE,
    runtime_key::RULE,
    connector_topic::RULE,
    shared_namespace::RULE,
    connector_identity::RULE,
    registry_wide::RULE,
    unrecorded_key::RULE,
    orphaned_key::RULE,
    key_age::RULE,
    key_count::RULE,
    user_key::RULE,
    dangling_binding::RULE,
    unmanaged_acl::RULE,
    retired_prefix::RULE,
    orphan_department::RULE,
    group_mapping::RULE,
    unnamed_administrator::RULE,
];

/// The threats that no list of the API shows, and what stands against them instead.
pub const NOT_AUDITED: &[(&str, &str, &str)] = &[
    (
        "T9",
        "names of connectors, consumers, accounts and metrics that lists show to others",
        "a list shows one caller what that caller may see, never what somebody else does: `onboard` tries with each new key",
    ),
    (
        "T10",
        "subjects outside every prefix, global compatibility and mode",
        "they are shown by the Schema Registry itself, to a key of its own",
    ),
    (
        "T12",
        "a refusal that is taken for an empty list",
        "every rule that could not look says so, and is *unknown*",
    ),
    (
        "T13",
        "a binding that is deleted in place of another",
        "this program deletes by id, after it has compared principal, role and CRN again",
    ),
    (
        "T17",
        "theft of the provisioner's key",
        "the audit log of the organization shows where a key is used from",
    ),
    (
        "T18",
        "secrets that this program keeps",
        "it keeps none besides the profiles that are still to be handed over",
    ),
];

/// The rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static AuditRule> {
    RULES.iter().find(|rule| rule.id == id)
}
