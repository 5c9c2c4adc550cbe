//! What the sandbox remembers, one type per kind of object, and how each of them changes.

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
use crate::model::{
    AclBinding, ApiKeyId, ClusterId, EnvironmentId, Principal, RoleBinding, RoleBindingId, SchemaRegistryId,
    ServiceAccountId, UserId,
};

/// The moments that matter in the life of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lifetime {
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// From when on it has an effect.
    pub(crate) effective: Timestamp,
    /// From when on lists show it.
    pub(crate) listed: Timestamp,
    /// Deleted: it is in lists until then, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listed_until: Option<Timestamp>,
}

impl Lifetime {
    /// In effect and in lists from the first moment.
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

    /// Whether the object exists.
    pub(crate) fn exists(&self) -> bool {
        self.listed_until.is_none()
    }

    /// Whether a list made at `now` shows it.
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

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) id: UserId,
    /// The number that the older endpoints use.
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

/// What an API key opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyResource {
    Cloud,
    Cluster(ClusterId),
    Registry(SchemaRegistryId),
}

impl KeyResource {
    /// The id on the wire.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Cloud => crate::api::keys::CLOUD,
            Self::Cluster(id) => id.as_str(),
            Self::Registry(id) => id.as_str(),
        }
    }
}

/// An API key; of its secret only a digest.
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

/// A connector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ConnectorRecord {
    /// `lcc-…`.
    pub(crate) id: String,
    pub(crate) cluster: ClusterId,
    pub(crate) name: String,
    /// As it was last written, with secrets masked.
    pub(crate) config: BTreeMap<String, String>,
    /// The configuration before it, in force while `config` is invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<BTreeMap<String, String>>,
    /// Of secrets only digests.
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, SecretDigest>,
    /// Values that stand for a failure, by key.
    #[serde(default)]
    pub(crate) triggered_faults: BTreeMap<String, ConnectorFault>,
    pub(crate) run: ConnectorRun,
    /// The start since which its topics have been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topics_created_in_run: Option<Timestamp>,
    #[serde(default)]
    pub(crate) offsets: StoredOffsets,
    /// What logs and metrics are told from.
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

/// A log-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    /// Named in the tokens.
    pub(crate) id: String,
    pub(crate) user: UserId,
    pub(crate) refresh: SecretDigest,
}

/// One change of the state. A request makes none, one or several, and they are stored in one line.
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
    Connector(ConnectorRecord),
    RemoveConnector(ClusterId, String),
    /// By the name of the connector.
    ConnectorFaults(Vec<ArmedConnectorFault>),
    Topic(TopicRecord),
    RemoveTopic(ClusterId, String),
    Session(SessionRecord),
    RemoveSession(String),
    /// One more object was made or unmade under this natural key; the next one gets another id.
    CountKey(String),
    Faults(Vec<ArmedFault>),
    Settings(Box<SandboxSettings>),
    /// What it was made from has grown.
    Seed(Box<Seed>),
    ClockBase(ClockBase),
}
