//! What somebody demands of the access there is: personas that can, and personas that cannot.
//!
//! `can` holds when one binding or ACL gives the operation on *everything* that the target means; `cannot` when none gives
//! it on *anything* of it. Both are about the account itself: what it could do through an account that it may attach is
//! the subject of the proof of isolation.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AccessGrant, Evaluator, Operation, OperationSet, Uncertainty,
    access_model::{AccessDecision, AccessModel, PersonaAccount, denied_operations, grants_of, operations_on_any},
    isolation::{find_owners, names_within},
    roles::{account_operations_of_role, operations_of_role},
    uncertainty::unknown_effect,
};
use crate::model::{CrnPattern, GrantTarget, NamePattern, Principal, ResourceKind, Role};

/// Whether something must or must not be possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It must.
    Can,
    /// It must not.
    Cannot,
}

/// Personas of departments: `claims/operator`, `*/operator`, `*/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonaPattern {
    /// Codes of departments.
    pub department: NamePattern,
    /// Names of personas.
    pub persona: NamePattern,
}

impl PersonaPattern {
    /// Whether `member` is meant.
    #[must_use]
    pub fn matches(&self, member: &PersonaAccount) -> bool {
        self.department.matches(member.department.as_str()) && self.persona.matches(&member.persona)
    }
}

/// What an assertion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssertionTarget {
    /// As in a template, seen from the persona's own department.
    Own(GrantTarget),
    /// What belongs to any other department: names that begin with its prefix, or its service accounts. Only for what
    /// must not be possible.
    Others(ResourceKind),
}

impl AssertionTarget {
    /// The kind of resource.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Own(target) => target.kind(),
            Self::Others(kind) => *kind,
        }
    }
}

/// One demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Only departments of this template are meant.
    pub template: Option<String>,
    /// Must or must not.
    pub expect: Expectation,
    /// Who.
    pub personas: Vec<PersonaPattern>,
    /// On what, each with the operations on it.
    pub targets: Vec<(AssertionTarget, OperationSet)>,
}

/// One way in which an assertion does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Who.
    pub persona_account: PersonaAccount,
    /// The operation.
    pub operation: Operation,
    /// On what. For `cannot`, as much of it as the binding or ACL reaches.
    pub on: CrnPattern,
    /// The binding or ACL that allows it; nothing when something that must be allowed is not.
    pub granted_by: Option<AccessGrant>,
    /// Whether this is so only if the service refuses a role that has a fallback.
    pub by_fallback: bool,
}

/// What came of one assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssertionOutcome {
    /// How many questions were asked: personas times operations times targets.
    pub questions: usize,
    /// The personas that were meant.
    pub personas: usize,
    /// Why it does not hold.
    pub violations: Vec<Violation>,
    /// What could not be looked at; where it is not empty, "holds" means "as far as could be seen".
    pub uncertainties: BTreeSet<Uncertainty>,
    /// Questions whose answer would be another one if the service refused a role that has a fallback.
    pub fallback_roles: BTreeSet<Role>,
}

/// Checks assertions against one scene. What all of them need is looked up once.
#[derive(Debug)]
pub struct AssertionChecker<'a> {
    model: &'a AccessModel,
    prefixes: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<String, Vec<usize>>,
    /// Positions in `prefixes` and `accounts` by department.
    department_indexes: BTreeMap<&'a str, usize>,
}

impl<'a> AssertionChecker<'a> {
    /// Looks up whose names and accounts are whose.
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

    /// Checks `assertion`.
    #[must_use]
    pub fn check(&self, assertion: &Assertion) -> AssertionOutcome {
        let mut outcome = AssertionOutcome::default();
        let of_template =
            |member: &&PersonaAccount| assertion.template.is_none() || assertion.template == member.template;
        let meant = |member: &&PersonaAccount| assertion.personas.iter().any(|who| who.matches(member));
        for member in self.model.personas.iter().filter(of_template).filter(meant) {
            outcome.personas += 1;
            // Nothing can be asked about an account that is not there.
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

    /// The pattern of a target; nothing where the stage has no place for it.
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

    /// What of other departments `permit` reaches, and what it gives there.
    fn reach_into_other_departments(
        &self,
        member: &PersonaAccount,
        grant: &AccessGrant,
        kind: ResourceKind,
    ) -> Option<(CrnPattern, OperationSet)> {
        let all = self.all_of_kind(kind)?;
        // To make an account is nothing that is done to those of others.
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

    /// What of `names` belongs to another department: as much of it as one of them has.
    fn foreign_pattern(&self, member: &PersonaAccount, kind: ResourceKind, names: NamePattern) -> Option<CrnPattern> {
        let is_account = kind == ResourceKind::ServiceAccount;
        let owned = if is_account { &self.accounts } else { &self.prefixes };
        let own = self.department_indexes.get(member.department.as_str());
        let mut owners = find_owners(owned, &names, !is_account).into_iter();
        let victim = owners.find(|place| Some(place) != own)?;
        // The narrower of the two: what the binding names, or all that belongs to the other one.
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
