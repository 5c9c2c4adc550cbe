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
//! it takes away counts as if it were there. Not part of the statement: what the service shows to everybody
//! (docs/reference/rbac.md#data-visible-across-prefixes), and *new* service accounts, which every ResourceOwner can
//! make (T4); who they are is part of the answer. A role or an operation without a rule counts as if it gave
//! everything.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::Serialize;

pub use super::shared_names::{SHARED_NAMES, shared_name_for, tolerated_operations};
use super::{
    AccessGrant, Evaluator, Operation, OperationSet, acl::ResolvedAcl, grant::worst_case_of_role, index::prefixes_of,
    overlap, roles::account_operations_of_role,
};
use crate::model::{
    CrnPattern, DepartmentCode, NamePattern, Prefix, Principal, ResourceKind, RoleBinding, ServiceAccountId,
    StageAddress,
};

/// One department, as far as the proof is concerned.
#[derive(Clone, Debug)]
pub struct DepartmentPrincipals {
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
pub enum IsolationResult {
    /// It holds.
    Passed(IsolationProof),
    /// It does not, and here is why.
    Failed {
        /// At least one; each names everything it takes to see the problem.
        counter_examples: Vec<CounterExample>,
        /// What was looked at.
        #[serde(flatten)]
        proof: IsolationProof,
    },
}

impl IsolationResult {
    /// Whether it holds.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

/// What was looked at, and what is shared all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IsolationProof {
    /// Ordered pairs of departments.
    pub pairs: usize,
    /// Role bindings that act for a department.
    pub bindings: usize,
    /// ACLs that act for a department.
    pub acls: usize,
    /// Kinds of resources, service accounts included.
    pub kinds: usize,
    /// Named exposures that at least two departments share.
    pub shared_names: Vec<SharedName>,
    /// Principals of departments that may make new service accounts (T4). Whoever may also owns what it makes.
    pub account_makers: BTreeSet<Principal>,
}

/// A shared beginning of names from the closed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedName {
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
    pub binding: AccessGrant,
}

impl CounterExample {
    /// It in a sentence, in which the principal is called `name`.
    #[must_use]
    pub fn to_sentence(&self, name: &str) -> String {
        let more = match self.and_more {
            0 => String::new(),
            1 => " and of 1 more department".to_owned(),
            count => format!(" and of {count} more departments"),
        };
        let who = match &self.binding {
            AccessGrant::Acl(acl) if acl.acl.is_for_all_principals() => "everybody".to_owned(),
            _ => format!("{name} of {}", self.department),
        };
        let (what, through) = (self.resource.to_short_string(), self.binding.to_short_string());
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
pub(super) struct DepartmentGrant {
    /// Position of the department in the list of parties.
    pub(super) department: usize,
    pub(super) grant: AccessGrant,
    pub(super) controlled_through: Option<Arc<RoleBinding>>,
    /// What it gives on what it is bound on; `None` for nothing, an empty set when nobody can know.
    pub(super) operations: Option<OperationSet>,
}

impl DepartmentGrant {
    fn new(party: usize, held: AccessGrant, through: Option<Arc<RoleBinding>>) -> Self {
        let operations = held.worst_case_operations(held.pattern().kind());
        Self {
            department: party,
            grant: held,
            controlled_through: through,
            operations,
        }
    }

    /// Whether it gives more than everybody may have within an exposure.
    pub(super) fn exceeds_tolerated(&self) -> bool {
        let shared = tolerated_operations(self.grant.pattern().kind());
        self.operations
            .is_some_and(|set| set.is_empty() || !set.difference(shared).is_empty())
    }
}

/// Proves that no department reaches another, or shows how one does. The answer does not depend on the order of
/// anything; the cost grows with the number of bindings, times the logarithm of the number of departments.
#[must_use]
pub fn check_isolation(
    parties: &[DepartmentPrincipals],
    evaluator: &Evaluator,
    address: &StageAddress,
) -> IsolationResult {
    let input = IsolationInput::new(parties, address);
    let grants = input.department_grants(evaluator);
    let mut counter_examples = BTreeSet::new();
    let mut account_makers = BTreeSet::new();
    for one in &grants {
        if operations_on_every_account(&one.grant).contains(Operation::Create) {
            account_makers.insert(one.grant.principal().clone());
        }
        input.report_reach(one, &mut |example| {
            counter_examples.insert(example);
        });
    }
    let report = overlap::find_overlaps(&grants);
    // What lies on a department's own ground was found as the other's reach, which says better who is at fault.
    for pair in report.overlaps.iter().filter(|pair| !input.is_own(&pair.grant)) {
        counter_examples.insert(input.counter_example(
            &pair.grant,
            pair.grant.grant.pattern().clone(),
            pair.other_department,
            0,
        ));
    }
    let departments = parties.len();
    let bindings = grants.iter().filter(|one| one.grant.role_binding().is_some()).count();
    let proof = IsolationProof {
        pairs: departments * departments.saturating_sub(1),
        bindings,
        acls: grants.len() - bindings,
        kinds: NAMED_KINDS.len() + 1,
        shared_names: report.shared_names,
        account_makers,
    };
    if counter_examples.is_empty() {
        return IsolationResult::Passed(proof);
    }
    IsolationResult::Failed {
        counter_examples: counter_examples.into_iter().collect(),
        proof,
    }
}

/// Who owns which names and accounts.
struct IsolationInput<'a> {
    departments: &'a [DepartmentPrincipals],
    address: &'a StageAddress,
    /// Sorted prefixes; several parties under one prefix are a mistake, and found.
    prefixes: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<String, Vec<usize>>,
    /// For each kind at this address, all names of it.
    all: Vec<CrnPattern>,
    all_accounts: Option<CrnPattern>,
}

impl<'a> IsolationInput<'a> {
    fn new(parties: &'a [DepartmentPrincipals], address: &'a StageAddress) -> Self {
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
            departments: parties,
            address,
            prefixes,
            accounts,
            all: all.collect(),
            all_accounts: address.pattern(ResourceKind::ServiceAccount, every()),
        }
    }

