//! Completeness of a snapshot (docs/reference/rbac.md#threats, T12: what is hidden is unknown, never absent).
//!
//! A refused list is an error, but a list that omits entries its caller is not allowed to see looks complete
//! (docs/assumptions.md, Q2, Q6). Therefore the observed roles of the caller determine whether a list is complete. A
//! list that is not known to be complete counts as incomplete.

use serde::Serialize;

use crate::{
    access::{Evaluator, Operation, isolation::NAMED_KINDS, roles::operations_of_role},
    model::{CrnPattern, Listing, NamePattern, ResourceKind, ServiceAccountId, Snapshot},
};

/// Data that a rule needs in full for the verdict "absent".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredData {
    /// All service accounts of the organization.
    Accounts,
    /// Service accounts of departments.
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
    /// Client quotas of the cluster.
    ClientQuotas,
    /// API keys of users.
    PeopleKeys,
}

impl RequiredData {
    /// Returns the description for messages.
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
            Self::ClientQuotas => "client quotas of the cluster",
            Self::PeopleKeys => "API keys of users",
        }
    }

    /// Returns the lists that contain the data.
    const fn listings(self) -> &'static [Listing] {
        match self {
            Self::Accounts | Self::Members => &[Listing::ServiceAccounts],
            Self::AccountBindings | Self::Organization => &[Listing::OrganizationBindings],
            Self::Environment | Self::Registry => &[Listing::EnvironmentBindings],
            Self::Cluster => &[Listing::ClusterBindings],
            Self::Subjects => &[Listing::SubjectBindings],
            Self::Connectors => &[Listing::Connectors],
            Self::Acls => &[Listing::Acls],
            Self::ClientQuotas => &[Listing::ClientQuotas],
            Self::PeopleKeys => &[Listing::ApiKeys],
        }
    }
}

/// Data that is missing or incomplete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingData {
    /// Description of the data, such as a list of Confluent Cloud.
    pub what: String,
    /// Reason why the data is missing or incomplete.
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

/// Determines which data of a snapshot is complete.
#[derive(Debug)]
pub(super) struct Visibility<'a> {
    observed: &'a Snapshot,
    /// Observed role bindings of the observer.
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

    /// Returns why `need` is incomplete; `None` if it is complete or does not apply.
    pub(super) fn missing(&self, need: RequiredData) -> Option<MissingData> {
        let refused = need
            .listings()
            .iter()
            .find_map(|list| self.observed.unknown_reason(list));
        if let Some(reason) = refused {
            return Some(MissingData::new(need.description(), reason));
        }
        (!self.is_entitled(need)).then(|| self.not_entitled(need.description()))
    }

    /// Returns why the role bindings on one account are incomplete.
    pub(super) fn missing_account_bindings(&self, account: &ServiceAccountId, name: &str) -> Option<MissingData> {
        let what = format!("role bindings on {name}");
        if let Some(reason) = self.observed.unknown_reason(&Listing::AccountBindings(account.clone())) {
            return Some(MissingData::new(what, reason));
        }
        let crn = self.observed.address.service_account_crn(account).into();
        (!self.is_allowed(Operation::DescribeAccess, &crn)).then(|| self.not_entitled(&what))
    }

    /// Returns why the API keys of one account are incomplete. A list contains the keys that its caller may manage
    /// (docs/reference/rbac.md#data-visible-across-prefixes).
    pub(super) fn missing_keys(&self, account: &ServiceAccountId, name: &str) -> Option<MissingData> {
        let what = format!("API keys of {name}");
        if let Some(reason) = self.observed.unknown_reason(&Listing::ApiKeys) {
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
        MissingData::new(
            what,
            format!("the list may be incomplete, because {who} holds no role for which it is known to be complete"),
        )
    }

    fn is_allowed(&self, operation: Operation, pattern: &CrnPattern) -> bool {
        let decision = self
            .rights
            .decide_pattern(&self.observed.observed_by, operation, pattern);
        decision.is_allowed()
    }

    /// Whether the observer holds a role for which the list is known to be complete.
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
            // The service lists all ACLs and all client quotas, or none.
            RequiredData::Acls | RequiredData::ClientQuotas => true,
            RequiredData::PeopleKeys => self.is_allowed(Operation::AlterAccess, &address.organization_crn().into()),
        }
    }

    /// Whether the observer sees all accounts. The assumption `administrators_see_accounts` for other administrators is
    /// not used here, because a rule that relied on it could report "absent" for unseen data.
    fn can_describe(&self, all: &CrnPattern) -> bool {
        self.rights.bindings().any(|binding| {
            let gives = operations_of_role(&binding.role, ResourceKind::ServiceAccount);
            gives.contains(Operation::Describe) && binding.pattern.covers_pattern(all)
        })
    }
}
