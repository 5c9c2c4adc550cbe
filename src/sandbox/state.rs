//! State of a sandbox: objects and indexes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    acls::{self, AclMap},
    connector::ArmedConnectorFault,
    crypt::IdGenerator,
    faults::ArmedFault,
    index::{PendingRemoval, StateIndex},
    seed::Seed,
    settings::SandboxSettings,
};
pub(crate) use super::{
    clock::ClockBase,
    records::{
        AccountRecord, AclRecord, BindingRecord, ClientQuotaRecord, ClusterRecord, ConnectorRecord, EnvironmentRecord,
        KeyRecord, KeyResource, Lifetime, RegistryRecord, SessionRecord, StateChange, TopicRecord, UserRecord,
    },
};
use crate::model::{
    ApiKeyId, ClientQuotaId, ClusterId, EnvironmentId, ResourceKind, RoleBinding, RoleBindingId, SchemaRegistryId,
    ServiceAccountId, StageAddress, UserId,
};

/// State of a sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SandboxState {
    pub(crate) seed: Seed,
    pub(crate) settings: SandboxSettings,
    pub(crate) clock_base: ClockBase,
    /// Sequence number of the next request.
    pub(crate) next: u64,
    pub(crate) environments: BTreeMap<EnvironmentId, EnvironmentRecord>,
    pub(crate) clusters: BTreeMap<ClusterId, ClusterRecord>,
    pub(crate) registries: BTreeMap<SchemaRegistryId, RegistryRecord>,
    pub(crate) users: BTreeMap<UserId, UserRecord>,
    pub(crate) accounts: BTreeMap<ServiceAccountId, AccountRecord>,
    pub(crate) keys: BTreeMap<ApiKeyId, KeyRecord>,
    pub(crate) bindings: BTreeMap<RoleBindingId, BindingRecord>,
    #[serde(default, with = "acls::as_list")]
    pub(super) acls: BTreeMap<ClusterId, AclMap>,
    #[serde(default)]
    pub(crate) client_quotas: BTreeMap<ClientQuotaId, ClientQuotaRecord>,
    #[serde(with = "as_list")]
    pub(crate) connectors: BTreeMap<(ClusterId, String), ConnectorRecord>,
    pub(crate) sessions: BTreeMap<String, SessionRecord>,
    pub(crate) faults: Vec<ArmedFault>,
    #[serde(default)]
    pub(crate) connector_faults: Vec<ArmedConnectorFault>,
    #[serde(default)]
    pub(crate) topics: BTreeMap<ClusterId, BTreeMap<String, TopicRecord>>,
    /// Number of objects created under each natural key.
    pub(crate) key_counts: BTreeMap<String, u32>,
    /// Quotas that have been used, by code and object; only these report their usage.
    pub(crate) ever_used: BTreeSet<String>,
    #[serde(skip)]
    pub(super) index: StateIndex,
}

/// Serialization as a list, because JSON has no maps with composite keys.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::ConnectorRecord;
    use crate::model::ClusterId;

    type ConnectorMap = BTreeMap<(ClusterId, String), ConnectorRecord>;

    pub(super) fn serialize<S: Serializer>(map: &ConnectorMap, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ConnectorMap, D::Error> {
        let list = Vec::<ConnectorRecord>::deserialize(deserializer)?;
        Ok(list
            .into_iter()
            .map(|connector| ((connector.cluster.clone(), connector.name.clone()), connector))
            .collect())
    }
}

impl SandboxState {
    /// Creates a state without objects.
    pub(crate) fn empty(seed: Seed, settings: SandboxSettings, clock_base: ClockBase) -> Self {
        Self {
            seed,
            settings,
            clock_base,
            next: 1,
            environments: BTreeMap::new(),
            clusters: BTreeMap::new(),
            registries: BTreeMap::new(),
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            keys: BTreeMap::new(),
            bindings: BTreeMap::new(),
            acls: BTreeMap::new(),
            client_quotas: BTreeMap::new(),
            connectors: BTreeMap::new(),
            sessions: BTreeMap::new(),
            faults: Vec::new(),
            connector_faults: Vec::new(),
            topics: BTreeMap::new(),
            key_counts: BTreeMap::new(),
            ever_used: BTreeSet::new(),
            index: StateIndex::default(),
        }
    }

