//! Decides whether a principal may do something, and through which role binding or ACL.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use super::{
    Operation, OperationSet,
    acl::{AclIndex, ResolvedAcl},
    index::BindingIndex,
    roles::{account_operations_of_role, operations_of_binding, operations_of_role},
};
use crate::model::{AclBinding, Crn, CrnPattern, Principal, ResourceKind, RoleBinding, StageAddress};

/// The answer to "may this principal do this here?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// Yes, through this binding.
    AllowedByRole(Arc<RoleBinding>),
    /// Yes, through this ACL; no binding gives it.
    AllowedByAcl(Arc<ResolvedAcl>),
    /// No binding and no ACL gives it.
    NotAllowed,
    /// No: this ACL denies it, whatever else allows it.
    DeniedByAcl(Arc<ResolvedAcl>),
}

impl PolicyDecision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::AllowedByRole(_) | Self::AllowedByAcl(_))
    }
}

/// Role bindings and ACLs, indexed for deciding.
///
/// Bindings only ever allow, and they add up. The order with ACLs: a DENY beats everything, then an ALLOW or a role is
/// enough (docs/reference/rbac.md#acls-and-role-bindings; docs `access-control/rbac/use-acls-with-rbac`). Whether two
/// bindings are equal is decided by all their parts, so inserting one twice changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Evaluator {
    principals: BTreeMap<Principal, BindingIndex>,
    all_bindings: BindingIndex,
    acls: AclIndex,
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
        self.all_bindings.insert(&binding);
    }

    /// Adds one ACL of the cluster at `address`. One that this program has no rule about changes nothing.
    pub fn insert_acl(&mut self, acl: AclBinding, address: &StageAddress) {
        if let Some(placed) = ResolvedAcl::new(acl, address) {
            self.acls.insert(placed);
        }
    }

    /// The same evaluator with `acls` of the cluster at `address`.
    #[must_use]
    pub fn with_acls(mut self, acls: impl IntoIterator<Item = AclBinding>, address: &StageAddress) -> Self {
        for acl in acls {
            self.insert_acl(acl, address);
        }
        self
    }

    /// Takes one binding away.
    pub fn remove(&mut self, binding: &RoleBinding) {
        if !self.all_bindings.remove(binding) {
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
        self.all_bindings.bindings().len()
    }

    /// Whether there is no binding.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all_bindings.is_empty()
    }

    /// Whether `principal` may do `operation` on `resource`; if several bindings give it, the most specific is named.
    #[must_use]
    pub fn decide(&self, principal: &Principal, operation: Operation, resource: &Crn) -> PolicyDecision {
        if let Some(acl) = self.denying_acl(principal, operation, resource) {
            return PolicyDecision::DeniedByAcl(Arc::clone(acl));
        }
        let mut decision = PolicyDecision::NotAllowed;
        if let Some(own) = self.principals.get(principal) {
            let _ = own.visit(resource, &mut |binding| {
                if operations_of_binding(binding, resource).contains(operation) {
                    decision = PolicyDecision::AllowedByRole(Arc::clone(binding));
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
        }
        match decision {
            PolicyDecision::NotAllowed => self
                .allowing_acl(principal, operation, resource)
                .map_or(PolicyDecision::NotAllowed, |acl| {
                    PolicyDecision::AllowedByAcl(Arc::clone(acl))
                }),
            decided => decided,
        }
    }

    /// The ACL that allows `operation` on `resource` to `principal`, whatever roles and denials say.
    #[must_use]
    pub fn allowing_acl(
        &self,
        principal: &Principal,
        operation: Operation,
        resource: &Crn,
    ) -> Option<&Arc<ResolvedAcl>> {
        self.acls
            .find(principal, |acl| acl.allowed_on(resource).contains(operation))
    }

    /// The ACL that denies `operation` on `resource` to `principal`.
    fn denying_acl(&self, principal: &Principal, operation: Operation, resource: &Crn) -> Option<&Arc<ResolvedAcl>> {
        self.acls
            .find(principal, |acl| acl.denied_on(resource).contains(operation))
    }

    /// Whether `principal` may do `operation` on *everything* that `pattern` covers, through one binding or ACL. Granting
    /// on a pattern is allowed to who holds `AlterAccess` on all of it.
    #[must_use]
    pub fn decide_pattern(&self, principal: &Principal, operation: Operation, pattern: &CrnPattern) -> PolicyDecision {
        // A name is an ordinary question, and has the better index.
        if let Some(resource) = pattern.literal() {
            return self.decide(principal, operation, &resource);
        }
        let kind = pattern.kind();
        let gives_it = |binding: &&Arc<RoleBinding>| {
            let covered =
                binding.pattern.covers_pattern(pattern) && operations_of_role(&binding.role, kind).contains(operation);
            let account = kind == ResourceKind::ServiceAccount
                && binding.pattern.value_of(ResourceKind::Organization) == pattern.value_of(ResourceKind::Organization)
                && account_operations_of_role(&binding.role).contains(operation);
            covered || account
        };
        let denies =
            |acl: &ResolvedAcl| acl.pattern.overlaps(pattern) && acl.denied_operations(kind).contains(operation);
        if let Some(acl) = self.acls.find(principal, denies) {
            return PolicyDecision::DeniedByAcl(Arc::clone(acl));
        }
        if let Some(binding) = self.bindings_of(principal).find(gives_it) {
            return PolicyDecision::AllowedByRole(Arc::clone(binding));
        }
        let allows =
            |acl: &ResolvedAcl| acl.pattern.covers_pattern(pattern) && acl.allowed_operations(kind).contains(operation);
        let acl = self.acls.find(principal, allows);
        acl.map_or(PolicyDecision::NotAllowed, |acl| {
            PolicyDecision::AllowedByAcl(Arc::clone(acl))
        })
    }

    /// Everything that `principal` may do on `resource`.
    #[must_use]
    pub fn allowed_operations(&self, principal: &Principal, resource: &Crn) -> OperationSet {
        let mut set = OperationSet::EMPTY;
        if let Some(own) = self.principals.get(principal) {
            let _ = own.visit(resource, &mut |binding| {
                set = set.union(operations_of_binding(binding, resource));
                ControlFlow::Continue(())
            });
        }
        let (given, taken) = self.acls.effective_operations(principal, resource);
        set.union(given).difference(taken)
    }

    /// Everybody who may do `operation` on `resource`, with every binding that gives it, in the order of principals.
    /// Whom an ACL denies it is not among them; who may through an ACL, [`Self::who_can_by_acl`] tells.
    #[must_use]
    pub fn who_can(&self, operation: Operation, resource: &Crn) -> Vec<(Principal, Arc<RoleBinding>)> {
        let mut found = BTreeSet::new();
        let _ = self.all_bindings.visit(resource, &mut |binding| {
            if operations_of_binding(binding, resource).contains(operation) {
                found.insert((binding.principal.clone(), Arc::clone(binding)));
            }
            ControlFlow::Continue(())
        });
        found.retain(|(principal, _)| self.denying_acl(principal, operation, resource).is_none());
        found.into_iter().collect()
    }

    /// Everybody who may do `operation` on `resource` through ACLs, with every one that gives it:
    /// [`EVERYBODY`](crate::model::acl::EVERYBODY) first, then in the order of principals.
    #[must_use]
    pub fn who_can_by_acl(&self, operation: Operation, resource: &Crn) -> Vec<(Principal, Arc<ResolvedAcl>)> {
        let gives = |acl: &&Arc<ResolvedAcl>| {
            acl.allowed_on(resource).contains(operation)
                && self.denying_acl(&acl.acl.principal, operation, resource).is_none()
        };
        let found = self.acls.iter().filter(gives);
        found.map(|acl| (acl.acl.principal.clone(), Arc::clone(acl))).collect()
    }

    /// Every binding that gives anything on at least one resource that `pattern` covers, with what it gives on that kind
    /// of resource: "nobody but the administrators can do anything on this prefix" is a statement about this list.
    pub fn bindings_reaching<'a>(
        &'a self,
        pattern: &'a CrnPattern,
    ) -> impl Iterator<Item = (&'a Arc<RoleBinding>, OperationSet)> {
        let kind = pattern.kind();
        self.all_bindings.bindings().iter().filter_map(move |binding| {
            // What hangs below the pattern is of another kind; what is bound on or above it counts.
            let reaches = binding.pattern.covers_pattern(pattern)
                || (binding.pattern.kind() == kind && binding.pattern.overlaps(pattern));
            let set = operations_of_role(&binding.role, kind);
            (reaches && !set.is_empty()).then_some((binding, set))
        })
    }

    /// Every ACL that gives anything on at least one resource that `pattern` covers, with what it gives, as for
    /// [`Self::touching`].
    pub fn acls_reaching<'a>(
        &'a self,
        pattern: &'a CrnPattern,
    ) -> impl Iterator<Item = (&'a Arc<ResolvedAcl>, OperationSet)> {
        self.acls.iter().filter_map(move |acl| {
            let set = acl.allowed_operations(pattern.kind());
            (acl.pattern.overlaps(pattern) && !set.is_empty()).then_some((acl, set))
        })
    }

    /// The ACLs that name `principal`. Those about everybody are about it, too, and not among them.
    pub fn acls_of(&self, principal: &Principal) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.acls.for_principal(principal)
    }

    /// The ACLs that are about everybody.
    pub fn acls_for_all_principals(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.acls.for_all_principals()
    }

    /// All ACLs: those about everybody, then in the order of principals.
    pub fn acls(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.acls.iter()
    }

    /// The bindings that `principal` holds.
    pub fn bindings_of(&self, principal: &Principal) -> impl Iterator<Item = &Arc<RoleBinding>> {
        let own = self.principals.get(principal);
        own.into_iter().flat_map(|own| own.bindings().iter())
    }

    /// Whether `principal` holds any binding at all.
    #[must_use]
    pub fn has_bindings(&self, principal: &Principal) -> bool {
        self.principals.contains_key(principal)
    }

    /// All bindings, in their order.
    pub fn bindings(&self) -> impl Iterator<Item = &Arc<RoleBinding>> {
        self.all_bindings.bindings().iter()
    }

    /// Everybody who holds a binding, in their order.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.keys()
    }

    /// Everybody who is named in an ACL, in their order; `User:*` is not among them.
    pub fn acl_principals(&self) -> impl Iterator<Item = &Principal> {
        self.acls.principals()
    }
}

#[cfg(test)]
#[path = "evaluator_tests.rs"]
mod tests;
