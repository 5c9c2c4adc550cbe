//! What an organization is compared with: the departments as their files want them, and who may stand above them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::model::{
    AclGrant, ApiKeyId, CrnPattern, Department, KeyKind, ObservedConnector, OwnershipTag, Prefix, Principal, Role,
    RoleGrant, ServiceAccountId, Snapshot,
};

/// How old a key may be before it is a finding: no document of the vendor names a number, but its advice is to replace
/// keys regularly (docs `best-practices-api-keys`; docs/reference/rbac.md#threats, T11). Ninety days is the period that
/// audits of cloud accounts ask for most often, and short enough that a rotation stays something people can do.
pub const MAX_KEY_AGE_DAYS: u16 = 90;

/// Everything that is wanted, in one stage.
#[derive(Clone, Debug)]
pub struct DesiredState<'a> {
    /// The stage.
    pub stage: &'a str,
    /// Every department that has a file, in the order of codes; the retired ones without personas.
    pub departments: Vec<ExpectedDepartment>,
    /// The service account that onboards.
    pub provisioner: ServiceAccountId,
    /// Ids of principals that may administrate the organization, the environment or the cluster.
    pub administrators: BTreeSet<String>,
    /// Ids of accounts, keys and principals that `ebs.toml` accepts by name.
    pub adopted: BTreeSet<String>,
    /// What keys are to us; `None` where there is neither a journal nor evidence to tell by.
    pub key_statuses: Option<BTreeMap<ApiKeyId, KeyRecordStatus>>,
    /// How old a key may be.
    pub max_key_age: Duration,
    /// An earlier look at the same organization, to tell what is new.
    pub previous: Option<&'a Snapshot>,
    /// The topics of a connector that do not begin with a prefix, as `key=value`. Which keys name topics is the
    /// catalogue's knowledge, which this module does not have.
    pub topics_outside: fn(&ObservedConnector, &Prefix) -> Vec<String>,
}

/// A department as it should be.
#[derive(Clone, Debug)]
pub struct ExpectedDepartment {
    /// What its file says.
    pub department: Department,
    /// Who acts for it; nobody for a retired one.
    pub personas: Vec<ExpectedPersona>,
}

/// A persona as it should be.
#[derive(Clone, Debug)]
pub struct ExpectedPersona {
    /// The tag of its account, which gives the account's name, too.
    pub tag: OwnershipTag,
    /// The keys it gets.
    pub keys: Vec<KeyKind>,
    /// What it may do.
    pub grants: Vec<RoleGrant>,
    /// What it may do through ACLs.
    pub acls: Vec<AclGrant>,
}

/// What a key that was seen on an account of ours is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRecordStatus {
    /// Ours, and its secret is somewhere.
    Recorded,
    /// Ours, and nobody holds its secret.
    Orphaned,
    /// Nothing vouches for it.
    Unrecorded,
}

/// The provisioner, when nobody says who it is: whoever looked, else the only one of the service accounts without our tag
/// that administrates the cluster. An administrator gave it that role, so nobody below one can pass for it.
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
    /// Whether it is a tombstone.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.department.retired.is_some()
    }
}

impl DesiredState<'_> {
    /// Whether `ebs.toml` accepts `id` by name.
    pub(super) fn is_adopted(&self, id: &str) -> bool {
        self.adopted.contains(id)
    }

    /// What `key` is to us; what nobody knows is unvouched. `None` where nothing can be told.
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