    /// Rebuilds the indexes, which snapshots do not contain.
    pub(crate) fn reindex(&mut self) {
        self.index = StateIndex::default();
        for account in std::mem::take(&mut self.accounts).into_values() {
            self.apply(StateChange::Account(account));
        }
        for key in std::mem::take(&mut self.keys).into_values() {
            self.apply(StateChange::Key(key));
        }
        for binding in std::mem::take(&mut self.bindings).into_values() {
            self.apply(StateChange::Binding(binding));
        }
        for acl in std::mem::take(&mut self.acls)
            .into_values()
            .flat_map(AclMap::into_values)
        {
            self.apply(StateChange::Acl(acl));
        }
        for connector in std::mem::take(&mut self.connectors).into_values() {
            self.apply(StateChange::Connector(connector));
        }
    }

    pub(crate) fn ids(&self) -> IdGenerator {
        self.seed.ids()
    }

    /// Applies one change.
    pub(crate) fn apply(&mut self, change: StateChange) {
        match change {
            StateChange::Environment(environment) => {
                self.environments.insert(environment.id.clone(), environment);
            }
            StateChange::Cluster(cluster) => {
                self.clusters.insert(cluster.id.clone(), cluster);
            }
            StateChange::Registry(registry) => {
                self.registries.insert(registry.id.clone(), registry);
            }
            StateChange::User(user) => {
                self.users.insert(user.id.clone(), user);
            }
            StateChange::Account(account) => self.put_account(account),
            StateChange::RemoveAccount(id) => self.drop_account(&id),
            StateChange::Key(key) => self.put_key(key),
            StateChange::RemoveKey(id) => self.drop_key(&id),
            StateChange::Binding(binding) => self.put_binding(binding),
            StateChange::RemoveBinding(id) => self.drop_binding(&id),
            StateChange::Acl(acl) => self.put_acl(acl),
            StateChange::RemoveAcl(cluster, acl) => self.drop_acl(&(cluster, acl)),
            StateChange::ClientQuota(quota) => {
                self.client_quotas.insert(quota.id.clone(), quota);
            }
            StateChange::RemoveClientQuota(id) => {
                self.client_quotas.remove(&id);
            }
            StateChange::Connector(connector) => {
                let name = (connector.cluster.clone(), connector.name.clone());
                let lingering = PendingRemoval::Connector(name.0.clone(), name.1.clone());
                self.schedule_removal(&connector.lifetime, lingering);
                self.connectors.insert(name, connector);
            }
            StateChange::RemoveConnector(cluster, name) => {
                self.connectors.remove(&(cluster, name));
            }
            StateChange::ConnectorFaults(faults) => self.connector_faults = faults,
            StateChange::Topic(topic) => {
                let here = self.topics.entry(topic.cluster.clone()).or_default();
                here.insert(topic.name.clone(), topic);
            }
            StateChange::RemoveTopic(cluster, name) => {
                if let Some(here) = self.topics.get_mut(&cluster) {
                    here.remove(&name);
                }
            }
            StateChange::Session(session) => {
                self.sessions.insert(session.id.clone(), session);
            }
            StateChange::RemoveSession(id) => {
                self.sessions.remove(&id);
            }
            StateChange::CountKey(natural) => *self.key_counts.entry(natural).or_default() += 1,
            StateChange::Faults(faults) => self.faults = faults,
            StateChange::Settings(settings) => self.settings = *settings,
            StateChange::Seed(seed) => self.seed = *seed,
            StateChange::ClockBase(clock_base) => self.clock_base = clock_base,
        }
    }

    /// Returns the address of a cluster.
    pub(crate) fn address(&self, cluster: &ClusterRecord) -> StageAddress {
        StageAddress {
            organization: self.seed.organization.clone(),
            environment: cluster.environment.clone(),
            cluster: cluster.id.clone(),
            schema_registry: self.registry_of(&cluster.environment).map(|found| found.id.clone()),
        }
    }

    /// Returns the Schema Registry of an environment.
    pub(crate) fn registry_of(&self, environment: &EnvironmentId) -> Option<&RegistryRecord> {
        self.registries
            .values()
            .find(|registry| registry.environment == *environment)
    }

    /// Returns the number of objects created under a natural key.
    pub(crate) fn key_count_of(&self, natural: &str) -> u32 {
        self.key_counts.get(natural).copied().unwrap_or(0)
    }
}

/// Returns the cluster that a role binding allows access to.
pub(crate) fn cluster_of(binding: &RoleBinding) -> Option<ClusterId> {
    binding.pattern.value_of(ResourceKind::Cluster)?.parse().ok()
}
