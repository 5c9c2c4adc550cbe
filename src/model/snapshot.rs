//! Snapshot of an organization: the observed state that diffs, the audit and access queries work on.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::join_code;

use super::{
    AclBinding, ApiKeyId, ClientQuota, OwnershipTag, Principal, RoleBinding, RoleBindingId, ServiceAccountId,
    StageAddress,
};

/// An observed service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedAccount {
    /// Id.
    pub id: ServiceAccountId,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Creation time, if reported by the API.
    pub created_at: Option<Timestamp>,
}

impl ObservedAccount {
    /// Returns the ownership tag if it agrees with the account name. The tag does not prove who controls the account.
    #[must_use]
    pub fn tag(&self) -> Option<OwnershipTag> {
        let tag: OwnershipTag = self.description.parse().ok()?;
        (tag.account_name() == self.name).then_some(tag)
    }
}

/// An observed role binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedBinding {
    /// Id.
    pub id: RoleBindingId,
    /// Principal, role and pattern.
    #[serde(flatten)]
    pub binding: RoleBinding,
}

/// An observed API key. It contains no secret: the API returns the secret only on creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedKey {
    /// Public half.
    pub id: ApiKeyId,
    /// Owner.
    pub owner: Principal,
    /// Resource: `cloud`, or the id of a Kafka cluster or Schema Registry.
    pub resource: String,
    /// Description; managed keys record the run that created them and whether they are live.
    pub description: String,
    /// Creation time, if reported by the API.
    pub created_at: Option<Timestamp>,
}

/// An observed connector: name, identity and topics. No other configuration is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedConnector {
    /// Name.
    pub name: String,
    /// Connector id `lcc-…`, part of the names of its consumer group and dead letter topic; empty if not reported.
    pub id: String,
    /// Plugin class; empty if the configuration cannot be read.
    pub class: String,
    /// Kafka identity; `None` if the configuration cannot be read.
    pub identity: Option<ConnectorIdentity>,
    /// Configuration keys that name topics, with their values.
    pub topics: BTreeMap<String, String>,
    /// `transforms` and the settings of the transforms that change topics; `None` if they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transforms: Option<BTreeMap<String, String>>,
}

/// Identity that a connector uses towards Kafka (`kafka.auth.mode`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectorIdentity {
    /// A service account.
    ServiceAccount(String),
    /// The owner of an API key.
    ApiKey(String),
    /// An unknown authentication mode.
    Other(String),
}

/// List that an observation reads. Its text is the key in snapshot files and JSON output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listing {
    /// Kafka ACLs.
    Acls,
    /// API keys.
    ApiKeys,
    /// Client quotas of the cluster.
    ClientQuotas,
    /// Connectors.
    Connectors,
    /// Quotas of the cluster.
    ClusterQuotas,
    /// Quotas of the organization.
    OrganizationQuotas,
    /// Role bindings on the organization, on environments, on other clusters and on unmanaged accounts.
    OrganizationBindings,
    /// Role bindings on one service account.
    AccountBindings(ServiceAccountId),
    /// Role bindings on the Schema Registry and its subjects.
    SubjectBindings,
    /// Role bindings on the cluster and its descendants.
    ClusterBindings,
    /// Role bindings on the environment and its descendants.
    EnvironmentBindings,
    /// Service accounts.
    ServiceAccounts,
    /// A list that a snapshot file of another version names. It could contain anything.
    Other(String),
}

impl Listing {
    const NAMED: [(Self, &'static str); 11] = [
        (Self::Acls, "ACLs of the cluster"),
        (Self::ApiKeys, "API keys"),
        (Self::ClientQuotas, "client quotas of the cluster"),
        (Self::Connectors, "connectors of the cluster"),
        (Self::ClusterQuotas, "quotas of the cluster"),
        (Self::OrganizationQuotas, "quotas of the organization"),
        (Self::OrganizationBindings, "role bindings of the whole organization"),
        (Self::SubjectBindings, "role bindings on subjects"),
        (Self::ClusterBindings, "role bindings on the cluster"),
        (Self::EnvironmentBindings, "role bindings on the environment"),
        (Self::ServiceAccounts, "service accounts"),
    ];

    /// Returns why the list is unknown; `None` if it was read. A list that this version does not know could be any
    /// list.
    #[must_use]
    pub fn reason_in<'a>(&self, unknown: &'a BTreeMap<Self, String>) -> Option<&'a String> {
        let other = || unknown.iter().find(|(list, _)| matches!(list, Self::Other(_)));
        unknown.get(self).or_else(|| other().map(|(_, reason)| reason))
    }

    /// Whether the list could contain role bindings.
    #[must_use]
    pub const fn may_contain_bindings(&self) -> bool {
        match self {
            Self::OrganizationBindings
            | Self::AccountBindings(_)
            | Self::SubjectBindings
            | Self::ClusterBindings
            | Self::EnvironmentBindings
            | Self::Other(_) => true,
            Self::Acls
            | Self::ApiKeys
            | Self::ClientQuotas
            | Self::Connectors
            | Self::ClusterQuotas
            | Self::OrganizationQuotas
            | Self::ServiceAccounts => false,
        }
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountBindings(id) => write!(out, "role bindings on {id}"),
            Self::Other(text) => out.write_str(text),
            named => {
                let mut texts = Self::NAMED.into_iter();
                let text = texts.find_map(|(listing, text)| (listing == *named).then_some(text));
                out.write_str(text.unwrap_or_default())
            }
        }
    }
}

