//! What the look at the organization could show in full (docs/reference/rbac.md#threats, T12: what is hidden is
//! unknown, never absent).
//!
//! A list that is refused says so. One that is merely cut to what its caller may see does not (docs/assumptions.md, Q2,
//! Q6), so the roles that the caller is seen to hold decide whether a list was a whole one. What is not seen to be
//! whole counts as cut.

use serde::Serialize;

use crate::{
    access::{Evaluator, Operation, isolation::NAMED_KINDS, roles::operations_of_role},
    model::{CrnPattern, NamePattern, ResourceKind, ServiceAccountId, Snapshot, listing},
};

/// A list that a rule needs in full before it can say that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredData {
    /// All service accounts of the organization.
    Accounts,
    /// The service accounts of the departments.
    Members,
    /// Role bindings on all service accounts.
    AccountBindings,
    /// Role bindings on the organization itself.
    Organization,
    /// Role bindings on the environment itself.
    Environment,
    /// Role bindings on the cluster, its connectors, topics, groups and transactional ids.
    Cluster,
    /// Role bindings on the Schema Registry itself.
    Registry,
    /// Role bindings on subjects.
    Subjects,
    /// All connectors of the cluster, with their configuration.
    Connectors,
    /// Kafka ACLs of the cluster.
    Acls,
    /// API keys that belong to people.
    PeopleKeys,
}

impl RequiredData {
    /// In words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Accounts => "all service accounts of the organization",
            Self::Members => "service accounts of departments",
            Self::AccountBindings => "role bindings on all service accounts",
            Self::Organization => "role bindings on the organization itself",
            Self::Environment => "role bindings on the environment itself",
            Self::Cluster => "role bindings on the cluster and on names in it",
            Self::Registry => "role bindings on the Schema Registry itself",
            Self::Subjects => "role bindings on subjects",
            Self::Connectors => "all connectors of the cluster",
            Self::Acls => "Kafka ACLs of the cluster",
            Self::PeopleKeys => "API keys of people",
        }
    }

    /// The lists whose refusal hides it.
    const fn listings(self) -> &'static [&'static str] {
        match self {
            Self::Accounts | Self::Members => &[listing::ACCOUNTS],
            Self::AccountBindings | Self::Organization => &[listing::ORGANIZATION_BINDINGS],
            Self::Environment | Self::Registry => &[listing::ENVIRONMENT_BINDINGS],
            Self::Cluster => &[listing::CLUSTER_BINDINGS],
            Self::Subjects => &[listing::SUBJECT_BINDINGS],
            Self::Connectors => &[listing::CONNECTORS],
            Self::Acls => &[listing::ACLS],
            Self::PeopleKeys => &[listing::KEYS],
        }
    }
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingData {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl MissingData {
    pub(super) fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            reason: reason.into(),
        }
    }
}

/// What the look could show.
#[derive(Debug)]
pub(super) struct Visibility<'a> {
    observed: &'a Snapshot,
    /// The rights of whoever looked, as far as they are seen.
    rights: Evaluator,
}

impl<'a> Visibility<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let own = snapshot
            .bindings_of(&snapshot.observed_by)
            .map(|seen| seen.binding.clone());
        Self {
            observed: snapshot,
            rights: Evaluator::new(own),
        }
    }

    /// Why `need` was not seen in full; `None` when it was, or when there is no such thing here.
    pub(super) fn missing(&self, need: RequiredData) -> Option<MissingData> {
        let refused = need.listings().iter().find_map(|list| self.observed.unknown.get(*list));
        if let Some(reason) = refused {
            return Some(MissingData::new(need.description(), reason));
        }
        (!self.is_entitled(need)).then(|| self.not_entitled(need.description()))
    }

    /// Why the role bindings on one account were not seen in full.
    pub(super) fn missing_account_bindings(&self, account: &ServiceAccountId, name: &str) -> Option<MissingData> {
        let what = format!("role bindings on {name}");
        if let Some(reason) = self.observed.unknown.get(&listing::bindings_on_account(account)) {
            return Some(MissingData::new(what, reason));
        }
        let crn = self.observed.address.service_account_crn(account).into();
        (!self.is_allowed(Operation::DescribeAccess, &crn)).then(|| self.not_entitled(&what))
    }

    /// Why the API keys of one account were not seen in full. A list shows the keys that its caller may manage
    /// (docs/reference/rbac.md#data-visible-across-prefixes).
    pub(super) fn missing_keys(&self, account: &ServiceAccountId, name: &str) -> Option<MissingData> {
        let what = format!("API keys of {name}");
        if let Some(reason) = self.observed.unknown.get(listing::KEYS) {
            return Some(MissingData::new(what, reason));
        }
        let crn = self.observed.address.service_account_crn(account).into();
        let kinds = [
            Operation::ManageCloudKeys,
            Operation::ManageKafkaKeys,
            Operation::ManageSchemaRegistryKeys,
        ];
        let all = kinds.into_iter().all(|kind| self.is_allowed(kind, &crn));
        (!all).then(|| self.not_entitled(&what))
    }

    fn not_entitled(&self, what: &str) -> MissingData {
        let who = self.observed.display_name(&self.observed.observed_by);
        MissingData::new(what, format!("{who} holds no role that is known to show them in full"))
    }

    fn is_allowed(&self, operation: Operation, pattern: &CrnPattern) -> bool {
        let decision = self
            .rights
            .decide_pattern(&self.observed.observed_by, operation, pattern);
        decision.is_allowed()
    }

    /// Whether whoever looked holds a role that shows everything.
    fn is_entitled(&self, need: RequiredData) -> bool {
        let address = &self.observed.address;
        let every = |kind| address.pattern(kind, NamePattern::Prefixed(String::new()));
        let shows = |pattern: CrnPattern| self.is_allowed(Operation::DescribeAccess, &pattern);
        match need {
            RequiredData::Accounts | RequiredData::Members => {
                every(ResourceKind::ServiceAccount).is_some_and(|all| self.can_describe(&all))
            }
            RequiredData::AccountBindings => every(ResourceKind::ServiceAccount).is_some_and(shows),
            RequiredData::Organization => shows(address.organization_crn().into()),
            RequiredData::Environment => shows(address.environment_crn().into()),
            RequiredData::Cluster => {
                let names = NAMED_KINDS.into_iter().filter(|kind| *kind != ResourceKind::Subject);
                shows(address.cluster_crn().into()) && names.filter_map(every).all(shows)
            }
            RequiredData::Registry => address.schema_registry_crn().is_none_or(|crn| shows(crn.into())),
            RequiredData::Subjects => every(ResourceKind::Subject).is_none_or(shows),
            RequiredData::Connectors => {
                every(ResourceKind::Connector).is_some_and(|all| self.is_allowed(Operation::ReadConfig, &all))
            }
            // Kafka shows all of them, or none.
            RequiredData::Acls => true,
            RequiredData::PeopleKeys => self.is_allowed(Operation::AlterAccess, &address.organization_crn().into()),
        }
    }

    /// That other administrators also see all accounts is an assumption (`administrators_see_accounts`), and a rule that
    /// relies on it would call an organization clean that it has not seen.
    fn can_describe(&self, all: &CrnPattern) -> bool {
        self.rights.bindings().any(|binding| {
            let gives = operations_of_role(&binding.role, ResourceKind::ServiceAccount);
            gives.contains(Operation::Describe) && binding.pattern.covers_pattern(all)
        })
    }
}
