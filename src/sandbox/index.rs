//! What is derived from the objects of a state, and kept in step with every change: who may do what, names, counts.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    records::{Account, Binding, Connector, Key, KeyResource, Life},
    state::{State, cluster_of},
};
use crate::{
    access::Evaluator,
    model::{
        AclBinding, ApiKeyId, ClusterId, Principal, ResourceKind, RoleBinding, RoleBindingId, ServiceAccountId,
        acl::EVERYBODY,
    },
};

/// What is derived from the objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// What the principals hold that have sent a request. Most never do, and opening a large sandbox must not wait for
    /// them.
    held: HashMap<Principal, Held>,
    pub(super) accounts_by_name: HashMap<String, ServiceAccountId>,
    pub(super) keys_by_owner: HashMap<Principal, BTreeSet<ApiKeyId>>,
    /// Sorted by pattern, so that a scope is a range.
    pub(super) bindings_by_pattern: BTreeSet<(String, RoleBindingId)>,
    pub(super) bindings_by_principal: HashMap<Principal, BTreeSet<RoleBindingId>>,
    pub(super) acls_by_principal: HashMap<Principal, BTreeSet<(ClusterId, AclBinding)>>,
    pub(super) bindings_per_cluster: HashMap<ClusterId, usize>,
    pub(super) live_bindings: usize,
    /// Bindings on the organization, on environments and on service accounts.
    pub(super) outside_clusters: BTreeSet<RoleBindingId>,
    pub(super) keys_per_resource: HashMap<String, usize>,
    /// Deleted objects that lists still show.
    pub(super) lingering: BTreeSet<(Timestamp, Lingering)>,
}

/// What one principal may do.
#[derive(Clone, Debug, Default)]
struct Held {
    /// Its bindings that are in effect.
    evaluator: Evaluator,
    /// Those that will be.
    pending: BTreeSet<(Timestamp, RoleBindingId)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lingering {
    Account(ServiceAccountId),
    Key(ApiKeyId),
    Binding(RoleBindingId),
    Acl(Box<(ClusterId, AclBinding)>),
    Connector(ClusterId, String),
}

/// Keeping it in step.
impl State {
    pub(super) fn linger(&mut self, life: &Life, what: Lingering) {
        if let Some(gone) = life.gone {
            self.index.lingering.insert((gone, what));
        }
    }

    pub(super) fn put_account(&mut self, account: Account) {
        self.drop_account(&account.id);
        if account.life.exists() {
            self.index
                .accounts_by_name
                .insert(account.display_name.clone(), account.id.clone());
        }
        self.linger(&account.life, Lingering::Account(account.id.clone()));
        self.accounts.insert(account.id.clone(), account);
    }

    pub(super) fn drop_account(&mut self, id: &ServiceAccountId) {
        if let Some(old) = self.accounts.remove(id)
            && self.index.accounts_by_name.get(&old.display_name) == Some(id)
        {
            self.index.accounts_by_name.remove(&old.display_name);
        }
    }

