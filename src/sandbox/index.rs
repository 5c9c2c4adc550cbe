//! Index of a state: permissions, names and counts, updated with every change.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    records::{AccountRecord, BindingRecord, ConnectorRecord, KeyRecord, KeyResource, Lifetime},
    state::{SandboxState, cluster_of},
};
use crate::{
    access::Evaluator,
    model::{
        AclBinding, ApiKeyId, ClusterId, Principal, ResourceKind, RoleBinding, RoleBindingId, ServiceAccountId,
        acl::ALL_PRINCIPALS,
    },
};

/// Data derived from the objects of a state.
#[derive(Clone, Debug, Default)]
pub(super) struct StateIndex {
    /// Grants of the principals that have sent a request. Loaded on demand, so that a large sandbox opens quickly.
    grants: HashMap<Principal, PrincipalGrants>,
    pub(super) accounts_by_name: HashMap<String, ServiceAccountId>,
    pub(super) keys_by_owner: HashMap<Principal, BTreeSet<ApiKeyId>>,
    /// Role bindings sorted by pattern, so that a scope is a range.
    pub(super) bindings_by_pattern: BTreeSet<(String, RoleBindingId)>,
    pub(super) bindings_by_principal: HashMap<Principal, BTreeSet<RoleBindingId>>,
    pub(super) acls_by_principal: HashMap<Principal, BTreeSet<(ClusterId, AclBinding)>>,
    pub(super) bindings_per_cluster: HashMap<ClusterId, usize>,
    pub(super) live_binding_count: usize,
    /// Role bindings on the organization, on environments and on service accounts.
    pub(super) outside_clusters: BTreeSet<RoleBindingId>,
    pub(super) keys_per_resource: HashMap<String, usize>,
    /// Deleted objects that lists still contain.
    pub(super) pending_removals: BTreeSet<(Timestamp, PendingRemoval)>,
}

/// Grants of one principal.
#[derive(Clone, Debug, Default)]
struct PrincipalGrants {
    /// Evaluator with the effective role bindings.
    evaluator: Evaluator,
    /// Role bindings that are not effective yet.
    pending: BTreeSet<(Timestamp, RoleBindingId)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PendingRemoval {
    Account(ServiceAccountId),
    Key(ApiKeyId),
    Binding(RoleBindingId),
    Acl(Box<(ClusterId, AclBinding)>),
    Connector(ClusterId, String),
}

/// Updates of the index.
impl SandboxState {
    pub(super) fn schedule_removal(&mut self, life: &Lifetime, what: PendingRemoval) {
        if let Some(gone) = life.listed_until {
            self.index.pending_removals.insert((gone, what));
        }
    }

    pub(super) fn put_account(&mut self, account: AccountRecord) {
        self.drop_account(&account.id);
        if account.lifetime.exists() {
            self.index
                .accounts_by_name
                .insert(account.display_name.clone(), account.id.clone());
        }
        self.schedule_removal(&account.lifetime, PendingRemoval::Account(account.id.clone()));
        self.accounts.insert(account.id.clone(), account);
    }

    pub(super) fn drop_account(&mut self, id: &ServiceAccountId) {
        if let Some(old) = self.accounts.remove(id)
            && self.index.accounts_by_name.get(&old.display_name) == Some(id)
        {
            self.index.accounts_by_name.remove(&old.display_name);
        }
    }

    pub(super) fn put_key(&mut self, key: KeyRecord) {
        self.drop_key(&key.id);
        if key.lifetime.exists() {
            let mine = self.index.keys_by_owner.entry(key.owner.clone()).or_default();
            mine.insert(key.id.clone());
            *self
                .index
                .keys_per_resource
                .entry(key.resource.id().to_owned())
                .or_default() += 1;
            self.ever_used.insert(format!("keys {}", key.resource.id()));
            self.ever_used.insert(format!(
                "keys {} {}",
                key.owner.id(),
                key.resource == KeyResource::Cloud
            ));
        }
        self.schedule_removal(&key.lifetime, PendingRemoval::Key(key.id.clone()));
        self.keys.insert(key.id.clone(), key);
    }

    pub(super) fn drop_key(&mut self, id: &ApiKeyId) {
        let Some(old) = self.keys.remove(id).filter(|key| key.lifetime.exists()) else {
            return;
        };
        if let Some(mine) = self.index.keys_by_owner.get_mut(&old.owner) {
            mine.remove(id);
        }
        if let Some(count) = self.index.keys_per_resource.get_mut(old.resource.id()) {
            *count -= 1;
        }
    }

