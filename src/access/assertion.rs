//! Access assertions: operations that personas must or must not be allowed.
//!
//! `can` holds if one role binding or ACL allows the operation on *all* resources of the target, `cannot` if none
//! allows it on *any* of them. Both check the account itself; access through other accounts that it may assign to
//! connectors is part of the isolation check.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AccessGrant, Evaluator, Operation, OperationSet, Uncertainty,
    access_model::{AccessDecision, AccessModel, PersonaAccount, denied_operations, grants_of, operations_on_any},
    isolation::{find_owners, names_within},
    roles::{account_operations_of_role, operations_of_role},
    uncertainty::unknown_effect,
};
use crate::model::{CrnPattern, GrantTarget, NamePattern, Principal, ResourceKind, Role};

/// Expected result of an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The operation must be allowed.
    Can,
    /// The operation must not be allowed.
    Cannot,
}

/// Pattern for personas of departments: `claims/operator`, `*/operator`, `*/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonaPattern {
    /// Pattern for department codes.
    pub department: NamePattern,
    /// Pattern for persona names.
    pub persona: NamePattern,
}

impl PersonaPattern {
    /// Whether the pattern matches `member`.
    #[must_use]
    pub fn matches(&self, member: &PersonaAccount) -> bool {
        self.department.matches(member.department.as_str()) && self.persona.matches(&member.persona)
    }
}

/// Target of an assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssertionTarget {
    /// A grant target, resolved for the persona's own department.
    Own(GrantTarget),
    /// Resources of all other departments: names with their prefixes, or their service accounts. Valid only with
    /// [`Expectation::Cannot`].
    Others(ResourceKind),
}

impl AssertionTarget {
    /// Returns the resource kind.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Own(target) => target.kind(),
            Self::Others(kind) => *kind,
        }
    }
}

/// An access assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Template whose departments are checked; `None` for all departments.
    pub template: Option<String>,
    /// Whether the personas must be allowed the operations, or must not.
    pub expect: Expectation,
    /// Personas to check.
    pub personas: Vec<PersonaPattern>,
    /// Targets with the operations on each.
    pub targets: Vec<(AssertionTarget, OperationSet)>,
}

/// A violation of an assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Persona that violates the assertion.
    pub persona_account: PersonaAccount,
    /// Operation on the resource, such as reading or deleting it.
    pub operation: Operation,
    /// Resource pattern. For `cannot`, the part that the role binding or ACL covers.
    pub on: CrnPattern,
    /// Role binding or ACL that allows the operation; `None` if a required operation is not allowed.
    pub granted_by: Option<AccessGrant>,
    /// Whether the violation occurs only if the API rejects a role that has a fallback.
    pub by_fallback: bool,
}

/// Result of one assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssertionOutcome {
    /// Number of checks: personas times operations times targets.
    pub questions: usize,
    /// Number of matching personas.
    pub personas: usize,
    /// Violations of the assertion; empty if it holds for all visible grants.
    pub violations: Vec<Violation>,
    /// Gaps in the source; if there are any, "no violation" applies to the visible grants only.
    pub uncertainties: BTreeSet<Uncertainty>,
    /// Roles with a fallback on which the result depends.
    pub fallback_roles: BTreeSet<Role>,
}

/// Checks assertions against one access model. The constructor builds the shared indexes.
#[derive(Debug)]
pub struct AssertionChecker<'a> {
    model: &'a AccessModel,
    prefixes: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<String, Vec<usize>>,
    /// Indexes in `prefixes` and `accounts` by department.
    department_indexes: BTreeMap<&'a str, usize>,
}

impl<'a> AssertionChecker<'a> {
    /// Indexes the prefixes and accounts of all departments.
    #[must_use]
    pub fn new(model: &'a AccessModel) -> Self {
        let mut checker = Self {
            model,
            prefixes: BTreeMap::new(),
            accounts: BTreeMap::new(),
            department_indexes: BTreeMap::new(),
        };
        for (place, party) in model.departments.iter().enumerate() {
            let prefix = party.prefix.as_str().to_owned();
            checker.prefixes.entry(prefix).or_default().push(place);
            for account in party.principals.iter().filter_map(Principal::service_account) {
                let id = account.as_str().to_owned();
                checker.accounts.entry(id).or_default().push(place);
            }
            checker.department_indexes.insert(party.code.as_str(), place);
        }
        checker
    }

    /// Checks `assertion` for all matching personas, operations and targets.
    #[must_use]
    pub fn check(&self, assertion: &Assertion) -> AssertionOutcome {
        let mut outcome = AssertionOutcome::default();
        let of_template =
            |member: &&PersonaAccount| assertion.template.is_none() || assertion.template == member.template;
        let meant = |member: &&PersonaAccount| assertion.personas.iter().any(|who| who.matches(member));
        for member in self.model.personas.iter().filter(of_template).filter(meant) {
            outcome.personas += 1;
            // An account that does not exist has no access to check.
            let Some(principal) = &member.principal else { continue };
            for (target, operations) in &assertion.targets {
                outcome.questions += operations.len();
                match assertion.expect {
                    Expectation::Can => self.check_can(member, principal, target, *operations, &mut outcome),
                    Expectation::Cannot => self.check_cannot(member, principal, target, *operations, &mut outcome),
                }
            }
        }
        outcome
    }

