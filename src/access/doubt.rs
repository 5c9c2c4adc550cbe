//! What a source does not tell. A list may be refused, it may leave out what its caller may not see, or it may hold what
//! this program has no rule about: none of that is a "no" (dossier `rbac.md` T12).

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::{
    Operation, Permit, PlacedAcl, Scene,
    roles::is_scope,
    scene::{reaches, somewhere},
};
use crate::model::{
    AclBinding, CrnPattern, NamePattern, Principal, ResourceKind, Role, RoleBinding, ServiceAccountId, hidden,
};

/// Something that the source does not tell, and that could turn a "no" into a "yes".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "doubt", rename_all = "kebab-case")]
pub enum Doubt {
    /// A list could not be read.
    Unlisted {
        /// Of what.
        what: String,
        /// Why.
        reason: String,
    },
    /// What is bound there is shown to its administrators alone, and a list leaves it out without a word (dossier
    /// `rbac.md` T12, Q6).
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

impl fmt::Display for Doubt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { what, reason } => write!(out, "{what} could not be listed: {reason}"),
            Self::Hidden { on } => write!(
                out,
                "role bindings on {} are shown only to who may see access there",
                listed(on)
            ),
            Self::UnknownRole { binding } => write!(
                out,
                "what {} on {} gives {} is not known here",
                binding.role,
                binding.pattern.short(),
                binding.principal.id()
            ),
            Self::Group { binding } => write!(
                out,
                "whoever is in {} may, through {} on {}",
                binding.principal.id(),
                binding.role,
                binding.pattern.short()
            ),
            Self::UnknownAcl { acl } => write!(
                out,
                "what {} gives {} is not known here",
                acl.short(),
                acl.principal.id()
            ),
            Self::Acls { reason } => write!(out, "Kafka ACLs were not looked at: {reason}"),
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        words => words.concat(),
    }
}

impl Scene {
    /// What could turn a "no" about `on` into a "yes": for `who`, or for anybody.
    #[must_use]
    pub fn doubts(&self, who: Option<&Principal>, operation: Operation, on: &CrnPattern) -> Vec<Doubt> {
        let mut doubts: Vec<Doubt> = self.unlisted(on).collect();
        let is_person = matches!(who, Some(Principal::User(_)));
        for binding in self.evaluator.bindings() {
            let own = who.is_none_or(|who| *who == binding.principal);
            if own && is_unknown(binding, on) {
                let binding = RoleBinding::clone(binding);
                doubts.push(Doubt::UnknownRole { binding });
            } else if is_person && is_group(&binding.principal) && somewhere(binding, on).contains(operation) {
                let binding = RoleBinding::clone(binding);
                doubts.push(Doubt::Group { binding });
            }
        }
        let own = |acl: &PlacedAcl| acl.acl.is_for_everybody() || who.is_none_or(|who| *who == acl.acl.principal);
        let acls = self.evaluator.acls().filter(|acl| own(acl));
        doubts.extend(acls.filter_map(|acl| unknown(&Permit::Acl(Arc::clone(acl)), on)));
        doubts.sort();
        doubts
    }

    /// What could not be looked at and could give something on `on`.
    pub fn unlisted(&self, on: &CrnPattern) -> impl Iterator<Item = Doubt> {
        let refused = self.refused(|what| concerns(what, on));
        let scopes = self.scopes().into_iter().filter(|(scope, ..)| scope.covers_pattern(on));
        let mut hidden = self.cut(scopes);
        if !is_scope(on.kind()) && !hidden.is_empty() && !self.may_look(on) {
            hidden.push(on.short());
        }
        let acls = self.without_acls().filter(|_| takes_acls(on.kind()));
        let hidden = (!hidden.is_empty()).then_some(Doubt::Hidden { on: hidden });
        refused.into_iter().chain(hidden).chain(acls)
    }

    /// What could not be looked at and could give something anywhere at the address.
    pub fn unlisted_anywhere(&self) -> impl Iterator<Item = Doubt> {
        let refused = self.refused(|what| what.starts_with(hidden::BINDINGS));
        let mut hidden = self.cut(self.scopes().into_iter());
        if self.all_accounts().is_some_and(|all| !self.may_look(&all)) {
            hidden.push("service accounts of others".to_owned());
        }
        let hidden = (!hidden.is_empty()).then_some(Doubt::Hidden { on: hidden });
        refused.into_iter().chain(hidden).chain(self.without_acls())
    }

    fn without_acls(&self) -> Option<Doubt> {
        let reason = self.unseen.get(hidden::ACLS)?.clone();
        Some(Doubt::Acls { reason })
    }