    pub(super) fn put_key(&mut self, key: Key) {
        self.drop_key(&key.id);
        if key.life.exists() {
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
        self.linger(&key.life, Lingering::Key(key.id.clone()));
        self.keys.insert(key.id.clone(), key);
    }

    pub(super) fn drop_key(&mut self, id: &ApiKeyId) {
        let Some(old) = self.keys.remove(id).filter(|key| key.life.exists()) else {
            return;
        };
        if let Some(mine) = self.index.keys_by_owner.get_mut(&old.owner) {
            mine.remove(id);
        }
        if let Some(count) = self.index.keys_per_resource.get_mut(old.resource.id()) {
            *count -= 1;
        }
    }

    pub(super) fn put_binding(&mut self, binding: Binding) {
        self.drop_binding(&binding.id);
        let Binding {
            id,
            binding: what,
            life,
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
            if let Some(held) = self.index.held.get_mut(&what.principal) {
                held.pending.insert((life.effective, id.clone()));
            }
            self.index.live_bindings += 1;
            if let Some(cluster) = cluster_of(what) {
                *self.index.bindings_per_cluster.entry(cluster).or_default() += 1;
            } else if what.pattern.kind() != ResourceKind::Subject {
                self.index.outside_clusters.insert(id.clone());
            }
        }
        self.linger(life, Lingering::Binding(id.clone()));
        self.bindings.insert(id.clone(), binding);
    }

    pub(super) fn drop_binding(&mut self, id: &RoleBindingId) {
        let Some(Binding { binding, life, .. }) = self.bindings.remove(id) else {
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
        self.index.live_bindings -= 1;
        self.index.outside_clusters.remove(id);
        if let Some(count) = cluster_of(&binding).and_then(|cluster| self.index.bindings_per_cluster.get_mut(&cluster))
        {
            *count -= 1;
        }
        if let Some(held) = self.index.held.get_mut(&binding.principal) {
            held.pending.remove(&(life.effective, id.clone()));
            held.evaluator.remove(&binding);
        }
    }

    /// Finds out what `principal` may do at `now`. Everything that asks for its rights comes after this.
    pub(crate) fn prepare(&mut self, principal: &Principal, now: Timestamp) {
        let bindings = &self.bindings;
        let effective = |id: &RoleBindingId| Some((bindings.get(id)?.life.effective, id.clone()));
        let held = self.index.held.entry(principal.clone()).or_insert_with(|| {
            let mine = self.index.bindings_by_principal.get(principal);
            Held {
                pending: mine.into_iter().flatten().filter_map(effective).collect(),
                ..Held::default()
            }
        });
        while held.pending.first().is_some_and(|(at, _)| *at <= now) {
            let id = held.pending.pop_first().map(|(_, id)| id);
            if let Some(binding) = id.and_then(|id| bindings.get(&id)) {
                held.evaluator.insert(binding.binding.clone());
            }
        }
    }

    /// Lets time pass: deleted objects leave the lists.
    pub(crate) fn advance_to(&mut self, now: Timestamp) {
        while self.index.lingering.first().is_some_and(|(at, _)| *at <= now) {
            match self.index.lingering.pop_first() {
                Some((_, Lingering::Account(id))) => self.drop_account(&id),
                Some((_, Lingering::Key(id))) => self.drop_key(&id),
                Some((_, Lingering::Binding(id))) => self.drop_binding(&id),
                Some((_, Lingering::Acl(key))) => {
                    // It may have been made again since.
                    if self.acl(&key.0, &key.1).is_none() {
                        self.drop_acl(&key);
                    }
                }
                Some((_, Lingering::Connector(cluster, name))) => {
                    // The name may have been given to another one since.
                    let key = (cluster, name);
                    if self.connectors.get(&key).is_some_and(|found| !found.life.exists()) {
                        self.connectors.remove(&key);
                    }
                }
                None => return,
            }
        }
    }
}

/// Looking things up.
impl State {
    /// What `principal` may do.
    pub(crate) fn evaluator(&self, principal: &Principal) -> Option<&Evaluator> {
        self.index.held.get(principal).map(|held| &held.evaluator)
    }

    /// What a principal may do in Kafka at `now`, where ACLs count beside roles. Nothing is kept, so nothing can be out of
    /// date; an account holds few of both.
    pub(crate) fn kafka_rights_at(&self, principal: &Principal, now: Timestamp) -> Evaluator {
        let in_force = |life: &Life| life.exists() && life.effective <= now;
        let mine = self.index.bindings_by_principal.get(principal).into_iter().flatten();
        let bindings = mine.filter_map(|id| self.bindings.get(id));
        let mut evaluator = Evaluator::new(
            bindings
                .filter(|binding| in_force(&binding.life))
                .map(|binding| binding.binding.clone()),
        );
        let everybody = Principal::Other(EVERYBODY.to_owned());
        let acls = self.acls_of(principal).chain(self.acls_of(&everybody));
        for (cluster, acl) in acls.filter(|(_, acl)| in_force(&acl.life)) {
            evaluator.insert_acl(acl.acl.clone(), &self.address(cluster));
        }
        evaluator
    }

    /// The roles of `principal` that are in effect.
    pub(crate) fn roles_of(&self, principal: &Principal) -> impl Iterator<Item = &RoleBinding> {
        let held = self.index.held.get(principal);
        let mine = held.map(|held| held.evaluator.bindings_of(principal));
        mine.into_iter().flatten().map(Arc::as_ref)
    }

    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        let id: ServiceAccountId = id.parse().ok()?;
        self.accounts.get(&id).filter(|account| account.life.exists())
    }

    pub(crate) fn account_named(&self, name: &str) -> Option<&Account> {
        self.accounts.get(self.index.accounts_by_name.get(name)?)
    }

    pub(crate) fn key(&self, id: &str) -> Option<&Key> {
        let id: ApiKeyId = id.parse().ok()?;
        self.keys.get(&id).filter(|key| key.life.exists())
    }

    pub(crate) fn binding(&self, id: &str) -> Option<&Binding> {
        let id: RoleBindingId = id.parse().ok()?;
        self.bindings.get(&id).filter(|binding| binding.life.exists())
    }

    pub(crate) fn connector(&self, cluster: &ClusterId, name: &str) -> Option<&Connector> {
        let connector = self.connectors.get(&(cluster.clone(), name.to_owned()))?;
        connector.life.exists().then_some(connector)
    }

    /// Whether a service account or user of this id exists.
    pub(crate) fn principal_exists(&self, principal: &Principal) -> bool {
        match principal {
            Principal::ServiceAccount(id) => self.account(id.as_str()).is_some(),
            Principal::User(id) => self.users.contains_key(id),
            Principal::Other(_) => false,
        }
    }

    pub(crate) fn keys_of(&self, owner: &Principal) -> impl Iterator<Item = &Key> {
        let mine = self.index.keys_by_owner.get(owner);
        mine.into_iter().flatten().filter_map(|id| self.keys.get(id))
    }

    pub(crate) fn bindings_of(&self, principal: &Principal) -> impl Iterator<Item = &Binding> {
        let mine = self.index.bindings_by_principal.get(principal);
        mine.into_iter().flatten().filter_map(|id| self.bindings.get(id))
    }

    /// Bindings on exactly this pattern.
    pub(crate) fn bindings_on<'a>(&'a self, pattern: &str) -> impl Iterator<Item = &'a Binding> + use<'a> {
        self.bindings_from(pattern.to_owned(), |found, pattern| found == pattern)
    }