    /// Every right that acts for a department: those of its principals, those of the accounts they control, and those of
    /// everybody.
    fn department_grants(&self, evaluator: &Evaluator) -> Vec<DepartmentGrant> {
        let mut grants = Vec::new();
        for (party, department) in self.departments.iter().enumerate() {
            let mut seen: BTreeSet<Principal> = department.principals.clone();
            let mut queue: VecDeque<_> = seen.iter().map(|principal| (principal.clone(), None)).collect();
            while let Some((principal, through)) = queue.pop_front() {
                for binding in evaluator.bindings_of(&principal) {
                    for account in controlled_accounts(binding, evaluator) {
                        // An account of another department is a counter-example by itself; what it may do adds nothing.
                        let foreign = self.accounts.get(account.as_str());
                        let foreign = foreign.is_some_and(|parties| !parties.contains(&party));
                        let account = Principal::from(account);
                        if !foreign && seen.insert(account.clone()) {
                            queue.push_back((account, Some(Arc::clone(binding))));
                        }
                    }
                    grants.push(DepartmentGrant::new(
                        party,
                        AccessGrant::Role(Arc::clone(binding)),
                        through.clone(),
                    ));
                }
                let acls = evaluator.acls_of(&principal);
                grants.extend(
                    acls.map(|acl| DepartmentGrant::new(party, AccessGrant::Acl(Arc::clone(acl)), through.clone())),
                );
            }
        }
        for acl in evaluator.acls_for_all_principals() {
            let act = |party| DepartmentGrant::new(party, AccessGrant::Acl(Arc::clone(acl)), None);
            grants.extend(self.acting_departments(acl).into_iter().map(act));
        }
        grants
    }

    /// The departments for which an ACL for everybody is shown to act. Two are enough to find whom it reaches; only
    /// where it is an exposure, how many it exposes is told.
    fn acting_departments(&self, acl: &ResolvedAcl) -> Vec<usize> {
        let mut all: Vec<_> = (0..self.departments.len()).collect();
        if shared_name_for(acl.pattern.kind(), acl.pattern.name()).is_none() {
            all.sort_by_key(|&party| &self.departments[party].code);
            all.truncate(2);
        }
        all
    }

    /// Whether `one` is bound on names or accounts of its own department.
    fn is_own(&self, one: &DepartmentGrant) -> bool {
        let pattern = one.grant.pattern();
        let name = pattern.name();
        let here = |all: &CrnPattern| all.kind() == pattern.kind() && all.covers_pattern(pattern);
        let named = self.departments[one.department].prefix.pattern().covers(name) && self.all.iter().any(here);
        let account = matches!(name, NamePattern::Literal(id) if self.accounts.get(id).is_some_and(|own| own == &[one.department]));
        named || (account && self.all_accounts.as_ref().is_some_and(here))
    }