impl From<String> for Listing {
    fn from(text: String) -> Self {
        if let Some((listing, _)) = Self::NAMED.into_iter().find(|(_, name)| *name == text) {
            return listing;
        }
        let id = text.strip_prefix("role bindings on ").and_then(|id| id.parse().ok());
        id.map_or(Self::Other(text), Self::AccountBindings)
    }
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

/// Observed state of an organization, with the lists that could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Time of observation.
    pub taken_at: Timestamp,
    /// Address of the stage.
    pub address: StageAddress,
    /// Principal whose key read the lists; a list contains only what this principal may see.
    pub observed_by: Principal,
    /// Service accounts of the organization.
    pub accounts: Vec<ObservedAccount>,
    /// Role bindings.
    pub bindings: Vec<ObservedBinding>,
    /// Kafka ACLs of the cluster.
    #[serde(default)]
    pub acls: Vec<AclBinding>,
    /// Client quotas of the cluster.
    #[serde(default)]
    pub client_quotas: Vec<ClientQuota>,
    /// API keys.
    pub keys: Vec<ObservedKey>,
    /// Connectors of the cluster.
    pub connectors: Vec<ObservedConnector>,
    /// Lists that could not be read, with the reason. A missing list is unknown, not empty.
    pub unknown: BTreeMap<Listing, String>,
}

