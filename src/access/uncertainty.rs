//! What a source does not tell. A list may be refused, it may leave out what its caller may not see, or it may hold
//! what this program has no rule about: none of that is a "no" (docs/reference/rbac.md#threats, T12).

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::{
    AccessGrant, AccessModel, Operation, ResolvedAcl,
    access_model::{binding_operations_on_any, reaches},
    roles::is_scope,
};
use crate::model::{
    AclBinding, CrnPattern, NamePattern, Principal, ResourceKind, Role, RoleBinding, ServiceAccountId, listing,
};

/// Something that the source does not tell, and that could turn a "no" into a "yes".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "uncertainty", rename_all = "kebab-case")]
pub enum Uncertainty {
    /// A list could not be read.
    Unlisted {
        /// Of what.
        what: String,
        /// Why.
        reason: String,
    },
    /// What is bound there is shown to its administrators alone, and a list leaves it out without a word
    /// (docs/reference/rbac.md#threats, T12; docs/assumptions.md, Q6).
    Hidden {
        /// Where.
        on: Vec<String>,
    },
    /// A role that this program has no rule about is bound there.
    UnknownRole {
        /// The binding.
        binding: RoleBinding,
    },
    /// A group of people may do it, and who is in the group is not to be seen.
    Group {
        /// The group's binding.
        binding: RoleBinding,
    },
    /// What an ACL gives, or whether, is not known.
    UnknownAcl {
        /// The ACL.
        acl: AclBinding,
    },
    /// Kafka ACLs were not looked at.
    Acls {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Uncertainty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { what, reason } => write!(out, "{what} could not be listed: {reason}"),
            Self::Hidden { on } => write!(
                out,
                "role bindings on {} are shown only to who may see access there",
                join_names(on)
            ),
            Self::UnknownRole { binding } => write!(
                out,
                "what {} on {} gives {} is not known here",
                binding.role,
                binding.pattern.to_short_string(),
                binding.principal.id()
            ),
            Self::Group { binding } => write!(
                out,
                "whoever is in {} may, through {} on {}",
                binding.principal.id(),
                binding.role,
                binding.pattern.to_short_string()
            ),
            Self::UnknownAcl { acl } => write!(
                out,
                "what {} gives {} is not known here",
                acl.to_short_string(),
                acl.principal.id()
            ),
            Self::Acls { reason } => write!(out, "Kafka ACLs were not looked at: {reason}"),
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn join_names(words: &[String]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        words => words.concat(),
    }
}

impl AccessModel {
    /// What could turn a "no" about `on` into a "yes": for `who`, or for anybody.
    #[must_use]
    pub fn uncertainties(&self, who: Option<&Principal>, operation: Operation, on: &CrnPattern) -> Vec<Uncertainty> {
        let mut uncertainties: Vec<Uncertainty> = self.visibility_gaps(on).collect();
        let is_person = matches!(who, Some(Principal::User(_)));
        for binding in self.evaluator.bindings() {
            let own = who.is_none_or(|who| *who == binding.principal);
            if own && has_unknown_role(binding, on) {
                let binding = RoleBinding::clone(binding);
                uncertainties.push(Uncertainty::UnknownRole { binding });
            } else if is_person
                && is_group(&binding.principal)
                && binding_operations_on_any(binding, on).contains(operation)
            {
                let binding = RoleBinding::clone(binding);
                uncertainties.push(Uncertainty::Group { binding });
            }
        }
        let own =
            |acl: &ResolvedAcl| acl.acl.is_for_all_principals() || who.is_none_or(|who| *who == acl.acl.principal);
        let acls = self.evaluator.acls().filter(|acl| own(acl));
        uncertainties.extend(acls.filter_map(|acl| unknown_effect(&AccessGrant::Acl(Arc::clone(acl)), on)));
        uncertainties.sort();
        uncertainties
    }

    /// What could not be looked at and could give something on `on`.
    pub fn visibility_gaps(&self, on: &CrnPattern) -> impl Iterator<Item = Uncertainty> {
        let refused = self.failed_listings(|what| affects(what, on));
        let scopes = self.scopes().into_iter().filter(|(scope, ..)| scope.covers_pattern(on));
        let mut hidden = self.hidden_scopes(scopes);
        if !is_scope(on.kind()) && !hidden.is_empty() && !self.is_access_visible(on) {
            hidden.push(on.to_short_string());
        }
        let acls = self.unread_acls().filter(|_| supports_acls(on.kind()));
        let hidden = (!hidden.is_empty()).then_some(Uncertainty::Hidden { on: hidden });
        refused.into_iter().chain(hidden).chain(acls)
    }

    /// What could not be looked at and could give something anywhere at the address.
    pub fn visibility_gaps_anywhere(&self) -> impl Iterator<Item = Uncertainty> {
        let refused = self.failed_listings(|what| what.starts_with(listing::BINDINGS_PREFIX));
        let mut hidden = self.hidden_scopes(self.scopes().into_iter());
        if self.all_accounts().is_some_and(|all| !self.is_access_visible(&all)) {
            hidden.push("service accounts of others".to_owned());
        }
        let hidden = (!hidden.is_empty()).then_some(Uncertainty::Hidden { on: hidden });
        refused.into_iter().chain(hidden).chain(self.unread_acls())
    }

