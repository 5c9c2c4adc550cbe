//! Desired state that the audit compares an organization with: the departments of the files, and the administrators.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::model::{
    AclGrant, ApiKeyId, CrnPattern, Department, KeyKind, ObservedConnector, OwnershipTag, Prefix, Role, RoleGrant,
    ServiceAccountId, Snapshot,
};

/// Default maximum key age. Confluent recommends regular rotation but gives no number (docs `best-practices-api-keys`;
/// docs/reference/rbac.md#threats, T11). Ninety days is the most common limit in audits of cloud accounts.
pub const MAX_KEY_AGE_DAYS: u16 = 90;

/// Desired state of one stage.
#[derive(Clone, Debug)]
pub struct DesiredState<'a> {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: &'a str,
    /// All departments that have a file, ordered by code; retired ones without personas.
    pub departments: Vec<ExpectedDepartment>,
    /// Service account that onboards departments; `None` if several accounts can be it.
    pub provisioner: Option<ServiceAccountId>,
    /// Ids of the provisioner's API keys; `None` if `ebs.toml` does not list them.
    pub provisioner_keys: Option<BTreeSet<String>>,
    /// Ids of principals that may administrate the organization, the environment or the cluster.
    pub administrators: BTreeSet<String>,
    /// Ids of accounts, keys and principals under `adopt` in `ebs.toml`.
    pub adopted: BTreeSet<String>,
    /// Status of known keys; `None` if neither a journal nor evidence is available.
    pub key_statuses: Option<BTreeMap<ApiKeyId, KeyRecordStatus>>,
    /// Evidence and profiles that name a key they cannot record.
    pub rejected_records: Vec<RejectedKeyRecord>,
    /// Maximum key age.
    pub max_key_age: Duration,
    /// Previous snapshot of the same organization, for detecting new accounts.
    pub previous: Option<&'a Snapshot>,
    /// Returns the topics of a connector that do not begin with a prefix, as `key=value`. A function of the caller,
    /// because only the catalog knows which keys name topics.
    pub topics_outside: fn(&ObservedConnector, &Prefix) -> Vec<String>,
    /// Returns the transform with which a source writes to topics that do not begin with a prefix.
    pub transform_outside: fn(&ObservedConnector, &Prefix) -> Option<TransformOutside>,
    /// Returns the topics of a connector for failed records and reports, with their keys.
    pub dead_letter_topics: fn(&ObservedConnector) -> Vec<(String, String)>,
}

/// A transform that leads outside a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformOutside {
    /// Key and value of its setting; only the key if a field of the record names the topic.
    pub setting: String,
    /// Whether some topic is outside for certain; otherwise the records decide.
    pub is_certain: bool,
}

/// An evidence file or a profile that names a key without proving who got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedKeyRecord {
    /// Id of the API key that the file names.
    pub key: ApiKeyId,
    /// Path of the file.
    pub file: String,
    /// Why it does not record the key.
    pub reason: String,
}

/// Desired state of a department.
#[derive(Clone, Debug)]
pub struct ExpectedDepartment {
    /// Content of its file.
    pub department: Department,
    /// Personas; empty for a retired department.
    pub personas: Vec<ExpectedPersona>,
}

/// Desired state of a persona.
#[derive(Clone, Debug)]
pub struct ExpectedPersona {
    /// Ownership tag of its account, from which the account name follows.
    pub tag: OwnershipTag,
    /// Kinds of API keys it gets.
    pub keys: Vec<KeyKind>,
    /// Roles that the template grants the persona.
    pub grants: Vec<RoleGrant>,
    /// ACLs that the template grants the persona.
    pub acls: Vec<AclGrant>,
}

/// Status of an observed key on a managed account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRecordStatus {
    /// Recorded in a journal, evidence file or profile.
    Recorded,
    /// Created by this program, but its secret is lost.
    Orphaned,
    /// Not recorded anywhere.
    Unrecorded,
}

/// Returns the accounts without an ownership tag that administrate the cluster, sorted by id.
#[must_use]
pub fn provisioner_candidates(snapshot: &Snapshot) -> Vec<ServiceAccountId> {
    let cluster = CrnPattern::from(snapshot.address.cluster_crn());
    let administrates = snapshot
        .bindings
        .iter()
        .filter(|seen| seen.binding.role == Role::CloudClusterAdmin && seen.binding.pattern == cluster);
    let holders = administrates.filter_map(|seen| seen.binding.principal.service_account());
    let untagged = holders.filter(|id| snapshot.account(id).is_none_or(|account| account.tag().is_none()));
    let candidates: BTreeSet<&ServiceAccountId> = untagged.collect();
    candidates.into_iter().cloned().collect()
}

