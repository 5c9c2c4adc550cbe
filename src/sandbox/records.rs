//! Stored objects, one type per kind, and the changes of the state.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    clock::ClockBase,
    connector::{ArmedConnectorFault, ConnectorFault, ConnectorRun, history::ConnectorHistory, offsets::StoredOffsets},
    crypt::SecretDigest,
    faults::ArmedFault,
    seed::{ClusterKind, Seed},
    settings::{SandboxSettings, VisibilityDelay},
};
use crate::{
    api::kafka_quotas::ThroughputRates,
    model::{
        AclBinding, ApiKeyId, ClientQuota, ClientQuotaId, ClusterId, EnvironmentId, Principal, RoleBinding,
        RoleBindingId, SchemaRegistryId, ServiceAccountId, UserId,
    },
};

/// Lifetime of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lifetime {
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Time from which the object is effective.
    pub(crate) effective: Timestamp,
    /// Time from which lists contain the object.
    pub(crate) listed: Timestamp,
    /// For a deleted object: time until which lists still contain it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listed_until: Option<Timestamp>,
}

impl Lifetime {
    /// Creates a lifetime without delays.
    pub(crate) fn immediate(moment: Timestamp) -> Self {
        Self::delayed(moment, VisibilityDelay::default())
    }

    pub(crate) fn delayed(moment: Timestamp, delay: VisibilityDelay) -> Self {
        let after = |wait: Duration| moment.saturating_add(wait).unwrap_or(Timestamp::MAX);
        Self {
            created: moment,
            updated: moment,
            effective: after(delay.effective),
            listed: after(delay.listed),
            listed_until: None,
        }
    }

    /// Returns whether the object exists.
    pub(crate) fn exists(&self) -> bool {
        self.listed_until.is_none()
    }

    /// Returns whether a list contains the object at `now`.
    pub(crate) fn is_listed_at(&self, now: Timestamp) -> bool {
        self.listed <= now && self.listed_until.is_none_or(|gone| now < gone)
    }
}

/// An environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EnvironmentRecord {
    pub(crate) id: EnvironmentId,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
}

/// A Kafka cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ClusterRecord {
    pub(crate) id: ClusterId,
    pub(crate) environment: EnvironmentId,
    pub(crate) name: String,
    pub(crate) kind: ClusterKind,
    pub(crate) created: Timestamp,
}

/// A Schema Registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RegistryRecord {
    pub(crate) id: SchemaRegistryId,
    pub(crate) environment: EnvironmentId,
    pub(crate) created: Timestamp,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) id: UserId,
    /// Numeric id for the older endpoints.
    pub(crate) number: u32,
    pub(crate) email: String,
    pub(crate) full_name: String,
    pub(crate) password: SecretDigest,
    pub(crate) created: Timestamp,
}

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    pub(crate) id: ServiceAccountId,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) lifetime: Lifetime,
}

/// Resource of an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyResource {
    Cloud,
    Cluster(ClusterId),
    Registry(SchemaRegistryId),
}

impl KeyResource {
    /// Returns the resource id in API responses.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Cloud => crate::api::keys::CLOUD,
            Self::Cluster(id) => id.as_str(),
            Self::Registry(id) => id.as_str(),
        }
    }
}

/// An API key, with the digest of its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) id: ApiKeyId,
    pub(crate) owner: Principal,
    pub(crate) resource: KeyResource,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) secret: SecretDigest,
    pub(crate) lifetime: Lifetime,
}

/// A role binding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BindingRecord {
    pub(crate) id: RoleBindingId,
    #[serde(flatten)]
    pub(crate) binding: RoleBinding,
    pub(crate) lifetime: Lifetime,
}

/// An ACL. It has no id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AclRecord {
    pub(crate) cluster: ClusterId,
    #[serde(flatten)]
    pub(crate) acl: AclBinding,
    pub(crate) lifetime: Lifetime,
}

/// A client quota of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ClientQuotaRecord {
    pub(crate) id: ClientQuotaId,
    pub(crate) cluster: ClusterId,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) throughput: ThroughputRates,
    /// Ids of principals, or `<default>`.
    pub(crate) principals: Vec<String>,
    pub(crate) lifetime: Lifetime,
}

impl ClientQuotaRecord {
    /// Returns the quota; `None` if a rate is no number.
    pub(crate) fn client_quota(&self) -> Option<ClientQuota> {
        let principals = self.principals.iter().map(|id| Principal::from_id(id)).collect();
        let throughput = self.throughput.throughput()?;
        Some(ClientQuota::observed(
            self.id.clone(),
            self.display_name.clone(),
            principals,
            throughput,
        ))
    }
}

/// A connector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ConnectorRecord {
    /// `lcc-…`.
    pub(crate) id: String,
    pub(crate) cluster: ClusterId,
    pub(crate) name: String,
    /// Last written configuration, with masked secrets.
    pub(crate) config: BTreeMap<String, String>,
    /// Previous configuration, active while `config` is invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<BTreeMap<String, String>>,
    /// Digests of the secrets.
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, SecretDigest>,
    /// Faults that values trigger, by key.
    #[serde(default)]
    pub(crate) triggered_faults: BTreeMap<String, ConnectorFault>,
    pub(crate) run: ConnectorRun,
    /// Start time of the run in which the connector created its topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topics_created_in_run: Option<Timestamp>,
    #[serde(default)]
    pub(crate) offsets: StoredOffsets,
    /// History, from which logs and metrics are generated.
    #[serde(default)]
    pub(crate) history: Box<ConnectorHistory>,
    pub(crate) lifetime: Lifetime,
}

/// A topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TopicRecord {
    pub(crate) cluster: ClusterId,
    pub(crate) name: String,
    pub(crate) partitions: u32,
    pub(crate) created: Timestamp,
}

/// A login session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    /// Session id in the tokens.
    pub(crate) id: String,
    pub(crate) user: UserId,
    pub(crate) refresh: SecretDigest,
}

/// Change of the state. The changes of a request are stored in one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateChange {
    Environment(EnvironmentRecord),
    Cluster(ClusterRecord),
    Registry(RegistryRecord),
    User(UserRecord),
    Account(AccountRecord),
    RemoveAccount(ServiceAccountId),
    Key(KeyRecord),
    RemoveKey(ApiKeyId),
    Binding(BindingRecord),
    RemoveBinding(RoleBindingId),
    Acl(AclRecord),
    RemoveAcl(ClusterId, AclBinding),
    ClientQuota(ClientQuotaRecord),
    RemoveClientQuota(ClientQuotaId),
    Connector(ConnectorRecord),
    RemoveConnector(ClusterId, String),
    /// Replaces the connector faults.
    ConnectorFaults(Vec<ArmedConnectorFault>),
    Topic(TopicRecord),
    RemoveTopic(ClusterId, String),
    Session(SessionRecord),
    RemoveSession(String),
    /// Counts an object created or deleted under this natural key, so that the next one gets another id.
    CountKey(String),
    Faults(Vec<ArmedFault>),
    Settings(Box<SandboxSettings>),
    /// Replaces the seed by an extended one.
    Seed(Box<Seed>),
    ClockBase(ClockBase),
}