    /// Shows what of others `one` reaches.
    fn report_reach(&self, one: &DepartmentGrant, show: &mut impl FnMut(CounterExample)) {
        let pattern = one.grant.pattern();
        for all in &self.all {
            let operations = one.grant.worst_case_operations(all.kind());
            if operations.is_none() {
                continue;
            }
            let Some(names) = names_within(pattern, all) else {
                continue;
            };
            let one = DepartmentGrant {
                operations,
                ..one.clone()
            };
            self.report_owners(&one, &find_owners(&self.prefixes, &names, true), all, &names, show);
        }
        let Some(all) = &self.all_accounts else { return };
        // A new account is nobody's yet: T4, reported on its own.
        let create = OperationSet::new(&[Operation::Create]);
        let everywhere = operations_on_every_account(&one.grant).difference(create);
        let covered = names_within(pattern, all).zip(one.grant.worst_case_operations(ResourceKind::ServiceAccount));
        let reached = [
            covered,
            (!everywhere.is_empty()).then(|| (NamePattern::Prefixed(String::new()), everywhere)),
        ];
        for (names, operations) in reached.into_iter().flatten() {
            let one = DepartmentGrant {
                operations: Some(operations.difference(create)),
                ..one.clone()
            };
            self.report_owners(&one, &find_owners(&self.accounts, &names, false), all, &names, show);
        }
    }

    fn report_owners(
        &self,
        one: &DepartmentGrant,
        owners: &BTreeSet<usize>,
        all: &CrnPattern,
        names: &NamePattern,
        show: &mut impl FnMut(CounterExample),
    ) {
        let mut foreign = owners.iter().filter(|&&party| party != one.department);
        let Some(&victim) = foreign.next() else { return };
        // The narrower of the two: what the binding names, or all that begins with the victim's prefix.
        let owned = match all.kind() {
            ResourceKind::ServiceAccount => names.clone(),
            _ => self.departments[victim].prefix.pattern(),
        };
        let common = if owned.covers(names) { names.clone() } else { owned };
        let resource = self.address.pattern(all.kind(), common).unwrap_or_else(|| all.clone());
        show(self.counter_example(one, resource, victim, foreign.count()));
    }

    fn counter_example(
        &self,
        one: &DepartmentGrant,
        resource: CrnPattern,
        victim: usize,
        and_more: usize,
    ) -> CounterExample {
        CounterExample {
            department: self.departments[one.department].code.clone(),
            principal: one.grant.principal().clone(),
            controlled_through: one.controlled_through.as_deref().cloned(),
            operations: one.operations.unwrap_or_default().iter().collect(),
            resource,
            reaches: self.departments[victim].code.clone(),
            and_more,
            binding: one.grant.clone(),
        }
    }
}

/// What `held` gives on every service account of the organization, wherever it is bound.
fn operations_on_every_account(held: &AccessGrant) -> OperationSet {
    held.role_binding()
        .map_or(OperationSet::EMPTY, |binding| account_operations_of_role(&binding.role))
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
pub(super) fn find_owners(owned: &BTreeMap<String, Vec<usize>>, names: &NamePattern, begins: bool) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let stem = names.stem();
    if begins {
        found.extend(prefixes_of(owned, stem).flat_map(|(_, parties)| parties));
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

/// What makes an account act for whoever may do it to the account (docs/reference/rbac.md#threats, T5, T6).
pub(super) const CONTROL_OPERATIONS: OperationSet = OperationSet::new(&[
    Operation::Assign,
    Operation::ManageCloudKeys,
    Operation::ManageKafkaKeys,
    Operation::ManageSchemaRegistryKeys,
    Operation::AlterAccess,
]);

/// The accounts that whoever holds `binding` can make act for it.
pub(super) fn controlled_accounts(binding: &RoleBinding, evaluator: &Evaluator) -> Vec<ServiceAccountId> {
    let kind = ResourceKind::ServiceAccount;
    let Some(operations) = worst_case_of_role(&binding.role, kind) else {
        return Vec::new();
    };
    let unknown = operations.is_empty();
    if binding.pattern.kind() != kind || (!unknown && operations.intersection(CONTROL_OPERATIONS).is_empty()) {
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