/// Returns the provisioner when `ebs.toml` does not name it: of the [candidates](provisioner_candidates) the observing
/// account, the only one, or the one that owns most accounts with an ownership tag. `None` if there is none or no
/// single one; an intruder's role must not decide who the provisioner is.
#[must_use]
pub fn find_provisioner(snapshot: &Snapshot) -> Option<ServiceAccountId> {
    let candidates = provisioner_candidates(snapshot);
    if let Some(id) = snapshot
        .observed_by
        .service_account()
        .filter(|id| candidates.contains(id))
    {
        return Some(id.clone());
    }
    let tagged = snapshot.accounts.iter().filter(|account| account.tag().is_some());
    let tagged: BTreeSet<CrnPattern> = tagged
        .map(|account| snapshot.address.service_account_crn(&account.id).into())
        .collect();
    let owned_accounts = |id: &ServiceAccountId| {
        let owned = snapshot.bindings.iter().filter(|seen| {
            seen.binding.principal.service_account() == Some(id)
                && seen.binding.role == Role::ResourceOwner
                && tagged.contains(&seen.binding.pattern)
        });
        owned.count()
    };
    let mut ranked: Vec<(usize, ServiceAccountId)> =
        candidates.into_iter().map(|id| (owned_accounts(&id), id)).collect();
    ranked.sort();
    let (most, id) = ranked.pop()?;
    let is_single = ranked.last().is_none_or(|(next, _)| *next < most);
    is_single.then_some(id)
}

impl ExpectedDepartment {
    /// Whether the department is retired.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.department.retired.is_some()
    }
}

impl DesiredState<'_> {
    /// Whether `id` is the provisioner.
    pub(super) fn is_provisioner(&self, id: &str) -> bool {
        self.provisioner
            .as_ref()
            .is_some_and(|provisioner| provisioner.as_str() == id)
    }

    /// Whether `id` is listed under `adopt` in `ebs.toml`.
    pub(super) fn is_adopted(&self, id: &str) -> bool {
        self.adopted.contains(id)
    }

    /// Returns the status of `key`, unrecorded if it is not known; `None` without journal and evidence.
    pub(super) fn key_status(&self, key: &ApiKeyId) -> Option<KeyRecordStatus> {
        if self.is_adopted(key.as_str()) {
            return Some(KeyRecordStatus::Recorded);
        }
        let known = self.key_statuses.as_ref()?;
        Some(known.get(key).copied().unwrap_or(KeyRecordStatus::Unrecorded))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::Org, *};
    use crate::model::Principal;

    fn found_provisioner(org: &Org) -> Option<String> {
        find_provisioner(&org.observed).map(|id| id.to_string())
    }

    // Source: docs/reference/rbac.md#roles-of-the-provisioner
    #[test]
    fn the_provisioner_is_the_only_untagged_cluster_administrator() {
        let mut org = Org::clean();
        assert_eq!(found_provisioner(&org).as_deref(), Some("sa-provisioner"));
        org.tagged("sa-forged", "claims", "spare");
        org.bind("sa-forged", "CloudClusterAdmin", "$C");
        org.bind("u-eve", "CloudClusterAdmin", "$C");
        org.bind(
            "sa-central",
            "CloudClusterAdmin",
            "$O/environment=env-other/cloud-cluster=lkc-other",
        );
        assert_eq!(found_provisioner(&org).as_deref(), Some("sa-provisioner"));
        // An intruder's role does not hide the account that owns the departments' accounts.
        org.bind("sa-central", "CloudClusterAdmin", "$C");
        assert_eq!(found_provisioner(&org).as_deref(), Some("sa-provisioner"));
        let managed: Vec<_> = org.observed.bindings.clone();
        org.observed
            .bindings
            .retain(|seen| seen.binding.role != crate::model::Role::ResourceOwner);
        assert_eq!(found_provisioner(&org), None, "two that own no account");
        org.observed.bindings = managed;
        org.observed.observed_by = Principal::from_id("sa-provisioner");
        assert_eq!(found_provisioner(&org).as_deref(), Some("sa-provisioner"));
        org.observed.bindings.clear();
        assert_eq!(found_provisioner(&org), None);
    }
}