    fn unread_acls(&self) -> Option<Uncertainty> {
        let reason = self.unknown.get(listing::ACLS)?.clone();
        Some(Uncertainty::Acls { reason })
    }

    /// Whether every service account was shown to whoever looked.
    #[must_use]
    pub fn is_account_list_complete(&self) -> bool {
        let sees = |observer: &Principal, all: &CrnPattern| {
            let decision = self.evaluator.decide_pattern(observer, Operation::Describe, all);
            decision.is_allowed()
        };
        let all = self.all_accounts();
        !self.unknown.contains_key(listing::ACCOUNTS)
            && self
                .observer
                .as_ref()
                .is_none_or(|observer| all.is_some_and(|all| sees(observer, &all)))
    }

    fn all_accounts(&self) -> Option<CrnPattern> {
        let all = NamePattern::Prefixed(String::new());
        self.address.pattern(ResourceKind::ServiceAccount, all)
    }

    /// Whether what is bound on `on` was shown to whoever looked.
    #[must_use]
    pub fn is_access_visible(&self, on: &CrnPattern) -> bool {
        let may = |observer: &Principal| {
            self.evaluator
                .decide_pattern(observer, Operation::DescribeAccess, on)
                .is_allowed()
        };
        self.observer.as_ref().is_none_or(may)
    }

    /// The scopes, each with the name of the list that says what is bound on it, and what people call it.
    fn scopes(&self) -> Vec<(CrnPattern, &'static str, &'static str)> {
        let address = &self.address;
        let registry = address.schema_registry_crn();
        [
            (
                Some(address.organization_crn()),
                listing::ORGANIZATION_BINDINGS,
                "the organization",
            ),
            (
                Some(address.environment_crn()),
                listing::ENVIRONMENT_BINDINGS,
                "the environment",
            ),
            (Some(address.cluster_crn()), listing::CLUSTER_BINDINGS, "the cluster"),
            (registry, listing::SUBJECT_BINDINGS, "the Schema Registry"),
        ]
        .into_iter()
        .filter_map(|(crn, list, called)| Some((crn?.into(), list, called)))
        .collect()
    }

    /// Those of `scopes` that lists leave out; a list that was refused is said elsewhere.
    fn hidden_scopes(&self, scopes: impl Iterator<Item = (CrnPattern, &'static str, &'static str)>) -> Vec<String> {
        scopes
            .filter(|(scope, list, _)| !self.unknown.contains_key(*list) && !self.is_access_visible(scope))
            .map(|(_, _, called)| called.to_owned())
            .collect()
    }

    fn failed_listings(&self, concerns: impl Fn(&str) -> bool) -> Vec<Uncertainty> {
        let lists = self.unknown.iter().filter(|(what, _)| concerns(what));
        let uncertainties = lists.map(|(what, reason)| Uncertainty::Unlisted {
            what: what.clone(),
            reason: reason.clone(),
        });
        uncertainties.collect()
    }
}

/// Whether `binding` may give something on `on` that this program has no rule about.
fn has_unknown_role(binding: &RoleBinding, on: &CrnPattern) -> bool {
    matches!(binding.role, Role::Other(_)) && reaches(binding, on)
}

/// What `permit` may give on `on` beyond the rules of this program.
pub(super) fn unknown_effect(grant: &AccessGrant, on: &CrnPattern) -> Option<Uncertainty> {
    match grant {
        AccessGrant::Role(binding) => has_unknown_role(binding, on).then(|| Uncertainty::UnknownRole {
            binding: RoleBinding::clone(binding),
        }),
        AccessGrant::Acl(acl) => {
            (acl.is_unknown() && acl.pattern.overlaps(on)).then(|| Uncertainty::UnknownAcl { acl: acl.acl.clone() })
        }
    }
}

/// A mapping of a directory's group (docs/reference/rbac.md#threats, T16); who is in it stands in the directory.
fn is_group(principal: &Principal) -> bool {
    matches!(principal, Principal::Other(_)) && principal.id().starts_with("group-")
}

/// The kinds on which Kafka itself knows ACLs (docs/reference/rbac.md#roles-of-a-connectors-account).
fn supports_acls(kind: ResourceKind) -> bool {
    matches!(
        kind,
        ResourceKind::Cluster | ResourceKind::Topic | ResourceKind::Group | ResourceKind::TransactionalId
    )
}

/// Whether bindings that `what` speaks of could give something on `on`. What lies above a scope can give anything there.
fn affects(what: &str, on: &CrnPattern) -> bool {
    let Some(place) = what.strip_prefix(listing::BINDINGS_PREFIX) else {
        return false;
    };
    let kind = on.kind();
    match what {
        // Nothing that is bound on a cluster reaches a Schema Registry, and the other way round; but every ResourceOwner
        // may make accounts.
        listing::CLUSTER_BINDINGS => kind != ResourceKind::Subject,
        listing::SUBJECT_BINDINGS => matches!(kind, ResourceKind::Subject | ResourceKind::ServiceAccount),
        _ => match place.trim_start().strip_prefix("on ").and_then(|id| id.parse().ok()) {
            Some::<ServiceAccountId>(id) => {
                kind == ResourceKind::ServiceAccount && on.name().overlaps(&NamePattern::Literal(id.to_string()))
            }
            None => true,
        },
    }
}
