//! What somebody demands of the access there is: personas that can, and personas that cannot.
//!
//! `can` holds when one binding or ACL gives the operation on *everything* that the target means; `cannot` when none gives
//! it on *anything* of it. Both are about the account itself: what it could do through an account that it may attach is
//! the subject of the proof of isolation.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Doubt, Evaluator, Operation, OperationSet, Permit,
    doubt::unknown,
    isolation::{names_within, owners},
    roles::{gives, gives_on_accounts},
    scene::{Answer, Member, Scene, anywhere, denied, permits},
};
use crate::model::{CrnPattern, GrantTarget, NamePattern, Principal, ResourceKind, Role};

/// Whether something must or must not be possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It must.
    Can,
    /// It must not.
    Cannot,
}

/// Personas of departments: `claims/operator`, `*/operator`, `*/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Codes of departments.
    pub department: NamePattern,
    /// Names of personas.
    pub persona: NamePattern,
}

impl Who {
    /// Whether `member` is meant.
    #[must_use]
    pub fn means(&self, member: &Member) -> bool {
        self.department.matches(member.department.as_str()) && self.persona.matches(&member.persona)
    }
}

/// What an assertion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// As in a template, seen from the persona's own department.
    Own(GrantTarget),
    /// What belongs to any other department: names that begin with its prefix, or its service accounts. Only for what
    /// must not be possible.
    Others(ResourceKind),
}

impl Target {
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
    pub expect: Expect,
    /// Who.
    pub who: Vec<Who>,
    /// On what, each with the operations on it.
    pub on: Vec<(Target, OperationSet)>,
}

/// One way in which an assertion does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Who.
    pub member: Member,
    /// The operation.
    pub operation: Operation,
    /// On what. For `cannot`, as much of it as the binding or ACL reaches.
    pub on: CrnPattern,
    /// The binding or ACL that allows it; nothing when something that must be allowed is not.
    pub through: Option<Permit>,
    /// Whether this is so only if the service refuses a role that has a fallback.
    pub by_fallback: bool,
}

/// What came of one assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many questions were asked: personas times operations times targets.
    pub questions: usize,
    /// The personas that were meant.
    pub members: usize,
    /// Why it does not hold.
    pub violations: Vec<Violation>,
    /// What could not be looked at; where it is not empty, "holds" means "as far as could be seen".
    pub doubts: BTreeSet<Doubt>,
    /// Questions whose answer would be another one if the service refused a role that has a fallback.
    pub uncertain: BTreeSet<Role>,
}

