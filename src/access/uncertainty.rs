//! Reasons why a decision is unknown. A list may be refused, may omit entries that its caller is not allowed to see, or
//! may contain unknown roles and ACLs; none of these means "not allowed" (docs/reference/rbac.md#threats, T12).

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::{
    AccessGrant, AccessModel, Operation, ResolvedAcl,
    access_model::{binding_operations_on_any, reaches},
    roles::is_scope,
};
use crate::model::{AclBinding, CrnPattern, Listing, NamePattern, Principal, ResourceKind, Role, RoleBinding};

/// A gap in the source that could turn "not allowed" into "allowed".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "uncertainty", rename_all = "kebab-case")]
pub enum Uncertainty {
    /// A list could not be read.
    Unlisted {
        /// Name of the list.
        what: Listing,
        /// Reason why the list could not be read.
        reason: String,
    },
    /// Role bindings on these scopes are visible only to their administrators; lists omit them silently
    /// (docs/reference/rbac.md#threats, T12; docs/assumptions.md, Q6).
    Hidden {
        /// Scopes and resources.
        on: Vec<String>,
    },
    /// An unknown role is bound.
    UnknownRole {
        /// Binding of the unknown role.
        binding: RoleBinding,
    },
    /// A group holds the role, and its members are unknown.
    Group {
        /// Role binding of the group.
        binding: RoleBinding,
    },
    /// The effect of an ACL is unknown.
    UnknownAcl {
        /// ACL whose effect is unknown.
        acl: AclBinding,
    },
    /// Kafka ACLs were not read.
    Acls {
        /// Reason why the ACLs were not read.
        reason: String,
    },
    /// Confluent's documents disagree on whether a role allows the operation.
    Disputed {
        /// Role binding whose effect is unknown.
        binding: RoleBinding,
        /// Assumption that decides, in `docs/assumptions.md`.
        assumption: &'static str,
    },
}

impl fmt::Display for Uncertainty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { what, reason } => write!(out, "{what} could not be listed ({reason})"),
            Self::Hidden { on } => write!(
                out,
                "role bindings on {} are visible only to their administrators",
                join_names(on)
            ),
            Self::UnknownRole { binding } => write!(
                out,
                "the operations of role `{}` on {}, held by `{}`, are unknown",
                binding.role,
                binding.pattern.to_short_string(),
                binding.principal.id()
            ),
            Self::Group { binding } => write!(
                out,
                "the members of group `{}`, which holds {} on {}, are unknown",
                binding.principal.id(),
                binding.role,
                binding.pattern.to_short_string()
            ),
            Self::UnknownAcl { acl } => write!(
                out,
                "the effect of ACL `{}` on `{}` is unknown",
                acl.to_short_string(),
                acl.principal.id()
            ),
            Self::Acls { reason } => write!(out, "Kafka ACLs could not be listed ({reason})"),
            Self::Disputed { binding, assumption } => write!(
                out,
                "Confluent's documents disagree on whether {} on {} is enough (assumption {assumption} of `confluent \
                 ebs doctor --assumptions`)",
                binding.role,
                binding.pattern.to_short_string()
            ),
        }
    }
}

/// Returns why a grant may not allow an operation on connectors. The table of roles includes metrics in roles for which
/// the page about the Metrics API does not (docs/reference/metrics.md#who-may-read-metrics).
#[must_use]
pub fn disputed(operation: Operation, grant: &AccessGrant) -> Option<Uncertainty> {
    let AccessGrant::Role(binding) = grant else { return None };
    let named = matches!(
        binding.role,
        Role::MetricsViewer | Role::OrganizationAdmin | Role::EnvironmentAdmin | Role::CloudClusterAdmin
    );
    (operation == Operation::ViewMetrics && !named).then(|| Uncertainty::Disputed {
        binding: RoleBinding::clone(binding),
        assumption: "Q5",
    })
}

/// Joins names: `a`, `a and b`, `a, b and c`.
fn join_names(words: &[String]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        words => words.concat(),
    }
}

impl AccessModel {
    /// Returns all gaps that could turn "not allowed" on `on` into "allowed", for `who` or for any principal.
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

    /// Returns the lists and scopes that could contain a grant on `on` but were not visible.
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

    /// Returns the lists and scopes that could contain a grant anywhere at the address but were not visible.
    pub fn visibility_gaps_anywhere(&self) -> impl Iterator<Item = Uncertainty> {
        let refused = self.failed_listings(Listing::may_contain_bindings);
        let mut hidden = self.hidden_scopes(self.scopes().into_iter());
        if self.all_accounts().is_some_and(|all| !self.is_access_visible(&all)) {
            hidden.push("unmanaged service accounts".to_owned());
        }
        let hidden = (!hidden.is_empty()).then_some(Uncertainty::Hidden { on: hidden });
        refused.into_iter().chain(hidden).chain(self.unread_acls())
    }

