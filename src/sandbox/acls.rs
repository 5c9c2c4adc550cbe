//! ACLs of the clusters, with indexes by cluster and by principal.

use std::collections::BTreeMap;

use super::{
    index::PendingRemoval,
    records::AclRecord,
    state::{ClusterRecord, SandboxState},
};
use crate::model::{AclBinding, ClusterId, Principal};

/// ACLs of one cluster.
pub(crate) type AclMap = BTreeMap<AclBinding, AclRecord>;

/// Updates of the ACL index.
impl SandboxState {
    pub(super) fn put_acl(&mut self, acl: AclRecord) {
        let key = (acl.cluster.clone(), acl.acl.clone());
        self.schedule_removal(&acl.lifetime, PendingRemoval::Acl(Box::new(key.clone())));
        let mine = self
            .index
            .acls_by_principal
            .entry(acl.acl.principal.clone())
            .or_default();
        mine.insert(key);
        let here = self.acls.entry(acl.cluster.clone()).or_default();
        here.insert(acl.acl.clone(), acl);
    }

    pub(super) fn drop_acl(&mut self, key: &(ClusterId, AclBinding)) {
        if let Some(here) = self.acls.get_mut(&key.0) {
            here.remove(&key.1);
        }
        if let Some(mine) = self.index.acls_by_principal.get_mut(&key.1.principal) {
            mine.remove(key);
        }
    }
}

/// Queries of the ACL index.
impl SandboxState {
    /// Returns the ACLs of a cluster, including deleted ones that lists still contain.
    pub(crate) fn acls_in(&self, cluster: &ClusterId) -> impl Iterator<Item = &AclRecord> {
        self.acls.get(cluster).into_iter().flat_map(AclMap::values)
    }

    /// Returns an ACL if it exists.
    pub(crate) fn acl(&self, cluster: &ClusterId, acl: &AclBinding) -> Option<&AclRecord> {
        self.acls.get(cluster)?.get(acl).filter(|found| found.lifetime.exists())
    }

    /// Returns the ACLs of `principal` in all clusters.
    pub(super) fn acls_of(&self, principal: &Principal) -> impl Iterator<Item = (&ClusterRecord, &AclRecord)> {
        let mine = self.index.acls_by_principal.get(principal).into_iter().flatten();
        mine.filter_map(|(cluster, acl)| Some((self.clusters.get(cluster)?, self.acl(cluster, acl)?)))
    }
}

/// Serialization as a list, because JSON has no maps with composite keys.
pub(super) mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{AclMap, AclRecord};
    use crate::model::ClusterId;

    pub(in crate::sandbox) fn serialize<S: Serializer>(
        map: &BTreeMap<ClusterId, AclMap>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values().flat_map(BTreeMap::values))
    }

    pub(in crate::sandbox) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ClusterId, AclMap>, D::Error> {
        let mut map: BTreeMap<ClusterId, AclMap> = BTreeMap::new();
        for acl in Vec::<AclRecord>::deserialize(deserializer)? {
            let here = map.entry(acl.cluster.clone()).or_default();
            here.insert(acl.acl.clone(), acl);
        }
        Ok(map)
    }
}
