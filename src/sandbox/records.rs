//! What the sandbox remembers, one type per kind of object, and how each of them changes.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    clock::Anchor,
    connector::{ArmedConnectorFault, ConnectorFault, Run, chronicle::Chronicle, offsets::Memory},
    crypt::SecretDigest,
    faults::ArmedFault,
    seed::{ClusterKind, Seed},
    settings::{Delay, Settings},
};
use crate::model::{
    AclBinding, ApiKeyId, ClusterId, EnvironmentId, Principal, RoleBinding, RoleBindingId, SchemaRegistryId,
    ServiceAccountId, UserId,
};

/// The moments that matter in the life of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// From when on it has an effect.
    pub(crate) effective: Timestamp,
    /// From when on lists show it.
    pub(crate) listed: Timestamp,
    /// Deleted: it is in lists until then, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gone: Option<Timestamp>,
}

impl Life {
    /// In effect and in lists from the first moment.
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self::delayed(moment, Delay::default())
    }

    pub(crate) fn delayed(moment: Timestamp, delay: Delay) -> Self {
        let after = |wait: Duration| moment.saturating_add(wait).unwrap_or(Timestamp::MAX);
        Self {
            created: moment,
            updated: moment,
            effective: after(delay.effective),
            listed: after(delay.listed),
            gone: None,
        }
    }

    /// Whether the object exists.
    pub(crate) fn exists(&self) -> bool {
        self.gone.is_none()
    }

    /// Whether a list made at `now` shows it.
    pub(crate) fn listed_at(&self, now: Timestamp) -> bool {
        self.listed <= now && self.gone.is_none_or(|gone| now < gone)
    }
}

/// An environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: EnvironmentId,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
}

/// A Kafka cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) id: ClusterId,
    pub(crate) environment: EnvironmentId,
    pub(crate) name: String,
    pub(crate) kind: ClusterKind,
    pub(crate) created: Timestamp,
}

/// A Schema Registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Registry {
    pub(crate) id: SchemaRegistryId,
    pub(crate) environment: EnvironmentId,
    pub(crate) created: Timestamp,
}

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
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
pub(crate) struct Account {
    pub(crate) id: ServiceAccountId,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) life: Life,
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
pub(crate) struct Key {
    pub(crate) id: ApiKeyId,
    pub(crate) owner: Principal,
    pub(crate) resource: KeyResource,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) secret: SecretDigest,
    pub(crate) life: Life,
}

/// A role binding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub(crate) id: RoleBindingId,
    #[serde(flatten)]
    pub(crate) binding: RoleBinding,
    pub(crate) life: Life,
}

/// An ACL. It has no id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Acl {
    pub(crate) cluster: ClusterId,
    #[serde(flatten)]
    pub(crate) acl: AclBinding,
    pub(crate) life: Life,
}

/// A connector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Connector {
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
    pub(crate) telltales: BTreeMap<String, ConnectorFault>,
    pub(crate) run: Run,
    /// The start since which its topics have been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made: Option<Timestamp>,
    #[serde(default)]
    pub(crate) offsets: Memory,
    /// What logs and metrics are told from.
    #[serde(default)]
    pub(crate) chronicle: Box<Chronicle>,
    pub(crate) life: Life,
}

/// A topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Topic {
    pub(crate) cluster: ClusterId,
    pub(crate) name: String,
    pub(crate) partitions: u32,
    pub(crate) created: Timestamp,
}

/// A log-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Named in the tokens.
    pub(crate) id: String,
    pub(crate) user: UserId,
    pub(crate) refresh: SecretDigest,
}

/// One change of the state. A request makes none, one or several, and they are stored in one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Environment(Environment),
    Cluster(Cluster),
    Registry(Registry),
    User(User),
    Account(Account),
    NoAccount(ServiceAccountId),
    Key(Key),
    NoKey(ApiKeyId),
    Binding(Binding),
    NoBinding(RoleBindingId),
    Acl(Acl),
    NoAcl(ClusterId, AclBinding),
    Connector(Connector),
    NoConnector(ClusterId, String),
    /// By the name of the connector.
    ConnectorFaults(Vec<ArmedConnectorFault>),
    Topic(Topic),
    NoTopic(ClusterId, String),
    Session(Session),
    NoSession(String),
    /// One more object was made or unmade under this natural key; the next one gets another id.
    Count(String),
    Faults(Vec<ArmedFault>),
    Settings(Box<Settings>),
    /// What it was made from has grown.
    Seed(Box<Seed>),
    Anchor(Anchor),
}
