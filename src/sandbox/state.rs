//! The whole state of a sandbox: objects, and what is derived from them for looking things up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    acls::{self, Acls},
    connector::ArmedConnectorFault,
    crypt::Ids,
    faults::ArmedFault,
    index::{Index, Lingering},
    seed::Seed,
    settings::Settings,
};
pub(crate) use super::{
    clock::Anchor,
    records::{
        Account, Acl, Binding, Change, Cluster, Connector, Environment, Key, KeyResource, Life, Registry, Session,
        Topic, User,
    },
};
use crate::model::{
    Address, ApiKeyId, ClusterId, EnvironmentId, ResourceKind, RoleBinding, RoleBindingId, SchemaRegistryId,
    ServiceAccountId, UserId,
};

/// Everything a sandbox knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) seed: Seed,
    pub(crate) settings: Settings,
    pub(crate) anchor: Anchor,
    /// The number of the next request.
    pub(crate) next: u64,
    pub(crate) environments: BTreeMap<EnvironmentId, Environment>,
    pub(crate) clusters: BTreeMap<ClusterId, Cluster>,
    pub(crate) registries: BTreeMap<SchemaRegistryId, Registry>,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) accounts: BTreeMap<ServiceAccountId, Account>,
    pub(crate) keys: BTreeMap<ApiKeyId, Key>,
    pub(crate) bindings: BTreeMap<RoleBindingId, Binding>,
    #[serde(default, with = "acls::as_list")]
    pub(super) acls: BTreeMap<ClusterId, Acls>,
    #[serde(with = "as_list")]
    pub(crate) connectors: BTreeMap<(ClusterId, String), Connector>,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) faults: Vec<ArmedFault>,
    #[serde(default)]
    pub(crate) connector_faults: Vec<ArmedConnectorFault>,
    #[serde(default)]
    pub(crate) topics: BTreeMap<ClusterId, BTreeMap<String, Topic>>,
    /// How many objects a natural key has had.
    pub(crate) counts: BTreeMap<String, u32>,
    /// Quotas that were ever used, as code and object: only these report their usage.
    pub(crate) ever_used: BTreeSet<String>,
    #[serde(skip)]
    pub(super) index: Index,
}

/// JSON knows no maps with composed keys.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Connector;
    use crate::model::ClusterId;

    type Connectors = BTreeMap<(ClusterId, String), Connector>;

    pub(super) fn serialize<S: Serializer>(map: &Connectors, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Connectors, D::Error> {
        let list = Vec::<Connector>::deserialize(deserializer)?;
        Ok(list
            .into_iter()
            .map(|connector| ((connector.cluster.clone(), connector.name.clone()), connector))
            .collect())
    }
}

impl State {
    /// A state without any object.
    pub(crate) fn empty(seed: Seed, settings: Settings, anchor: Anchor) -> Self {
        Self {
            seed,
            settings,
            anchor,
            next: 1,
            environments: BTreeMap::new(),
            clusters: BTreeMap::new(),
            registries: BTreeMap::new(),
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            keys: BTreeMap::new(),
            bindings: BTreeMap::new(),
            acls: BTreeMap::new(),
            connectors: BTreeMap::new(),
            sessions: BTreeMap::new(),
            faults: Vec::new(),
            connector_faults: Vec::new(),
            topics: BTreeMap::new(),
            counts: BTreeMap::new(),
            ever_used: BTreeSet::new(),
            index: Index::default(),
        }
    }

    /// Derives what a snapshot does not hold.
    pub(crate) fn reindex(&mut self) {
        self.index = Index::default();
        for account in std::mem::take(&mut self.accounts).into_values() {
            self.apply(Change::Account(account));
        }
        for key in std::mem::take(&mut self.keys).into_values() {
            self.apply(Change::Key(key));
        }
        for binding in std::mem::take(&mut self.bindings).into_values() {
            self.apply(Change::Binding(binding));
        }
        for acl in std::mem::take(&mut self.acls).into_values().flat_map(Acls::into_values) {
            self.apply(Change::Acl(acl));
        }
        for connector in std::mem::take(&mut self.connectors).into_values() {
            self.apply(Change::Connector(connector));
        }
    }

    pub(crate) fn ids(&self) -> Ids {
        self.seed.ids()
    }

    /// Makes one change.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Environment(environment) => {
                self.environments.insert(environment.id.clone(), environment);
            }
            Change::Cluster(cluster) => {
                self.clusters.insert(cluster.id.clone(), cluster);
            }
            Change::Registry(registry) => {
                self.registries.insert(registry.id.clone(), registry);
            }
            Change::User(user) => {
                self.users.insert(user.id.clone(), user);
            }
            Change::Account(account) => self.put_account(account),
            Change::NoAccount(id) => self.drop_account(&id),
            Change::Key(key) => self.put_key(key),
            Change::NoKey(id) => self.drop_key(&id),
            Change::Binding(binding) => self.put_binding(binding),
            Change::NoBinding(id) => self.drop_binding(&id),
            Change::Acl(acl) => self.put_acl(acl),
            Change::NoAcl(cluster, acl) => self.drop_acl(&(cluster, acl)),
            Change::Connector(connector) => {
                let name = (connector.cluster.clone(), connector.name.clone());
                let lingering = Lingering::Connector(name.0.clone(), name.1.clone());
                self.linger(&connector.life, lingering);
                self.connectors.insert(name, connector);
            }
            Change::NoConnector(cluster, name) => {
                self.connectors.remove(&(cluster, name));
            }
            Change::ConnectorFaults(faults) => self.connector_faults = faults,
            Change::Topic(topic) => {
                let here = self.topics.entry(topic.cluster.clone()).or_default();
                here.insert(topic.name.clone(), topic);
            }
            Change::NoTopic(cluster, name) => {
                if let Some(here) = self.topics.get_mut(&cluster) {
                    here.remove(&name);
                }
            }
            Change::Session(session) => {
                self.sessions.insert(session.id.clone(), session);
            }
            Change::NoSession(id) => {
                self.sessions.remove(&id);
            }
            Change::Count(natural) => *self.counts.entry(natural).or_default() += 1,
            Change::Faults(faults) => self.faults = faults,
            Change::Settings(settings) => self.settings = *settings,
            Change::Seed(seed) => self.seed = *seed,
            Change::Anchor(anchor) => self.anchor = anchor,
        }
    }

    /// The address of a cluster.
    pub(crate) fn address(&self, cluster: &Cluster) -> Address {
        Address {
            organization: self.seed.organization.clone(),
            environment: cluster.environment.clone(),
            cluster: cluster.id.clone(),
            schema_registry: self.registry_of(&cluster.environment).map(|found| found.id.clone()),
        }
    }

    /// The Schema Registry of an environment.
    pub(crate) fn registry_of(&self, environment: &EnvironmentId) -> Option<&Registry> {
        self.registries
            .values()
            .find(|registry| registry.environment == *environment)
    }

    /// How often a natural key has been used up.
    pub(crate) fn count(&self, natural: &str) -> u32 {
        self.counts.get(natural).copied().unwrap_or(0)
    }
}

/// The cluster that a binding gives access to.
pub(crate) fn cluster_of(binding: &RoleBinding) -> Option<ClusterId> {
    binding.pattern.value_of(ResourceKind::Cluster)?.parse().ok()
}
