//! The isolation proof: no principal of one department can do anything to what belongs to another.
//!
//! What belongs to a department at an address: every topic, group, transactional id, subject and connector whose name
//! begins with its prefix, and its service accounts. Proved for all ordered pairs of departments and all operations at
//! once, because each binding is looked at one time only, against all prefixes:
//!
//! 1. **Reach**: the names a right covers are looked up among the sorted prefixes. A hit on a foreign one is a
//!    counter-example.
//! 2. **Control**: an account that a department may attach, own or make keys for acts for that department, so its
//!    bindings count as the department's, over any number of steps.
//! 3. **Overlap**: two departments may not hold a right on a common name anywhere, whoever that name belongs to. One
//!    sweep over the sorted patterns finds it ([`overlap`](super::overlap)). The exception is a closed list,
//!    [`EXPOSURES`], and within it only what [`tolerated`] says.
//!
//! Role bindings and ACLs count alike; an ACL for everybody acts for every department. A denial is not relied on: what
//! it takes away counts as if it were there. Not part of the statement: what the service shows to everybody (dossier
//! `rbac.md` §1.7), and *new* service accounts, which every ResourceOwner can make (T4); who they are is part of the
//! answer. A role or an operation without a rule counts as if it gave everything.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::Serialize;

pub use super::exposure::{EXPOSURES, exposure, tolerated};
use super::{
    Evaluator, Operation, OperationSet, Permit, acl::PlacedAcl, index::beginnings, overlap, permit::worst_of_role,
    roles::gives_on_accounts,
};
use crate::model::{
    Address, CrnPattern, DepartmentCode, NamePattern, Prefix, Principal, ResourceKind, RoleBinding, ServiceAccountId,
};

/// One department, as far as the proof is concerned.
#[derive(Clone, Debug)]
pub struct Party {
    /// Its code.
    pub code: DepartmentCode,
    /// What its names begin with.
    pub prefix: Prefix,
    /// Who acts for it: its service accounts, and people if it has any.
    pub principals: BTreeSet<Principal>,
}

/// The kinds of resources that belong to a department by their names.
pub const NAMED_KINDS: [ResourceKind; 5] = [
    ResourceKind::Connector,
    ResourceKind::Topic,
    ResourceKind::Group,
    ResourceKind::TransactionalId,
    ResourceKind::Subject,
];

/// The result.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Isolation {
    /// It holds.
    Proved(Proof),
    /// It does not, and here is why.
    Refuted {
        /// At least one; each names everything it takes to see the problem.
        counter_examples: Vec<CounterExample>,
        /// What was looked at.
        #[serde(flatten)]
        proof: Proof,
    },
}

impl Isolation {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        matches!(self, Self::Proved(_))
    }
}

/// What was looked at, and what is shared all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Ordered pairs of departments.
    pub pairs: usize,
    /// Role bindings that act for a department.
    pub bindings: usize,
    /// ACLs that act for a department.
    pub acls: usize,
    /// Kinds of resources, service accounts included.
    pub kinds: usize,
    /// Named exposures that at least two departments share.
    pub exposures: Vec<Exposure>,
    /// Principals of departments that may make new service accounts (T4). Whoever may also owns what it makes.
    pub account_makers: BTreeSet<Principal>,
}

/// A shared beginning of names from the closed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The kind of resource.
    pub kind: ResourceKind,
    /// What the names begin with.
    pub begins: &'static str,
    /// How many departments are bound within it.
    pub departments: usize,
}

/// Why isolation does not hold: `principal`, acting for `department`, may do `operations` on `resource` through `binding`.
/// An ACL for everybody has `User:*` as its principal, and acts for one department as for all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CounterExample {
    /// Whose principal it is.
    pub department: DepartmentCode,
    /// Who holds the binding.
    pub principal: Principal,
    /// The binding that makes `principal` act for the department, when it is not one of its own principals.
    pub controlled_through: Option<RoleBinding>,
    /// What it may do there. Empty for a role without a rule: unknown, so anything.
    #[serde(serialize_with = "operations_or_unknown")]
    pub operations: Vec<Operation>,
    /// On what.
    pub resource: CrnPattern,
    /// The department it belongs to, or that is bound on it, too.
    pub reaches: DepartmentCode,
    /// How many more departments the same binding reaches in the same way.
    pub and_more: usize,
    /// The role binding, or the ACL.
    pub binding: Permit,
}

