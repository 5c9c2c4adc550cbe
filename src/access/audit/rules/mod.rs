//! The rules of the audit, one file each. To add one: write the file, and its line in [`RULES`]; `docs/audit.md` is made
//! from them.

use super::{Report, sight::Need, subject::Subject};
use crate::diag::Severity;

pub mod connector_identity;
pub mod connector_topic;
pub mod dangling_binding;
mod declared;
pub mod forged_account;
pub mod granted_onward;
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
pub mod shadow_account;
pub mod shared_namespace;
pub mod stray_acl;
pub mod template_drift;
pub mod unnamed_administrator;
pub mod unvouched_key;
pub mod user_key;
pub mod wildcard_slip;

/// One rule.
pub struct Rule {
    /// Its id, kebab-case and stable: people write it into files of accepted findings.
    pub id: &'static str,
    /// The threat, as numbered in dossier `rbac.md` §7.
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
    pub needs: &'static [Need],
    pub(super) check: fn(&Subject<'_>, &mut Report),
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.id)
    }
}

/// All rules, in the order of threats.
pub const RULES: &[Rule] = &[
    prefix_overlap::RULE,
    wildcard_slip::RULE,
    granted_onward::RULE,
    template_drift::RULE,
    shadow_account::RULE,
    forged_account::RULE,
    runtime_owner::RULE,
    runtime_key::RULE,
    connector_topic::RULE,
    shared_namespace::RULE,
    connector_identity::RULE,
    registry_wide::RULE,
    unvouched_key::RULE,
    orphaned_key::RULE,
    key_age::RULE,
    key_count::RULE,
    user_key::RULE,
    dangling_binding::RULE,
    stray_acl::RULE,
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
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