impl Snapshot {
    /// Sections that were added after the first version of snapshot files, with their lists. If a file has no such
    /// section, the list is unknown.
    pub const LATER_SECTIONS: [(&'static str, Listing); 2] =
        [("acls", Listing::Acls), ("client_quotas", Listing::ClientQuotas)];

    /// Creates a snapshot without objects.
    #[must_use]
    pub fn new(taken_at: Timestamp, address: StageAddress, observed_by: Principal) -> Self {
        Self {
            taken_at,
            address,
            observed_by,
            accounts: Vec::new(),
            bindings: Vec::new(),
            acls: Vec::new(),
            client_quotas: Vec::new(),
            keys: Vec::new(),
            connectors: Vec::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// Returns why `listing` is unknown; `None` if it was read.
    #[must_use]
    pub fn unknown_reason(&self, listing: &Listing) -> Option<&String> {
        listing.reason_in(&self.unknown)
    }

    /// Returns the account called `name`.
    #[must_use]
    pub fn account_by_name(&self, name: &str) -> Option<&ObservedAccount> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// Returns the account with `id`.
    #[must_use]
    pub fn account(&self, id: &ServiceAccountId) -> Option<&ObservedAccount> {
        self.accounts.iter().find(|account| &account.id == id)
    }

    /// Returns the account name and id of a principal; only the id for other principals.
    #[must_use]
    pub fn display_name(&self, principal: &Principal) -> String {
        let account = principal.service_account().and_then(|id| self.account(id));
        account.map_or_else(
            || principal.id().to_owned(),
            |account| format!("{} ({})", account.name, account.id),
        )
    }

    /// Returns the bindings whose pattern matches the service account `id`.
    pub fn bindings_on_account(&self, id: &ServiceAccountId) -> impl Iterator<Item = &ObservedBinding> {
        let crn = self.address.service_account_crn(id);
        let is_account = |seen: &&ObservedBinding| seen.binding.pattern.kind() == super::ResourceKind::ServiceAccount;
        self.bindings
            .iter()
            .filter(is_account)
            .filter(move |seen| seen.binding.pattern.covers(&crn))
    }

    /// Returns the bindings held by `principal`.
    pub fn bindings_of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a ObservedBinding> {
        self.bindings
            .iter()
            .filter(move |seen| &seen.binding.principal == principal)
    }

    /// Returns the ACLs that name `principal`, without those of the wildcard principal.
    pub fn acls_of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a AclBinding> {
        self.acls.iter().filter(move |acl| &acl.principal == principal)
    }

    /// Returns the connectors that run as the service account `id`: by its name or with one of its API keys.
    #[must_use]
    pub fn connectors_under(&self, id: &ServiceAccountId) -> Vec<&ObservedConnector> {
        let owns = |key: &str| {
            let found = self.keys.iter().find(|owned| owned.id.as_str() == key);
            found.is_some_and(|owned| owned.owner.service_account() == Some(id))
        };
        let runs = |connector: &&ObservedConnector| match &connector.identity {
            Some(ConnectorIdentity::ServiceAccount(account)) => account == id.as_str(),
            Some(ConnectorIdentity::ApiKey(key)) => owns(key),
            Some(ConnectorIdentity::Other(_)) | None => false,
        };
        self.connectors.iter().filter(runs).collect()
    }

    /// Returns advice about the deletion of an account as the end of a sentence. Deleting an account stops the
    /// connectors that run under it, so the deletion is not suggested while there are any.
    #[must_use]
    pub fn removal_advice(&self, account: &ObservedAccount) -> String {
        let running = self.connectors_under(&account.id);
        if !running.is_empty() {
            let names: Vec<&str> = running.iter().map(|connector| connector.name.as_str()).collect();
            return format!(
                "do not delete service account `{}`, because connectors run under it: {}.",
                account.id,
                join_code(&names)
            );
        }
        let delete = format!("delete it with `confluent iam service-account delete {}`", account.id);
        match self.unknown_reason(&Listing::Connectors) {
            Some(_) => format!("{delete}, but only if no connector runs under it: the connectors could not be listed."),
            None => format!("{delete} if it is not needed."),
        }
    }

    /// Returns the keys owned by `principal`.
    pub fn keys_of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a ObservedKey> {
        self.keys.iter().filter(move |key| &key.owner == principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_keep_their_texts_and_the_order_of_the_texts() {
        let listings: BTreeMap<Listing, u8> = Listing::NAMED
            .into_iter()
            .map(|(listing, _)| listing)
            .chain([Listing::AccountBindings("sa-1".parse().unwrap())])
            .map(|listing| (listing, 0))
            .collect();
        let json = serde_json::to_string(&listings).unwrap();
        assert_eq!(serde_json::from_str::<BTreeMap<Listing, u8>>(&json).unwrap(), listings);
        let texts: Vec<String> = listings.keys().map(ToString::to_string).collect();
        let mut sorted = texts.clone();
        sorted.sort();
        assert_eq!(texts, sorted);
        assert!(texts.contains(&"role bindings on sa-1".to_owned()), "{texts:?}");
    }

    // A snapshot file contains these texts: with a new text, a file of another version has an unknown listing.
    #[test]
    fn the_texts_of_listings_do_not_change() {
        let texts = Listing::NAMED.map(|(listing, _)| listing.to_string());
        let expected = [
            "ACLs of the cluster",
            "API keys",
            "client quotas of the cluster",
            "connectors of the cluster",
            "quotas of the cluster",
            "quotas of the organization",
            "role bindings of the whole organization",
            "role bindings on subjects",
            "role bindings on the cluster",
            "role bindings on the environment",
            "service accounts",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn an_unknown_listing_could_be_any_list() {
        let known = BTreeMap::from([(Listing::Acls, "403".to_owned())]);
        assert_eq!(Listing::Acls.reason_in(&known).unwrap(), "403");
        assert_eq!(Listing::ApiKeys.reason_in(&known), None);
        let reworded = BTreeMap::from([(Listing::from("access control lists".to_owned()), "403".to_owned())]);
        for (listing, text) in Listing::NAMED {
            assert_eq!(listing.reason_in(&reworded).unwrap(), "403", "{text}");
        }
    }

    #[test]
    fn an_unknown_listing_could_contain_role_bindings() {
        for text in [
            "role bindings of a kind to come",
            "something else",
            "role bindings on it",
        ] {
            let listing = Listing::from(text.to_owned());
            assert_eq!(listing, Listing::Other(text.to_owned()));
            assert!(listing.may_contain_bindings());
        }
    }
}
