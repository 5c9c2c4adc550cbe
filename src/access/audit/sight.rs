//! What the look at the organization could show in full (dossier `rbac.md` T12: what is hidden is unknown, never absent).
//!
//! A list that is refused says so. One that is merely cut to what its caller may see does not (dossier `rbac.md` §9, Q2 and
//! Q6), so the roles that the caller is seen to hold decide whether a list was a whole one. What is not seen to be whole
//! counts as cut.

use serde::Serialize;

use crate::{
    access::{Evaluator, Operation, isolation::NAMED_KINDS, roles::gives},
    model::{CrnPattern, NamePattern, ResourceKind, ServiceAccountId, Snapshot, hidden},
};

/// A list that a rule needs in full before it can say that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
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

impl Need {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
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
    const fn lists(self) -> &'static [&'static str] {
        match self {
            Self::Accounts | Self::Members => &[hidden::ACCOUNTS],
            Self::AccountBindings | Self::Organization => &[hidden::ORGANIZATION],
            Self::Environment | Self::Registry => &[hidden::ENVIRONMENT],
            Self::Cluster => &[hidden::CLUSTER],
            Self::Subjects => &[hidden::SUBJECTS],
            Self::Connectors => &[hidden::CONNECTORS],
            Self::Acls => &[hidden::ACLS],
            Self::PeopleKeys => &[hidden::KEYS],
        }
    }
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hidden {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Hidden {
    pub(super) fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            reason: reason.into(),
        }
    }
}

/// What the look could show.
#[derive(Debug)]
pub(super) struct Sight<'a> {
    seen: &'a Snapshot,
    /// The rights of whoever looked, as far as they are seen.
    rights: Evaluator,
}

impl<'a> Sight<'a> {
    pub(super) fn of(seen: &'a Snapshot) -> Self {
        let own = seen.bindings_of(&seen.seen_by).map(|seen| seen.binding.clone());
        Self {
            seen,
            rights: Evaluator::new(own),
        }
    }

    /// Why `need` was not seen in full; `None` when it was, or when there is no such thing here.
    pub(super) fn hidden(&self, need: Need) -> Option<Hidden> {
        let refused = need.lists().iter().find_map(|list| self.seen.unknown.get(*list));
        if let Some(reason) = refused {
            return Some(Hidden::new(need.words(), reason));
        }
        (!self.entitled(need)).then(|| self.cut(need.words()))
    }

    /// Why the role bindings on one account were not seen in full.
    pub(super) fn hidden_control(&self, account: &ServiceAccountId, name: &str) -> Option<Hidden> {
        let what = format!("role bindings on {name}");
        if let Some(reason) = self.seen.unknown.get(&hidden::account(account)) {
            return Some(Hidden::new(what, reason));
        }
        let crn = self.seen.address.service_account_crn(account).into();
        (!self.may(Operation::DescribeAccess, &crn)).then(|| self.cut(&what))
    }

    /// Why the API keys of one account were not seen in full. A list shows the keys that its caller may manage (dossier
    /// `rbac.md` §1.7).
    pub(super) fn hidden_keys(&self, account: &ServiceAccountId, name: &str) -> Option<Hidden> {
        let what = format!("API keys of {name}");
        if let Some(reason) = self.seen.unknown.get(hidden::KEYS) {
            return Some(Hidden::new(what, reason));
        }
        let crn = self.seen.address.service_account_crn(account).into();
        let kinds = [
            Operation::ManageCloudKeys,
            Operation::ManageKafkaKeys,
            Operation::ManageSchemaRegistryKeys,
        ];
        let all = kinds.into_iter().all(|kind| self.may(kind, &crn));
        (!all).then(|| self.cut(&what))
    }

    fn cut(&self, what: &str) -> Hidden {
        let who = self.seen.name_of(&self.seen.seen_by);
        Hidden::new(what, format!("{who} holds no role that is known to show them in full"))
    }

    fn may(&self, operation: Operation, pattern: &CrnPattern) -> bool {
        let decision = self.rights.decide_pattern(&self.seen.seen_by, operation, pattern);
        decision.is_allowed()
    }

    /// Whether whoever looked holds a role that shows everything.
    fn entitled(&self, need: Need) -> bool {
        let address = &self.seen.address;
        let every = |kind| address.pattern(kind, NamePattern::Prefixed(String::new()));
        let shows = |pattern: CrnPattern| self.may(Operation::DescribeAccess, &pattern);
        match need {
            Need::Accounts | Need::Members => {
                every(ResourceKind::ServiceAccount).is_some_and(|all| self.describes(&all))
            }
            Need::AccountBindings => every(ResourceKind::ServiceAccount).is_some_and(shows),
            Need::Organization => shows(address.organization_crn().into()),
            Need::Environment => shows(address.environment_crn().into()),
            Need::Cluster => {
                let names = NAMED_KINDS.into_iter().filter(|kind| *kind != ResourceKind::Subject);
                shows(address.cluster_crn().into()) && names.filter_map(every).all(shows)
            }
            Need::Registry => address.schema_registry_crn().is_none_or(|crn| shows(crn.into())),
            Need::Subjects => every(ResourceKind::Subject).is_none_or(shows),
            Need::Connectors => every(ResourceKind::Connector).is_some_and(|all| self.may(Operation::ReadConfig, &all)),
            // Kafka shows all of them, or none.
            Need::Acls => true,
            Need::PeopleKeys => self.may(Operation::AlterAccess, &address.organization_crn().into()),
        }
    }

    /// That other administrators also see all accounts is an assumption (`administrators_see_accounts`), and a rule that
    /// relies on it would call an organization clean that it has not seen.
    fn describes(&self, all: &CrnPattern) -> bool {
        self.rights.bindings().any(|binding| {
            let gives = gives(&binding.role, ResourceKind::ServiceAccount);
            gives.contains(Operation::Describe) && binding.pattern.covers_pattern(all)
        })
    }
}