impl CounterExample {
    /// It in a sentence, in which the principal is called `name`.
    #[must_use]
    pub fn sentence(&self, name: &str) -> String {
        let more = match self.and_more {
            0 => String::new(),
            1 => " and of 1 more department".to_owned(),
            count => format!(" and of {count} more departments"),
        };
        let who = match &self.binding {
            Permit::Acl(acl) if acl.acl.is_for_everybody() => "everybody".to_owned(),
            _ => format!("{name} of {}", self.department),
        };
        let (what, through) = (self.resource.short(), self.binding.short());
        format!("{who} reaches {what} of {}{more} through {through}", self.reaches)
    }
}

fn operations_or_unknown<S: serde::Serializer>(operations: &[Operation], serializer: S) -> Result<S::Ok, S::Error> {
    if operations.is_empty() {
        serializer.collect_seq(["unknown"])
    } else {
        serializer.collect_seq(operations)
    }
}

/// A right that acts for a department.
#[derive(Clone, Debug)]
pub(super) struct Acting {
    /// Position of the department in the list of parties.
    pub(super) party: usize,
    pub(super) held: Permit,
    pub(super) through: Option<Arc<RoleBinding>>,
    /// What it gives on what it is bound on; `None` for nothing, an empty set when nobody can know.
    pub(super) operations: Option<OperationSet>,
}

impl Acting {
    fn new(party: usize, held: Permit, through: Option<Arc<RoleBinding>>) -> Self {
        let operations = held.worst(held.pattern().kind());
        Self {
            party,
            held,
            through,
            operations,
        }
    }

    /// Whether it gives more than everybody may have within an exposure.
    pub(super) fn takes_more(&self) -> bool {
        let shared = tolerated(self.held.pattern().kind());
        self.operations
            .is_some_and(|set| set.is_empty() || !set.without(shared).is_empty())
    }
}

/// Proves that no department reaches another, or shows how one does. The answer does not depend on the order of
/// anything; the cost grows with the number of bindings, times the logarithm of the number of departments.
#[must_use]
pub fn prove(parties: &[Party], evaluator: &Evaluator, address: &Address) -> Isolation {
    let ground = Ground::new(parties, address);
    let acting = ground.acting(evaluator);
    let mut counter_examples = BTreeSet::new();
    let mut account_makers = BTreeSet::new();
    for one in &acting {
        if on_accounts(&one.held).contains(Operation::Create) {
            account_makers.insert(one.held.principal().clone());
        }
        ground.reach(one, &mut |example| {
            counter_examples.insert(example);
        });
    }
    let swept = overlap::sweep(&acting);
    // What lies on a department's own ground was found as the other's reach, which says better who is at fault.
    for pair in swept.overlaps.iter().filter(|pair| !ground.is_own(&pair.one)) {
        counter_examples.insert(ground.example(&pair.one, pair.one.held.pattern().clone(), pair.other_party, 0));
    }
    let departments = parties.len();
    let bindings = acting.iter().filter(|one| one.held.role().is_some()).count();
    let proof = Proof {
        pairs: departments * departments.saturating_sub(1),
        bindings,
        acls: acting.len() - bindings,
        kinds: NAMED_KINDS.len() + 1,
        exposures: swept.exposures,
        account_makers,
    };
    if counter_examples.is_empty() {
        return Isolation::Proved(proof);
    }
    Isolation::Refuted {
        counter_examples: counter_examples.into_iter().collect(),
        proof,
    }
}

/// Who owns which names and accounts.
struct Ground<'a> {
    parties: &'a [Party],
    address: &'a Address,
    /// Sorted prefixes; several parties under one prefix are a mistake, and found.
    prefixes: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<String, Vec<usize>>,
    /// For each kind at this address, all names of it.
    all: Vec<CrnPattern>,
    all_accounts: Option<CrnPattern>,
}