    pub(super) fn put_binding(&mut self, binding: BindingRecord) {
        self.drop_binding(&binding.id);
        let BindingRecord {
            id,
            binding: what,
            lifetime: life,
        } = &binding;
        self.index
            .bindings_by_pattern
            .insert((what.pattern.to_string(), id.clone()));
        if life.exists() {
            let mine = self
                .index
                .bindings_by_principal
                .entry(what.principal.clone())
                .or_default();
            mine.insert(id.clone());
            if let Some(grants) = self.index.grants.get_mut(&what.principal) {
                grants.pending.insert((life.effective, id.clone()));
            }
            self.index.live_binding_count += 1;
            if let Some(cluster) = cluster_of(what) {
                *self.index.bindings_per_cluster.entry(cluster).or_default() += 1;
            } else if what.pattern.kind() != ResourceKind::Subject {
                self.index.outside_clusters.insert(id.clone());
            }
        }
        self.schedule_removal(life, PendingRemoval::Binding(id.clone()));
        self.bindings.insert(id.clone(), binding);
    }

    pub(super) fn drop_binding(&mut self, id: &RoleBindingId) {
        let Some(BindingRecord {
            binding,
            lifetime: life,
            ..
        }) = self.bindings.remove(id)
        else {
            return;
        };
        self.index
            .bindings_by_pattern
            .remove(&(binding.pattern.to_string(), id.clone()));
        if !life.exists() {
            return;
        }
        if let Some(mine) = self.index.bindings_by_principal.get_mut(&binding.principal) {
            mine.remove(id);
        }
        self.index.live_binding_count -= 1;
        self.index.outside_clusters.remove(id);
        if let Some(count) = cluster_of(&binding).and_then(|cluster| self.index.bindings_per_cluster.get_mut(&cluster))
        {
            *count -= 1;
        }
        if let Some(grants) = self.index.grants.get_mut(&binding.principal) {
            grants.pending.remove(&(life.effective, id.clone()));
            grants.evaluator.remove(&binding);
        }
    }

    /// Loads the grants of `principal` that are effective at `now`. Must be called before the permissions are queried.
    pub(crate) fn load_grants(&mut self, principal: &Principal, now: Timestamp) {
        let bindings = &self.bindings;
        let effective = |id: &RoleBindingId| Some((bindings.get(id)?.lifetime.effective, id.clone()));
        let grants = self.index.grants.entry(principal.clone()).or_insert_with(|| {
            let mine = self.index.bindings_by_principal.get(principal);
            PrincipalGrants {
                pending: mine.into_iter().flatten().filter_map(effective).collect(),
                ..PrincipalGrants::default()
            }
        });
        while grants.pending.first().is_some_and(|(at, _)| *at <= now) {
            let id = grants.pending.pop_first().map(|(_, id)| id);
            if let Some(binding) = id.and_then(|id| bindings.get(&id)) {
                grants.evaluator.insert(binding.binding.clone());
            }
        }
    }

    /// Removes deleted objects from the lists when their time has come.
    pub(crate) fn advance_to(&mut self, now: Timestamp) {
        while self.index.pending_removals.first().is_some_and(|(at, _)| *at <= now) {
            match self.index.pending_removals.pop_first() {
                Some((_, PendingRemoval::Account(id))) => self.drop_account(&id),
                Some((_, PendingRemoval::Key(id))) => self.drop_key(&id),
                Some((_, PendingRemoval::Binding(id))) => self.drop_binding(&id),
                Some((_, PendingRemoval::Acl(key))) => {
                    // The ACL may have been recreated.
                    if self.acl(&key.0, &key.1).is_none() {
                        self.drop_acl(&key);
                    }
                }
                Some((_, PendingRemoval::Connector(cluster, name))) => {
                    // A new connector may have the name.
                    let key = (cluster, name);
                    if self.connectors.get(&key).is_some_and(|found| !found.lifetime.exists()) {
                        self.connectors.remove(&key);
                    }
                }
                None => return,
            }
        }
    }
}

/// Queries of the index.
impl SandboxState {
    /// Returns the evaluator of `principal`.
    pub(crate) fn evaluator(&self, principal: &Principal) -> Option<&Evaluator> {
        self.index.grants.get(principal).map(|grants| &grants.evaluator)
    }

    /// Returns an evaluator for Kafka at `now`, with role bindings and ACLs. Built on every call and never cached,
    /// because an account has few of both.
    pub(crate) fn kafka_evaluator_at(&self, principal: &Principal, now: Timestamp) -> Evaluator {
        let in_force = |life: &Lifetime| life.exists() && life.effective <= now;
        let mine = self.index.bindings_by_principal.get(principal).into_iter().flatten();
        let bindings = mine.filter_map(|id| self.bindings.get(id));
        let mut evaluator = Evaluator::new(
            bindings
                .filter(|binding| in_force(&binding.lifetime))
                .map(|binding| binding.binding.clone()),
        );
        let everybody = Principal::Other(ALL_PRINCIPALS.to_owned());
        let acls = self.acls_of(principal).chain(self.acls_of(&everybody));
        for (cluster, acl) in acls.filter(|(_, acl)| in_force(&acl.lifetime)) {
            evaluator.insert_acl(acl.acl.clone(), &self.address(cluster));
        }
        evaluator
    }