    /// Bindings on anything below this scope.
    pub(crate) fn bindings_below<'a>(&'a self, scope: &str) -> impl Iterator<Item = &'a Binding> + use<'a> {
        self.bindings_from(format!("{scope}/"), |found, scope| found.starts_with(scope))
    }

    fn bindings_from(&self, start: String, still: fn(&str, &str) -> bool) -> impl Iterator<Item = &Binding> {
        // The smallest id there is, so that the range begins with the first binding on the pattern.
        let least: Option<RoleBindingId> = "rb--".parse().ok();
        let range = least.map(|least| self.index.bindings_by_pattern.range((start.clone(), least)..));
        range
            .into_iter()
            .flatten()
            .take_while(move |(pattern, _)| still(pattern, &start))
            .filter_map(|(_, id)| self.bindings.get(id))
    }

    /// How many bindings give access to a cluster.
    pub(crate) fn bindings_in(&self, cluster: &ClusterId) -> usize {
        self.index.bindings_per_cluster.get(cluster).copied().unwrap_or(0)
    }

    /// Bindings that belong to no cluster and no Schema Registry.
    pub(crate) fn bindings_outside_clusters(&self) -> impl Iterator<Item = &Binding> {
        let ids = self.index.outside_clusters.iter();
        ids.filter_map(|id| self.bindings.get(id))
    }

    pub(crate) fn live_bindings(&self) -> usize {
        self.index.live_bindings
    }

    pub(crate) fn live_accounts(&self) -> usize {
        self.index.accounts_by_name.len()
    }

    /// How many keys open a resource.
    pub(crate) fn keys_for(&self, resource: &str) -> usize {
        self.index.keys_per_resource.get(resource).copied().unwrap_or(0)
    }
}
