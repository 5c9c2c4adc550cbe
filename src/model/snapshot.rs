//! What was seen in an organization at one moment: the observed half of every comparison, and what `access` looks at.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AclBinding, ApiKeyId, OwnershipTag, Principal, RoleBinding, RoleBindingId, ServiceAccountId, StageAddress,
};

/// A service account as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// When it was made, if the service said so.
    pub created_at: Option<Timestamp>,
}

impl ObservedAccount {
    /// The tag in its description, when the tag and the name agree: the account that was *meant*, whoever controls it.
    #[must_use]
    pub fn tag(&self) -> Option<OwnershipTag> {
        let tag: OwnershipTag = self.description.parse().ok()?;
        (tag.account_name() == self.name).then_some(tag)
    }
}

/// A role binding as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedBinding {
    /// Its id.
    pub id: RoleBindingId,
    /// Who, what, where.
    #[serde(flatten)]
    pub binding: RoleBinding,
}

/// An API key as it was seen. There is no secret in it: the service shows that once, at birth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedKey {
    /// The public half.
    pub id: ApiKeyId,
    /// Whose it is.
    pub owner: Principal,
    /// What it opens: `cloud`, or the id of a cluster or a Schema Registry.
    pub resource: String,
    /// Free text; ours say which run made it and whether it is live.
    pub description: String,
    /// When it was made, if the service said so.
    pub created_at: Option<Timestamp>,
}

/// A connector as it was seen: who it is, as whom it acts, and what it reads and writes in Kafka. Nothing else of its
/// configuration is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedConnector {
    /// Its name.
    pub name: String,
    /// `lcc-…`, which its consumer group and its dead letter topic are named after; empty when the service did not say.
    pub id: String,
    /// Its plugin; empty when the configuration may not be read.
    pub class: String,
    /// As whom it acts; `None` when the configuration may not be read.
    pub identity: Option<ConnectorIdentity>,
    /// The keys of its configuration that name topics, with their values.
    pub topics: BTreeMap<String, String>,
}

/// As whom a connector acts towards Kafka (`kafka.auth.mode`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectorIdentity {
    /// As this service account.
    ServiceAccount(String),
    /// As the owner of this API key.
    ApiKey(String),
    /// In a way that this program does not know.
    Other(String),
}

/// The names of what could not be looked at, in [`Snapshot::unknown`].
pub mod listing {
    use crate::model::ServiceAccountId;

    /// How all that is about role bindings begins.
    pub const BINDINGS_PREFIX: &str = "role bindings";
    /// The service accounts.
    pub const ACCOUNTS: &str = "service accounts";
    /// The API keys.
    pub const KEYS: &str = "API keys";
    /// Kafka ACLs.
    pub const ACLS: &str = "ACLs of the cluster";
    /// The connectors.
    pub const CONNECTORS: &str = "connectors of the cluster";
    /// Role bindings on the organization, on environments, on other clusters and on accounts that are not ours.
    pub const ORGANIZATION_BINDINGS: &str = "role bindings of the whole organization";
    /// Role bindings on the environment and on what hangs below it.
    pub const ENVIRONMENT_BINDINGS: &str = "role bindings on the environment";
    /// Role bindings on the cluster and on what hangs below it.
    pub const CLUSTER_BINDINGS: &str = "role bindings on the cluster";
    /// Role bindings on the Schema Registry and on its subjects.
    pub const SUBJECT_BINDINGS: &str = "role bindings on subjects";

    /// Role bindings on one service account.
    #[must_use]
    pub fn bindings_on_account(id: &ServiceAccountId) -> String {
        format!("role bindings on {id}")
    }
}

/// Everything that was seen, and what could not be looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// When.
    pub taken_at: Timestamp,
    /// Where.
    pub address: StageAddress,
    /// Who looked: a list shows only what its caller may see.
    pub observed_by: Principal,
    /// Service accounts of the organization.
    pub accounts: Vec<ObservedAccount>,
    /// Role bindings.
    pub bindings: Vec<ObservedBinding>,
    /// Kafka ACLs of the cluster. Who reads a snapshot from before they were looked at must add that to `unknown`.
    #[serde(default)]
    pub acls: Vec<AclBinding>,
    /// API keys.
    pub keys: Vec<ObservedKey>,
    /// The connectors of the cluster.
    pub connectors: Vec<ObservedConnector>,
    /// What was not looked at, each with the reason. Unknown is not absent.
    pub unknown: BTreeMap<String, String>,
}

impl Snapshot {
    /// The account of that name.
    #[must_use]
    pub fn account_by_name(&self, name: &str) -> Option<&ObservedAccount> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// The account of that id.
    #[must_use]
    pub fn account(&self, id: &ServiceAccountId) -> Option<&ObservedAccount> {
        self.accounts.iter().find(|account| &account.id == id)
    }

    /// What people call a principal: the name of the account, else the id.
    #[must_use]
    pub fn display_name(&self, principal: &Principal) -> String {
        let account = principal.service_account().and_then(|id| self.account(id));
        account.map_or_else(
            || principal.id().to_owned(),
            |account| format!("{} ({})", account.name, account.id),
        )
    }

    /// The bindings whose pattern names or covers the service account `id`.
    pub fn bindings_on_account(&self, id: &ServiceAccountId) -> impl Iterator<Item = &ObservedBinding> {
        let crn = self.address.service_account_crn(id);
        let is_account = |seen: &&ObservedBinding| seen.binding.pattern.kind() == super::ResourceKind::ServiceAccount;
        self.bindings
            .iter()
            .filter(is_account)
            .filter(move |seen| seen.binding.pattern.covers(&crn))
    }

    /// The bindings held by `principal`.
    pub fn bindings_of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a ObservedBinding> {
        self.bindings
            .iter()
            .filter(move |seen| &seen.binding.principal == principal)
    }

    /// The ACLs that are about `principal` by name; what everybody may do is not among them.
    pub fn acls_of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a AclBinding> {
        self.acls.iter().filter(move |acl| &acl.principal == principal)
    }

    /// The keys of `principal`.
    pub fn keys_of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a ObservedKey> {
        self.keys.iter().filter(move |key| &key.owner == principal)
    }
}
