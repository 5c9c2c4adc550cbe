//! Desired state that the audit compares an organization with: the departments of the files, and the administrators.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::model::{
    AclGrant, ApiKeyId, CrnPattern, Department, KeyKind, ObservedConnector, OwnershipTag, Prefix, Principal, Role,
    RoleGrant, ServiceAccountId, Snapshot,
};

/// Default maximum key age. Confluent recommends regular rotation but gives no number (docs `best-practices-api-keys`;
/// docs/reference/rbac.md#threats, T11). Ninety days is the most common limit in audits of cloud accounts.
pub const MAX_KEY_AGE_DAYS: u16 = 90;

/// Desired state of one stage.
#[derive(Clone, Debug)]
pub struct DesiredState<'a> {
    /// Stage.
    pub stage: &'a str,
    /// All departments that have a file, ordered by code; retired ones without personas.
    pub departments: Vec<ExpectedDepartment>,
    /// Service account that onboards departments.
    pub provisioner: ServiceAccountId,
    /// Ids of principals that may administrate the organization, the environment or the cluster.
    pub administrators: BTreeSet<String>,
    /// Ids of accounts, keys and principals under `adopt` in `ebs.toml`.
    pub adopted: BTreeSet<String>,
    /// Status of known keys; `None` if neither a journal nor evidence is available.
    pub key_statuses: Option<BTreeMap<ApiKeyId, KeyRecordStatus>>,
    /// Maximum key age.
    pub max_key_age: Duration,
    /// Previous snapshot of the same organization, for detecting new accounts.
    pub previous: Option<&'a Snapshot>,
    /// Returns the topics of a connector that do not begin with a prefix, as `key=value`. A function of the caller,
    /// because only the catalog knows which keys name topics.
    pub topics_outside: fn(&ObservedConnector, &Prefix) -> Vec<String>,
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
    /// Granted roles.
    pub grants: Vec<RoleGrant>,
    /// Granted ACLs.
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

/// Returns the provisioner when `ebs.toml` does not name it: the observing account, or the only account without an
/// ownership tag that administrates the cluster. Only an administrator can bind that role, so no lesser principal can
/// pass as the provisioner.
#[must_use]
pub fn find_provisioner(snapshot: &Snapshot) -> Option<ServiceAccountId> {
    let cluster = CrnPattern::from(snapshot.address.cluster_crn());
    let administrates = |id: &ServiceAccountId| {
        let tagged = snapshot.account(id).is_some_and(|account| account.tag().is_some());
        let principal = Principal::from(id.clone());
        let mut held = snapshot.bindings_of(&principal);
        !tagged && held.any(|seen| seen.binding.role == Role::CloudClusterAdmin && seen.binding.pattern == cluster)
    };
    let looked = snapshot.observed_by.service_account().filter(|id| administrates(id));
    if let Some(id) = looked {
        return Some(id.clone());
    }
    let holders = snapshot
        .bindings
        .iter()
        .filter_map(|seen| seen.binding.principal.service_account());
    let administrators: BTreeSet<&ServiceAccountId> = holders.collect();
    let mut administrators = administrators.into_iter().filter(|id| administrates(id));
    let only = administrators.next()?;
    administrators.next().is_none().then(|| only.clone())
}

impl ExpectedDepartment {
    /// Whether the department is retired.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.department.retired.is_some()
    }
}

impl DesiredState<'_> {
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
        org.bind("sa-central", "CloudClusterAdmin", "$C");
        assert_eq!(found_provisioner(&org), None, "two of them");
        org.observed.observed_by = Principal::from_id("sa-provisioner");
        assert_eq!(found_provisioner(&org).as_deref(), Some("sa-provisioner"));
        org.observed.bindings.clear();
        assert_eq!(found_provisioner(&org), None);
    }
}
