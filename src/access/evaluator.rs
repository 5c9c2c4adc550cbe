//! Decides whether a principal may do something, and through which binding.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use super::{
    Operation, OperationSet,
    index::Index,
    roles::{given, gives, gives_on_accounts},
};
use crate::model::{Crn, CrnPattern, Principal, ResourceKind, RoleBinding};

/// The answer to "may this principal do this here?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, through this binding.
    Allowed(Arc<RoleBinding>),
    /// No binding gives it.
    Denied,
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// Role bindings, indexed for deciding.
///
/// Bindings only ever allow, and they add up (dossier `rbac.md` §1.5). ACLs are not looked at here. Whether two bindings
/// are equal is decided by all their three parts, so inserting one twice changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Evaluator {
    principals: BTreeMap<Principal, Index>,
    everyone: Index,
}

impl Evaluator {
    /// Indexes `bindings`.
    pub fn new(bindings: impl IntoIterator<Item = RoleBinding>) -> Self {
        let mut evaluator = Self::default();
        for binding in bindings {
            evaluator.insert(binding);
        }
        evaluator
    }

    /// Adds one binding.
    pub fn insert(&mut self, binding: RoleBinding) {
        let binding = Arc::new(binding);
        let own = self.principals.entry(binding.principal.clone()).or_default();
        own.insert(&binding);
        self.everyone.insert(&binding);
    }

    /// Takes one binding away.
    pub fn remove(&mut self, binding: &RoleBinding) {
        if !self.everyone.remove(binding) {
            return;
        }
        if let Some(own) = self.principals.get_mut(&binding.principal) {
            own.remove(binding);
            if own.is_empty() {
                self.principals.remove(&binding.principal);
            }
        }
    }

    /// How many bindings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.everyone.all().len()
    }

    /// Whether there is no binding.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.everyone.is_empty()
    }

    /// Whether `principal` may do `operation` on `resource`; if several bindings give it, the most specific is named.
    #[must_use]
    pub fn decide(&self, principal: &Principal, operation: Operation, resource: &Crn) -> Decision {
        let mut decision = Decision::Denied;
        if let Some(own) = self.principals.get(principal) {
            let _ = own.visit(resource, &mut |binding| {
                if given(binding, resource).contains(operation) {
                    decision = Decision::Allowed(Arc::clone(binding));
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
        }
        decision
    }

    /// Whether `principal` may do `operation` on *everything* that `pattern` covers, through one binding. Granting on a
    /// pattern is allowed to who holds `AlterAccess` on all of it.
    #[must_use]
    pub fn decide_pattern(&self, principal: &Principal, operation: Operation, pattern: &CrnPattern) -> Decision {
        // A name is an ordinary question, and has the better index.
        if let Some(resource) = pattern.literal() {
            return self.decide(principal, operation, &resource);
        }
        let kind = pattern.kind();
        let gives_it = |binding: &&Arc<RoleBinding>| {
            let covered = binding.pattern.covers_pattern(pattern) && gives(&binding.role, kind).contains(operation);
            let account = kind == ResourceKind::ServiceAccount
                && binding.pattern.value_of(ResourceKind::Organization) == pattern.value_of(ResourceKind::Organization)
                && gives_on_accounts(&binding.role).contains(operation);
            covered || account
        };
        let found = self.bindings_of(principal).find(gives_it);
        found.map_or(Decision::Denied, |binding| Decision::Allowed(Arc::clone(binding)))
    }

    /// Everything that `principal` may do on `resource`.
    #[must_use]
    pub fn operations(&self, principal: &Principal, resource: &Crn) -> OperationSet {
        let mut set = OperationSet::EMPTY;
        if let Some(own) = self.principals.get(principal) {
            let _ = own.visit(resource, &mut |binding| {
                set = set.with(given(binding, resource));
                ControlFlow::Continue(())
            });
        }
        set
    }

    /// Everybody who may do `operation` on `resource`, with every binding that gives it, in the order of principals.
    #[must_use]
    pub fn who_can(&self, operation: Operation, resource: &Crn) -> Vec<(Principal, Arc<RoleBinding>)> {
        let mut found = BTreeSet::new();
        let _ = self.everyone.visit(resource, &mut |binding| {
            if given(binding, resource).contains(operation) {
                found.insert((binding.principal.clone(), Arc::clone(binding)));
            }
            ControlFlow::Continue(())
        });
        found.into_iter().collect()
    }

    /// Every binding that gives anything on at least one resource that `pattern` covers, with what it gives on that kind
    /// of resource: "nobody but the administrators can do anything on this prefix" is a statement about this list.
    pub fn touching<'a>(
        &'a self,
        pattern: &'a CrnPattern,
    ) -> impl Iterator<Item = (&'a Arc<RoleBinding>, OperationSet)> {
        let kind = pattern.kind();
        self.everyone.all().iter().filter_map(move |binding| {
            // What hangs below the pattern is of another kind; what is bound on or above it counts.
            let reaches = binding.pattern.covers_pattern(pattern)
                || (binding.pattern.kind() == kind && binding.pattern.overlaps(pattern));
            let set = gives(&binding.role, kind);
            (reaches && !set.is_empty()).then_some((binding, set))
        })
    }

    /// The bindings that `principal` holds.
    pub fn bindings_of(&self, principal: &Principal) -> impl Iterator<Item = &Arc<RoleBinding>> {
        let own = self.principals.get(principal);
        own.into_iter().flat_map(|own| own.all().iter())
    }

    /// Whether `principal` holds any binding at all.
    #[must_use]
    pub fn any_binding(&self, principal: &Principal) -> bool {
        self.principals.contains_key(principal)
    }

    /// All bindings, in their order.
    pub fn bindings(&self) -> impl Iterator<Item = &Arc<RoleBinding>> {
        self.everyone.all().iter()
    }

    /// Everybody who holds a binding, in their order.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.keys()
    }
}

#[cfg(test)]
#[path = "evaluator_tests.rs"]
mod tests;
