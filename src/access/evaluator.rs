//! Evaluator: decides whether role bindings and ACLs allow a principal an operation, and which of them does.

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

/// Decision of the evaluator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// Allowed by this role binding.
    AllowedByRole(Arc<RoleBinding>),
    /// Allowed by this ACL and by no role binding.
    AllowedByAcl(Arc<ResolvedAcl>),
    /// Not allowed by any role binding or ACL.
    NotAllowed,
    /// Denied by this ACL, which overrides all grants.
    DeniedByAcl(Arc<ResolvedAcl>),
}

impl PolicyDecision {
    /// Whether the operation is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::AllowedByRole(_) | Self::AllowedByAcl(_))
    }
}

/// Indexed role bindings and ACLs.
///
/// Role bindings only allow, and they accumulate. A DENY overrides everything; otherwise an ALLOW or a role is enough
/// (docs/reference/rbac.md#acls-and-role-bindings; docs `access-control/rbac/use-acls-with-rbac`). Bindings with equal
/// fields are one binding, so inserting one twice has no effect.
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

    /// Adds a role binding.
    pub fn insert(&mut self, binding: RoleBinding) {
        let binding = Arc::new(binding);
        let own = self.principals.entry(binding.principal.clone()).or_default();
        own.insert(&binding);
        self.all_bindings.insert(&binding);
    }

    /// Adds an ACL of the cluster at `address`. ACLs of unknown resource types are ignored.
    pub fn insert_acl(&mut self, acl: AclBinding, address: &StageAddress) {
        if let Some(placed) = ResolvedAcl::new(acl, address) {
            self.acls.insert(placed);
        }
    }

    /// Returns the evaluator with `acls` of the cluster at `address` added.
    #[must_use]
    pub fn with_acls(mut self, acls: impl IntoIterator<Item = AclBinding>, address: &StageAddress) -> Self {
        for acl in acls {
            self.insert_acl(acl, address);
        }
        self
    }

    /// Removes a role binding.
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

    /// Returns the number of role bindings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all_bindings.bindings().len()
    }

    /// Whether there are no role bindings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all_bindings.is_empty()
    }

    /// Decides whether `principal` is allowed `operation` on `resource`. If several role bindings allow it, the
    /// decision names the most specific one.
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

    /// Returns the ACL that allows `principal` `operation` on `resource`, regardless of roles and DENY ACLs.
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

    /// Returns the ACL that denies `principal` `operation` on `resource`.
    fn denying_acl(&self, principal: &Principal, operation: Operation, resource: &Crn) -> Option<&Arc<ResolvedAcl>> {
        self.acls
            .find(principal, |acl| acl.denied_on(resource).contains(operation))
    }

    /// Decides whether one role binding or ACL allows `principal` `operation` on *all* resources that `pattern` covers.
    /// To bind roles on a pattern, a principal needs `AlterAccess` on all of it.
    #[must_use]
    pub fn decide_pattern(&self, principal: &Principal, operation: Operation, pattern: &CrnPattern) -> PolicyDecision {
        // A literal name has the faster index.
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

    /// Returns all operations that `principal` is allowed on `resource`.
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

    /// Returns all principals that role bindings allow `operation` on `resource`, with each of these bindings, ordered
    /// by principal. Principals denied by an ACL are omitted. [`Self::who_can_by_acl`] returns access through ACLs.
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

    /// Returns all principals that ACLs allow `operation` on `resource`, with each of these ACLs:
    /// [`ALL_PRINCIPALS`](crate::model::acl::ALL_PRINCIPALS) first, then ordered by principal.
    #[must_use]
    pub fn who_can_by_acl(&self, operation: Operation, resource: &Crn) -> Vec<(Principal, Arc<ResolvedAcl>)> {
        let gives = |acl: &&Arc<ResolvedAcl>| {
            acl.allowed_on(resource).contains(operation)
                && self.denying_acl(&acl.acl.principal, operation, resource).is_none()
        };
        let found = self.acls.iter().filter(gives);
        found.map(|acl| (acl.acl.principal.clone(), Arc::clone(acl))).collect()
    }

    /// Returns all role bindings that allow any operation on at least one resource that `pattern` covers, with the
    /// operations on that kind of resource. Used to prove that only administrators have access to a prefix.
    pub fn bindings_reaching<'a>(
        &'a self,
        pattern: &'a CrnPattern,
    ) -> impl Iterator<Item = (&'a Arc<RoleBinding>, OperationSet)> {
        let kind = pattern.kind();
        self.all_bindings.bindings().iter().filter_map(move |binding| {
            // Descendants of the pattern have another kind; bindings on or above the pattern count.
            let reaches = binding.pattern.covers_pattern(pattern)
                || (binding.pattern.kind() == kind && binding.pattern.overlaps(pattern));
            let set = operations_of_role(&binding.role, kind);
            (reaches && !set.is_empty()).then_some((binding, set))
        })
    }

    /// Returns all ACLs that allow any operation on at least one resource that `pattern` covers, with the operations,
    /// like [`Self::bindings_reaching`].
    pub fn acls_reaching<'a>(
        &'a self,
        pattern: &'a CrnPattern,
    ) -> impl Iterator<Item = (&'a Arc<ResolvedAcl>, OperationSet)> {
        self.acls.iter().filter_map(move |acl| {
            let set = acl.allowed_operations(pattern.kind());
            (acl.pattern.overlaps(pattern) && !set.is_empty()).then_some((acl, set))
        })
    }

    /// Returns the ACLs that name `principal`, without those of the wildcard principal.
    pub fn acls_of(&self, principal: &Principal) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.acls.for_principal(principal)
    }

    /// Returns the ACLs of the wildcard principal.
    pub fn acls_for_all_principals(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.acls.for_all_principals()
    }

    /// Returns all ACLs: those of the wildcard principal first, then ordered by principal.
    pub fn acls(&self) -> impl Iterator<Item = &Arc<ResolvedAcl>> {
        self.acls.iter()
    }

    /// Returns the role bindings of `principal`.
    pub fn bindings_of(&self, principal: &Principal) -> impl Iterator<Item = &Arc<RoleBinding>> {
        let own = self.principals.get(principal);
        own.into_iter().flat_map(|own| own.bindings().iter())
    }

    /// Whether `principal` holds at least one role binding.
    #[must_use]
    pub fn has_bindings(&self, principal: &Principal) -> bool {
        self.principals.contains_key(principal)
    }

    /// Returns all role bindings in their sort order.
    pub fn bindings(&self) -> impl Iterator<Item = &Arc<RoleBinding>> {
        self.all_bindings.bindings().iter()
    }

    /// Returns all principals that hold a role binding, in their sort order.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.keys()
    }

    /// Returns all principals named in ACLs, in their sort order, without `User:*`.
    pub fn acl_principals(&self) -> impl Iterator<Item = &Principal> {
        self.acls.principals()
    }
}

#[cfg(test)]
#[path = "evaluator_tests.rs"]
mod tests;