    /// Returns the effective role bindings of `principal`.
    pub(crate) fn roles_of(&self, principal: &Principal) -> impl Iterator<Item = &RoleBinding> {
        let grants = self.index.grants.get(principal);
        let mine = grants.map(|grants| grants.evaluator.bindings_of(principal));
        mine.into_iter().flatten().map(Arc::as_ref)
    }

    pub(crate) fn account(&self, id: &str) -> Option<&AccountRecord> {
        let id: ServiceAccountId = id.parse().ok()?;
        self.accounts.get(&id).filter(|account| account.lifetime.exists())
    }

    pub(crate) fn account_named(&self, name: &str) -> Option<&AccountRecord> {
        self.accounts.get(self.index.accounts_by_name.get(name)?)
    }

    pub(crate) fn key(&self, id: &str) -> Option<&KeyRecord> {
        let id: ApiKeyId = id.parse().ok()?;
        self.keys.get(&id).filter(|key| key.lifetime.exists())
    }

    pub(crate) fn binding(&self, id: &str) -> Option<&BindingRecord> {
        let id: RoleBindingId = id.parse().ok()?;
        self.bindings.get(&id).filter(|binding| binding.lifetime.exists())
    }

    pub(crate) fn connector(&self, cluster: &ClusterId, name: &str) -> Option<&ConnectorRecord> {
        let connector = self.connectors.get(&(cluster.clone(), name.to_owned()))?;
        connector.lifetime.exists().then_some(connector)
    }

    /// Returns whether the service account or user exists.
    pub(crate) fn principal_exists(&self, principal: &Principal) -> bool {
        match principal {
            Principal::ServiceAccount(id) => self.account(id.as_str()).is_some(),
            Principal::User(id) => self.users.contains_key(id),
            Principal::Other(_) => false,
        }
    }

    pub(crate) fn keys_of(&self, owner: &Principal) -> impl Iterator<Item = &KeyRecord> {
        let mine = self.index.keys_by_owner.get(owner);
        mine.into_iter().flatten().filter_map(|id| self.keys.get(id))
    }

    pub(crate) fn bindings_of(&self, principal: &Principal) -> impl Iterator<Item = &BindingRecord> {
        let mine = self.index.bindings_by_principal.get(principal);
        mine.into_iter().flatten().filter_map(|id| self.bindings.get(id))
    }

    /// Returns the role bindings on exactly this pattern.
    pub(crate) fn bindings_on<'a>(&'a self, pattern: &str) -> impl Iterator<Item = &'a BindingRecord> + use<'a> {
        self.bindings_in_range(pattern.to_owned(), |found, pattern| found == pattern)
    }

    /// Returns the role bindings on anything below this scope.
    pub(crate) fn bindings_below<'a>(&'a self, scope: &str) -> impl Iterator<Item = &'a BindingRecord> + use<'a> {
        self.bindings_in_range(format!("{scope}/"), |found, scope| found.starts_with(scope))
    }

    fn bindings_in_range(&self, start: String, still: fn(&str, &str) -> bool) -> impl Iterator<Item = &BindingRecord> {
        // The smallest possible id, so that the range starts with the first binding on the pattern.
        let least: Option<RoleBindingId> = "rb--".parse().ok();
        let range = least.map(|least| self.index.bindings_by_pattern.range((start.clone(), least)..));
        range
            .into_iter()
            .flatten()
            .take_while(move |(pattern, _)| still(pattern, &start))
            .filter_map(|(_, id)| self.bindings.get(id))
    }

    /// Returns the number of role bindings that allow access to a cluster.
    pub(crate) fn binding_count(&self, cluster: &ClusterId) -> usize {
        self.index.bindings_per_cluster.get(cluster).copied().unwrap_or(0)
    }

    /// Returns the role bindings that belong to no cluster and no Schema Registry.
    pub(crate) fn bindings_outside_clusters(&self) -> impl Iterator<Item = &BindingRecord> {
        let ids = self.index.outside_clusters.iter();
        ids.filter_map(|id| self.bindings.get(id))
    }

    pub(crate) fn live_binding_count(&self) -> usize {
        self.index.live_binding_count
    }

    pub(crate) fn live_account_count(&self) -> usize {
        self.index.accounts_by_name.len()
    }

    /// Returns the number of API keys of a resource.
    pub(crate) fn key_count(&self, resource: &str) -> usize {
        self.index.keys_per_resource.get(resource).copied().unwrap_or(0)
    }
}