    fn unread_acls(&self) -> Option<Uncertainty> {
        let reason = self.unknown.get(&Listing::Acls)?.clone();
        Some(Uncertainty::Acls { reason })
    }

    /// Whether the list of service accounts is known to be complete.
    #[must_use]
    pub fn is_account_list_complete(&self) -> bool {
        let sees = |observer: &Principal, all: &CrnPattern| {
            let decision = self.evaluator.decide_pattern(observer, Operation::Describe, all);
            decision.is_allowed()
        };
        let all = self.all_accounts();
        Listing::ServiceAccounts.reason_in(&self.unknown).is_none()
            && self
                .observer
                .as_ref()
                .is_none_or(|observer| all.is_some_and(|all| sees(observer, &all)))
    }

    fn all_accounts(&self) -> Option<CrnPattern> {
        let all = NamePattern::Prefixed(String::new());
        self.address.pattern(ResourceKind::ServiceAccount, all)
    }

    /// Whether role bindings on `on` were visible to the observer.
    #[must_use]
    pub fn is_access_visible(&self, on: &CrnPattern) -> bool {
        let may = |observer: &Principal| {
            self.evaluator
                .decide_pattern(observer, Operation::DescribeAccess, on)
                .is_allowed()
        };
        self.observer.as_ref().is_none_or(may)
    }

    /// Returns the scopes, each with its list and its display name.
    fn scopes(&self) -> Vec<(CrnPattern, Listing, &'static str)> {
        let address = &self.address;
        let registry = address.schema_registry_crn();
        [
            (
                Some(address.organization_crn()),
                Listing::OrganizationBindings,
                "the organization",
            ),
            (
                Some(address.environment_crn()),
                Listing::EnvironmentBindings,
                "the environment",
            ),
            (Some(address.cluster_crn()), Listing::ClusterBindings, "the cluster"),
            (registry, Listing::SubjectBindings, "the Schema Registry"),
        ]
        .into_iter()
        .filter_map(|(crn, list, called)| Some((crn?.into(), list, called)))
        .collect()
    }

    /// Returns the display names of the `scopes` that lists omit; refused lists are reported separately.
    fn hidden_scopes(&self, scopes: impl Iterator<Item = (CrnPattern, Listing, &'static str)>) -> Vec<String> {
        scopes
            .filter(|(scope, list, _)| !self.unknown.contains_key(list) && !self.is_access_visible(scope))
            .map(|(_, _, called)| called.to_owned())
            .collect()
    }

    fn failed_listings(&self, concerns: impl Fn(&Listing) -> bool) -> Vec<Uncertainty> {
        let lists = self.unknown.iter().filter(|(what, _)| concerns(what));
        let uncertainties = lists.map(|(what, reason)| Uncertainty::Unlisted {
            what: what.clone(),
            reason: reason.clone(),
        });
        uncertainties.collect()
    }
}

/// Whether `binding` holds an unknown role that may apply to `on`.
fn has_unknown_role(binding: &RoleBinding, on: &CrnPattern) -> bool {
    matches!(binding.role, Role::Other(_)) && reaches(binding, on)
}

/// Returns the uncertainty about the effect of `grant` on `on`, if any.
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

/// Whether the principal is a group mapping of a directory (docs/reference/rbac.md#threats, T16); only the directory
/// knows its members.
fn is_group(principal: &Principal) -> bool {
    matches!(principal, Principal::Other(_)) && principal.id().starts_with("group-")
}

/// Whether Kafka has ACLs on resources of `kind` (docs/reference/rbac.md#roles-of-a-connectors-account).
fn supports_acls(kind: ResourceKind) -> bool {
    matches!(
        kind,
        ResourceKind::Cluster | ResourceKind::Topic | ResourceKind::Group | ResourceKind::TransactionalId
    )
}

/// Whether a list could contain a role binding that is a grant on `on`. Bindings on a scope can apply to all its
/// descendants.
fn affects(listing: &Listing, on: &CrnPattern) -> bool {
    let kind = on.kind();
    match listing {
        // Bindings on a cluster do not apply to a Schema Registry and vice versa, but every ResourceOwner may create
        // accounts.
        Listing::ClusterBindings => kind != ResourceKind::Subject,
        Listing::SubjectBindings => matches!(kind, ResourceKind::Subject | ResourceKind::ServiceAccount),
        Listing::AccountBindings(id) => {
            kind == ResourceKind::ServiceAccount && on.name().overlaps(&NamePattern::Literal(id.to_string()))
        }
        other => other.may_contain_bindings(),
    }
}