    /// Whether every service account was shown to whoever looked.
    #[must_use]
    pub fn sees_accounts(&self) -> bool {
        let sees = |looker: &Principal, all: &CrnPattern| {
            let decision = self.evaluator.decide_pattern(looker, Operation::Describe, all);
            decision.is_allowed()
        };
        let all = self.all_accounts();
        !self.unseen.contains_key(hidden::ACCOUNTS)
            && self
                .looker
                .as_ref()
                .is_none_or(|looker| all.is_some_and(|all| sees(looker, &all)))
    }

    fn all_accounts(&self) -> Option<CrnPattern> {
        let all = NamePattern::Prefixed(String::new());
        self.address.pattern(ResourceKind::ServiceAccount, all)
    }

    /// Whether what is bound on `on` was shown to whoever looked.
    #[must_use]
    pub fn may_look(&self, on: &CrnPattern) -> bool {
        let may = |looker: &Principal| {
            self.evaluator
                .decide_pattern(looker, Operation::DescribeAccess, on)
                .is_allowed()
        };
        self.looker.as_ref().is_none_or(may)
    }

    /// The scopes, each with the name of the list that says what is bound on it, and what people call it.
    fn scopes(&self) -> Vec<(CrnPattern, &'static str, &'static str)> {
        let address = &self.address;
        let registry = address.schema_registry_crn();
        [
            (
                Some(address.organization_crn()),
                hidden::ORGANIZATION,
                "the organization",
            ),
            (Some(address.environment_crn()), hidden::ENVIRONMENT, "the environment"),
            (Some(address.cluster_crn()), hidden::CLUSTER, "the cluster"),
            (registry, hidden::SUBJECTS, "the Schema Registry"),
        ]
        .into_iter()
        .filter_map(|(crn, list, called)| Some((crn?.into(), list, called)))
        .collect()
    }

    /// Those of `scopes` that lists leave out; a list that was refused is said elsewhere.
    fn cut(&self, scopes: impl Iterator<Item = (CrnPattern, &'static str, &'static str)>) -> Vec<String> {
        scopes
            .filter(|(scope, list, _)| !self.unseen.contains_key(*list) && !self.may_look(scope))
            .map(|(_, _, called)| called.to_owned())
            .collect()
    }

    fn refused(&self, concerns: impl Fn(&str) -> bool) -> Vec<Doubt> {
        let lists = self.unseen.iter().filter(|(what, _)| concerns(what));
        let doubts = lists.map(|(what, reason)| Doubt::Unlisted {
            what: what.clone(),
            reason: reason.clone(),
        });
        doubts.collect()
    }
}

/// Whether `binding` may give something on `on` that this program has no rule about.
fn is_unknown(binding: &RoleBinding, on: &CrnPattern) -> bool {
    matches!(binding.role, Role::Other(_)) && reaches(binding, on)
}

/// What `permit` may give on `on` beyond the rules of this program.
pub(super) fn unknown(permit: &Permit, on: &CrnPattern) -> Option<Doubt> {
    match permit {
        Permit::Role(binding) => is_unknown(binding, on).then(|| Doubt::UnknownRole {
            binding: RoleBinding::clone(binding),
        }),
        Permit::Acl(acl) => {
            (acl.is_unknown() && acl.place.overlaps(on)).then(|| Doubt::UnknownAcl { acl: acl.acl.clone() })
        }
    }
}

/// A mapping of a directory's group (dossier `rbac.md` T16); who is in it stands in the directory.
fn is_group(principal: &Principal) -> bool {
    matches!(principal, Principal::Other(_)) && principal.id().starts_with("group-")
}

/// The kinds on which Kafka itself knows ACLs (dossier `rbac.md` §2.2).
fn takes_acls(kind: ResourceKind) -> bool {
    matches!(
        kind,
        ResourceKind::Cluster | ResourceKind::Topic | ResourceKind::Group | ResourceKind::TransactionalId
    )
}

/// Whether bindings that `what` speaks of could give something on `on`. What lies above a scope can give anything there.
fn concerns(what: &str, on: &CrnPattern) -> bool {
    let Some(place) = what.strip_prefix(hidden::BINDINGS) else {
        return false;
    };
    let kind = on.kind();
    match what {
        // Nothing that is bound on a cluster reaches a Schema Registry, and the other way round; but every ResourceOwner
        // may make accounts.
        hidden::CLUSTER => kind != ResourceKind::Subject,
        hidden::SUBJECTS => matches!(kind, ResourceKind::Subject | ResourceKind::ServiceAccount),
        _ => match place.trim_start().strip_prefix("on ").and_then(|id| id.parse().ok()) {
            Some::<ServiceAccountId>(id) => {
                kind == ResourceKind::ServiceAccount && on.name().overlaps(&NamePattern::Literal(id.to_string()))
            }
            None => true,
        },
    }
}