/// Checks assertions against one scene. What all of them need is looked up once.
#[derive(Debug)]
pub struct Examiner<'a> {
    scene: &'a Scene,
    prefixes: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<String, Vec<usize>>,
    /// Positions in `prefixes` and `accounts` by department.
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Examiner<'a> {
    /// Looks up whose names and accounts are whose.
    #[must_use]
    pub fn new(scene: &'a Scene) -> Self {
        let mut examiner = Self {
            scene,
            prefixes: BTreeMap::new(),
            accounts: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        for (place, party) in scene.parties.iter().enumerate() {
            let prefix = party.prefix.as_str().to_owned();
            examiner.prefixes.entry(prefix).or_default().push(place);
            for account in party.principals.iter().filter_map(Principal::service_account) {
                let id = account.as_str().to_owned();
                examiner.accounts.entry(id).or_default().push(place);
            }
            examiner.places.insert(party.code.as_str(), place);
        }
        examiner
    }

    /// Checks `assertion`.
    #[must_use]
    pub fn check(&self, assertion: &Assertion) -> Outcome {
        let mut outcome = Outcome::default();
        let of_template = |member: &&Member| assertion.template.is_none() || assertion.template == member.template;
        let meant = |member: &&Member| assertion.who.iter().any(|who| who.means(member));
        for member in self.scene.members.iter().filter(of_template).filter(meant) {
            outcome.members += 1;
            // Nothing can be asked about an account that is not there.
            let Some(principal) = &member.principal else { continue };
            for (target, operations) in &assertion.on {
                outcome.questions += operations.len();
                match assertion.expect {
                    Expect::Can => self.must(member, principal, target, *operations, &mut outcome),
                    Expect::Cannot => self.must_not(member, principal, target, *operations, &mut outcome),
                }
            }
        }
        outcome
    }

    /// The pattern of a target; nothing where the stage has no place for it.
    fn resolve(&self, member: &Member, target: &GrantTarget) -> Option<CrnPattern> {
        target.resolve(&self.scene.address, &member.prefix, |persona| {
            let member = self.scene.member(&member.department, persona)?;
            member.principal.as_ref()?.service_account().cloned()
        })
    }

    fn must(
        &self,
        member: &Member,
        principal: &Principal,
        target: &Target,
        operations: OperationSet,
        outcome: &mut Outcome,
    ) {
        let Target::Own(target) = target else { return };
        let Some(on) = self.resolve(member, target) else { return };
        for operation in operations.iter() {
            match self.scene.can(principal, operation, &on) {
                Answer::Yes(through) => {
                    let holds = |other: &Evaluator| other.decide_pattern(principal, operation, &on).is_allowed();
                    if self.scene.fallback.as_ref().is_some_and(|other| !holds(other)) {
                        outcome
                            .uncertain
                            .extend(through.role().map(|binding| binding.role.clone()));
                    }
                }
                Answer::No | Answer::Forbidden(_) => outcome.violations.push(Violation {
                    member: member.clone(),
                    operation,
                    on: on.clone(),
                    through: None,
                    by_fallback: false,
                }),
                Answer::Unknown(doubts) => outcome.doubts.extend(doubts),
            }
        }
    }

    fn must_not(
        &self,
        member: &Member,
        principal: &Principal,
        target: &Target,
        operations: OperationSet,
        outcome: &mut Outcome,
    ) {
        let on = match target {
            Target::Own(target) => self.resolve(member, target),
            Target::Others(kind) => self.all(*kind),
        };
        let Some(on) = on else { return };
        let mut found = OperationSet::EMPTY;
        let fallback = self.scene.fallback.iter().map(|evaluator| (evaluator, true));
        for (evaluator, by_fallback) in std::iter::once((&self.scene.evaluator, false)).chain(fallback) {
            for permit in permits(evaluator, principal) {
                let reached = match target {
                    Target::Own(_) => Some((on.clone(), anywhere(&permit, &on))),
                    Target::Others(kind) => self.of_others(member, &permit, *kind),
                };
                let Some((on, given)) = reached else { continue };
                outcome.doubts.extend(unknown(&permit, &on));
                let denied = denied(evaluator, principal, &on);
                let given = given.both(operations).without(denied).without(found);
                found = found.with(given);
                outcome.violations.extend(given.iter().map(|operation| Violation {
                    member: member.clone(),
                    operation,
                    on: on.clone(),
                    through: Some(permit.clone()),
                    by_fallback,
                }));
            }
        }
        outcome.doubts.extend(self.scene.unlisted(&on));
    }

    fn all(&self, kind: ResourceKind) -> Option<CrnPattern> {
        self.scene.address.pattern(kind, NamePattern::Prefixed(String::new()))
    }

    /// What of other departments `permit` reaches, and what it gives there.
    fn of_others(&self, member: &Member, permit: &Permit, kind: ResourceKind) -> Option<(CrnPattern, OperationSet)> {
        let all = self.all(kind)?;
        // To make an account is nothing that is done to those of others.
        let create = match kind {
            ResourceKind::ServiceAccount => OperationSet::of(&[Operation::Create]),
            _ => OperationSet::EMPTY,
        };
        let given = match permit {
            Permit::Role(binding) => gives(&binding.role, kind),
            Permit::Acl(acl) => acl.gives(kind),
        };
        let bound = names_within(permit.pattern(), &all).map(|names| (names, given.without(create)));
        let everywhere = match (kind, permit) {
            (ResourceKind::ServiceAccount, Permit::Role(binding)) => gives_on_accounts(&binding.role).without(create),
            _ => OperationSet::EMPTY,
        };
        let everywhere = (!everywhere.is_empty()).then(|| (NamePattern::Prefixed(String::new()), everywhere));
        let reached = bound.into_iter().chain(everywhere);
        let reached =
            reached.filter_map(|(names, given)| Some((self.belonging_to_others(member, kind, names)?, given)));
        reached.reduce(|(on, given), (_, more)| (on, given.with(more)))
    }

    /// What of `names` belongs to another department: as much of it as one of them has.
    fn belonging_to_others(&self, member: &Member, kind: ResourceKind, names: NamePattern) -> Option<CrnPattern> {
        let is_account = kind == ResourceKind::ServiceAccount;
        let owned = if is_account { &self.accounts } else { &self.prefixes };
        let own = self.places.get(member.department.as_str());
        let mut owners = owners(owned, &names, !is_account).into_iter();
        let victim = owners.find(|place| Some(place) != own)?;
        // The narrower of the two: what the binding names, or all that belongs to the other one.
        let theirs = self.scene.parties[victim].prefix.pattern();
        let common = if is_account || theirs.covers(&names) {
            names
        } else {
            theirs
        };
        self.scene.address.pattern(kind, common)
    }
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