impl<'a> Ground<'a> {
    fn new(parties: &'a [Party], address: &'a Address) -> Self {
        let mut prefixes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut accounts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (party, department) in parties.iter().enumerate() {
            let prefix = department.prefix.as_str().to_owned();
            prefixes.entry(prefix).or_default().push(party);
            for account in department.principals.iter().filter_map(Principal::service_account) {
                accounts.entry(account.as_str().to_owned()).or_default().push(party);
            }
        }
        let every = || NamePattern::Prefixed(String::new());
        let all = NAMED_KINDS
            .into_iter()
            .filter_map(|kind| address.pattern(kind, every()));
        Self {
            parties,
            address,
            prefixes,
            accounts,
            all: all.collect(),
            all_accounts: address.pattern(ResourceKind::ServiceAccount, every()),
        }
    }

    /// Every right that acts for a department: those of its principals, those of the accounts they control, and those of
    /// everybody.
    fn acting(&self, evaluator: &Evaluator) -> Vec<Acting> {
        let mut acting = Vec::new();
        for (party, department) in self.parties.iter().enumerate() {
            let mut seen: BTreeSet<Principal> = department.principals.clone();
            let mut queue: VecDeque<_> = seen.iter().map(|principal| (principal.clone(), None)).collect();
            while let Some((principal, through)) = queue.pop_front() {
                for binding in evaluator.bindings_of(&principal) {
                    for account in controlled(binding, evaluator) {
                        // An account of another department is a counter-example by itself; what it may do adds nothing.
                        let foreign = self.accounts.get(account.as_str());
                        let foreign = foreign.is_some_and(|parties| !parties.contains(&party));
                        let account = Principal::from(account);
                        if !foreign && seen.insert(account.clone()) {
                            queue.push_back((account, Some(Arc::clone(binding))));
                        }
                    }
                    acting.push(Acting::new(party, Permit::Role(Arc::clone(binding)), through.clone()));
                }
                let acls = evaluator.acls_of(&principal);
                acting.extend(acls.map(|acl| Acting::new(party, Permit::Acl(Arc::clone(acl)), through.clone())));
            }
        }
        for acl in evaluator.acls_of_everybody() {
            let act = |party| Acting::new(party, Permit::Acl(Arc::clone(acl)), None);
            acting.extend(self.actors(acl).into_iter().map(act));
        }
        acting
    }

    /// The departments for which an ACL for everybody is shown to act. Two are enough to find whom it reaches; only
    /// where it is an exposure, how many it exposes is told.
    fn actors(&self, acl: &PlacedAcl) -> Vec<usize> {
        let mut all: Vec<_> = (0..self.parties.len()).collect();
        if exposure(acl.place.kind(), acl.place.name()).is_none() {
            all.sort_by_key(|&party| &self.parties[party].code);
            all.truncate(2);
        }
        all
    }

    /// Whether `one` is bound on names or accounts of its own department.
    fn is_own(&self, one: &Acting) -> bool {
        let pattern = one.held.pattern();
        let name = pattern.name();
        let here = |all: &CrnPattern| all.kind() == pattern.kind() && all.covers_pattern(pattern);
        let named = self.parties[one.party].prefix.pattern().covers(name) && self.all.iter().any(here);
        let account =
            matches!(name, NamePattern::Literal(id) if self.accounts.get(id).is_some_and(|own| own == &[one.party]));
        named || (account && self.all_accounts.as_ref().is_some_and(here))
    }

    /// Shows what of others `one` reaches.
    fn reach(&self, one: &Acting, show: &mut impl FnMut(CounterExample)) {
        let pattern = one.held.pattern();
        for all in &self.all {
            let operations = one.held.worst(all.kind());
            if operations.is_none() {
                continue;
            }
            let Some(names) = names_within(pattern, all) else {
                continue;
            };
            let one = Acting {
                operations,
                ..one.clone()
            };
            self.show_owners(&one, &owners(&self.prefixes, &names, true), all, &names, show);
        }
        let Some(all) = &self.all_accounts else { return };
        // A new account is nobody's yet: T4, reported on its own.
        let create = OperationSet::of(&[Operation::Create]);
        let everywhere = on_accounts(&one.held).without(create);
        let covered = names_within(pattern, all).zip(one.held.worst(ResourceKind::ServiceAccount));
        let reached = [
            covered,
            (!everywhere.is_empty()).then(|| (NamePattern::Prefixed(String::new()), everywhere)),
        ];
        for (names, operations) in reached.into_iter().flatten() {
            let one = Acting {
                operations: Some(operations.without(create)),
                ..one.clone()
            };
            self.show_owners(&one, &owners(&self.accounts, &names, false), all, &names, show);
        }
    }