    /// Resolves a target; `None` if the stage lacks the parent resource.
    fn resolve(&self, member: &PersonaAccount, target: &GrantTarget) -> Option<CrnPattern> {
        target.resolve(&self.model.address, &member.prefix, |persona| {
            let member = self.model.persona(&member.department, persona)?;
            member.principal.as_ref()?.service_account().cloned()
        })
    }

    fn check_can(
        &self,
        member: &PersonaAccount,
        principal: &Principal,
        target: &AssertionTarget,
        operations: OperationSet,
        outcome: &mut AssertionOutcome,
    ) {
        let AssertionTarget::Own(target) = target else { return };
        let Some(on) = self.resolve(member, target) else { return };
        for operation in operations.iter() {
            match self.model.can(principal, operation, &on) {
                AccessDecision::Allowed(through) => {
                    let holds = |other: &Evaluator| other.decide_pattern(principal, operation, &on).is_allowed();
                    if self
                        .model
                        .fallback_evaluator
                        .as_ref()
                        .is_some_and(|other| !holds(other))
                    {
                        outcome
                            .fallback_roles
                            .extend(through.role_binding().map(|binding| binding.role.clone()));
                    }
                }
                AccessDecision::NotAllowed | AccessDecision::Denied(_) => outcome.violations.push(Violation {
                    persona_account: member.clone(),
                    operation,
                    on: on.clone(),
                    granted_by: None,
                    by_fallback: false,
                }),
                AccessDecision::Unknown(doubts) => outcome.uncertainties.extend(doubts),
            }
        }
    }

    fn check_cannot(
        &self,
        member: &PersonaAccount,
        principal: &Principal,
        target: &AssertionTarget,
        operations: OperationSet,
        outcome: &mut AssertionOutcome,
    ) {
        let on = match target {
            AssertionTarget::Own(target) => self.resolve(member, target),
            AssertionTarget::Others(kind) => self.all_of_kind(*kind),
        };
        let Some(on) = on else { return };
        let mut found = OperationSet::EMPTY;
        let fallback = self.model.fallback_evaluator.iter().map(|evaluator| (evaluator, true));
        for (evaluator, by_fallback) in std::iter::once((&self.model.evaluator, false)).chain(fallback) {
            for grant in grants_of(evaluator, principal) {
                let reached = match target {
                    AssertionTarget::Own(_) => Some((on.clone(), operations_on_any(&grant, &on))),
                    AssertionTarget::Others(kind) => self.reach_into_other_departments(member, &grant, *kind),
                };
                let Some((on, given)) = reached else { continue };
                outcome.uncertainties.extend(unknown_effect(&grant, &on));
                let denied = denied_operations(evaluator, principal, &on);
                let given = given.intersection(operations).difference(denied).difference(found);
                found = found.union(given);
                outcome.violations.extend(given.iter().map(|operation| Violation {
                    persona_account: member.clone(),
                    operation,
                    on: on.clone(),
                    granted_by: Some(grant.clone()),
                    by_fallback,
                }));
            }
        }
        outcome.uncertainties.extend(self.model.visibility_gaps(&on));
    }

    fn all_of_kind(&self, kind: ResourceKind) -> Option<CrnPattern> {
        self.model.address.pattern(kind, NamePattern::Prefixed(String::new()))
    }

    /// Returns the resources of other departments that `grant` covers, and the operations it allows on them.
    fn reach_into_other_departments(
        &self,
        member: &PersonaAccount,
        grant: &AccessGrant,
        kind: ResourceKind,
    ) -> Option<(CrnPattern, OperationSet)> {
        let all = self.all_of_kind(kind)?;
        // Creating an account does not affect existing accounts of other departments.
        let create = match kind {
            ResourceKind::ServiceAccount => OperationSet::new(&[Operation::Create]),
            _ => OperationSet::EMPTY,
        };
        let given = match grant {
            AccessGrant::Role(binding) => operations_of_role(&binding.role, kind),
            AccessGrant::Acl(acl) => acl.allowed_operations(kind),
        };
        let bound = names_within(grant.pattern(), &all).map(|names| (names, given.difference(create)));
        let everywhere = match (kind, grant) {
            (ResourceKind::ServiceAccount, AccessGrant::Role(binding)) => {
                account_operations_of_role(&binding.role).difference(create)
            }
            _ => OperationSet::EMPTY,
        };
        let everywhere = (!everywhere.is_empty()).then(|| (NamePattern::Prefixed(String::new()), everywhere));
        let reached = bound.into_iter().chain(everywhere);
        let reached = reached.filter_map(|(names, given)| Some((self.foreign_pattern(member, kind, names)?, given)));
        reached.reduce(|(on, given), (_, more)| (on, given.union(more)))
    }

    /// Returns the part of `names` that belongs to another department.
    fn foreign_pattern(&self, member: &PersonaAccount, kind: ResourceKind, names: NamePattern) -> Option<CrnPattern> {
        let is_account = kind == ResourceKind::ServiceAccount;
        let owned = if is_account { &self.accounts } else { &self.prefixes };
        let own = self.department_indexes.get(member.department.as_str());
        let mut owners = find_owners(owned, &names, !is_account).into_iter();
        let victim = owners.find(|place| Some(place) != own)?;
        // Report the narrower pattern: that of the grant, or all names of the other department.
        let theirs = self.model.departments[victim].prefix.pattern();
        let common = if is_account || theirs.covers(&names) {
            names
        } else {
            theirs
        };
        self.model.address.pattern(kind, common)
    }
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