    fn show_owners(
        &self,
        one: &Acting,
        owners: &BTreeSet<usize>,
        all: &CrnPattern,
        names: &NamePattern,
        show: &mut impl FnMut(CounterExample),
    ) {
        let mut foreign = owners.iter().filter(|&&party| party != one.party);
        let Some(&victim) = foreign.next() else { return };
        // The narrower of the two: what the binding names, or all that begins with the victim's prefix.
        let owned = match all.kind() {
            ResourceKind::ServiceAccount => names.clone(),
            _ => self.parties[victim].prefix.pattern(),
        };
        let common = if owned.covers(names) { names.clone() } else { owned };
        let resource = self.address.pattern(all.kind(), common).unwrap_or_else(|| all.clone());
        show(self.example(one, resource, victim, foreign.count()));
    }

    fn example(&self, one: &Acting, resource: CrnPattern, victim: usize, and_more: usize) -> CounterExample {
        CounterExample {
            department: self.parties[one.party].code.clone(),
            principal: one.held.principal().clone(),
            controlled_through: one.through.as_deref().cloned(),
            operations: one.operations.unwrap_or_default().iter().collect(),
            resource,
            reaches: self.parties[victim].code.clone(),
            and_more,
            binding: one.held.clone(),
        }
    }
}

/// What `held` gives on every service account of the organization, wherever it is bound.
fn on_accounts(held: &Permit) -> OperationSet {
    held.role()
        .map_or(OperationSet::EMPTY, |binding| gives_on_accounts(&binding.role))
}

/// The names of the kind of `all` that `pattern` reaches; `None` when it reaches none.
pub(super) fn names_within(pattern: &CrnPattern, all: &CrnPattern) -> Option<NamePattern> {
    if all.covers_pattern(pattern) && pattern.kind() == all.kind() {
        Some(pattern.name().clone())
    } else if pattern.covers_pattern(all) {
        Some(NamePattern::Prefixed(String::new()))
    } else {
        None
    }
}

/// Whose names `names` reaches: the owners of keys that it lies in (`begins`), and of keys that lie in it.
pub(super) fn owners(owned: &BTreeMap<String, Vec<usize>>, names: &NamePattern, begins: bool) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let stem = names.stem();
    if begins {
        found.extend(beginnings(owned, stem).flat_map(|(_, parties)| parties));
    }
    match names {
        NamePattern::Literal(name) => found.extend(owned.get(name).into_iter().flatten()),
        NamePattern::Prefixed(begin) => {
            let from = owned.range(begin.clone()..);
            let inside = from.take_while(|(key, _)| key.starts_with(begin.as_str()));
            found.extend(inside.flat_map(|(_, parties)| parties));
        }
    }
    found
}

/// What makes an account act for whoever may do it to the account (dossier `rbac.md` T5, T6).
pub(super) const CONTROL: OperationSet = OperationSet::of(&[
    Operation::Assign,
    Operation::ManageCloudKeys,
    Operation::ManageKafkaKeys,
    Operation::ManageSchemaRegistryKeys,
    Operation::AlterAccess,
]);

/// The accounts that whoever holds `binding` can make act for it.
pub(super) fn controlled(binding: &RoleBinding, evaluator: &Evaluator) -> Vec<ServiceAccountId> {
    let kind = ResourceKind::ServiceAccount;
    let Some(operations) = worst_of_role(&binding.role, kind) else {
        return Vec::new();
    };
    let unknown = operations.is_empty();
    if binding.pattern.kind() != kind || (!unknown && operations.both(CONTROL).is_empty()) {
        return Vec::new();
    }
    match binding.pattern.name() {
        NamePattern::Literal(id) => id.parse().ok().into_iter().collect(),
        begin @ NamePattern::Prefixed(_) => evaluator
            .principals()
            .chain(evaluator.acl_principals())
            .filter_map(Principal::service_account)
            .filter(|account| begin.matches(account.as_str()))
            .cloned()
            .collect(),
    }
}

#[cfg(test)]
#[path = "isolation_tests.rs"]
mod tests;
