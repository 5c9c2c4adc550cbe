//! Isolation check: proves that no principal of one department has access to resources of another.
//!
//! The resources of a department at an address are all topics, groups, transactional ids, subjects and connectors whose
//! names begin with its prefix, and its service accounts. The check covers all ordered pairs of departments and all
//! operations in one pass over the grants, in three steps:
//!
//! 1. **Reach**: the names that a grant covers are looked up among the sorted prefixes. A hit on a foreign prefix is a
//!    counter-example.
//! 2. **Control**: an account that a department may assign, own or create keys for acts for that department, so the
//!    account's grants count as the department's, transitively.
//! 3. **Overlap**: two departments may not hold grants on a common name, even if the name belongs to neither. A sweep
//!    over the sorted patterns finds overlaps (`overlap`). The only exceptions are the
//!    [`SHARED_NAMES`] with the [`tolerated_operations`] on them.
//!
//! Role bindings and ACLs count alike; an ACL of the wildcard principal counts for every department. DENY ACLs are
//! ignored, so the check does not rely on them. Out of scope: data that Confluent Cloud shows to all principals
//! (docs/reference/rbac.md#data-visible-across-prefixes), and *new* service accounts, which every ResourceOwner can
//! create (T4); the result lists these principals. Unknown roles and operations count as if they allowed everything.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::Serialize;

pub use super::shared_names::{SHARED_NAMES, SharedName, shared_name_for, tolerated_operations};
use super::{
    AccessGrant, Evaluator, Operation, OperationSet,
    acl::ResolvedAcl,
    grant::worst_case_of_role,
    index::prefixes_of,
    overlap::{self, DepartmentGrant},
    roles::account_operations_of_role,
};
use crate::model::{
    CrnPattern, DepartmentCode, NamePattern, Prefix, Principal, ResourceKind, RoleBinding, ServiceAccountId,
    StageAddress,
};

/// A department with its principals, as input of the isolation check.
#[derive(Clone, Debug)]
pub struct DepartmentPrincipals {
    /// Code of the department.
    pub code: DepartmentCode,
    /// Prefix of all names of the department.
    pub prefix: Prefix,
    /// Principals that act for it: its service accounts, and users if any.
    pub principals: BTreeSet<Principal>,
}

/// Resource kinds that belong to a department by name.
pub const NAMED_KINDS: [ResourceKind; 5] = [
    ResourceKind::Connector,
    ResourceKind::Topic,
    ResourceKind::Group,
    ResourceKind::TransactionalId,
    ResourceKind::Subject,
];

/// Result of the isolation check.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum IsolationResult {
    /// No department reaches names of another department.
    Passed(IsolationProof),
    /// Isolation is violated.
    Failed {
        /// Counter-examples, at least one.
        counter_examples: Vec<CounterExample>,
        /// Scope of the check.
        #[serde(flatten)]
        proof: IsolationProof,
    },
}

impl IsolationResult {
    /// Whether isolation holds.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

/// Scope of the isolation check, and names shared by design.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IsolationProof {
    /// Number of ordered pairs of departments.
    pub pairs: usize,
    /// Number of role bindings that act for a department.
    pub bindings: usize,
    /// Number of ACLs that act for a department.
    pub acls: usize,
    /// Number of resource kinds, service accounts included.
    pub kinds: usize,
    /// Shared names on which at least two departments hold grants.
    pub shared_names: Vec<SharedName>,
    /// Principals of departments that may create service accounts (T4). The creator of an account also owns it.
    pub account_creators: BTreeSet<Principal>,
}

/// Counter-example to isolation: `principal`, acting for `department`, is allowed `operations` on `resource` through
/// `binding`. For an ACL of the wildcard principal, `principal` is `User:*` and `department` is one of all departments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CounterExample {
    /// Department of the principal.
    pub department: DepartmentCode,
    /// Holder of the grant.
    pub principal: Principal,
    /// Role binding that lets the department control `principal`; `None` for its own principals.
    pub controlled_through: Option<RoleBinding>,
    /// Allowed operations; empty for an unknown role, which may allow anything.
    #[serde(serialize_with = "operations_or_unknown")]
    pub operations: Vec<Operation>,
    /// Resources on which the grant allows the operations.
    pub resource: CrnPattern,
    /// Department that owns the resources or also holds a grant on them.
    pub reaches: DepartmentCode,
    /// Number of further departments that the same grant affects in the same way.
    pub and_more: usize,
    /// Role binding or ACL.
    pub binding: AccessGrant,
}

impl CounterExample {
    /// Formats the counter-example as a sentence; `name` is the name of the principal.
    #[must_use]
    pub fn to_sentence(&self, name: &str) -> String {
        let more = match self.and_more {
            0 => String::new(),
            1 => " and 1 more department".to_owned(),
            count => format!(" and {count} more departments"),
        };
        let who = match &self.binding {
            AccessGrant::Acl(acl) if acl.acl.is_for_all_principals() => "every principal".to_owned(),
            _ => format!("{name} of {}", self.department),
        };
        let (what, through) = (self.resource.to_short_string(), self.binding.to_short_string());
        format!("{who} has access to {what} of {}{more} through {through}", self.reaches)
    }
}

fn operations_or_unknown<S: serde::Serializer>(operations: &[Operation], serializer: S) -> Result<S::Ok, S::Error> {
    if operations.is_empty() {
        serializer.collect_seq(["unknown"])
    } else {
        serializer.collect_seq(operations)
    }
}

/// Checks that no department has access to another, or returns counter-examples. The result does not depend on the
/// order of the input. The run time is O(b log d) for b grants and d departments.
#[must_use]
pub fn check_isolation(
    parties: &[DepartmentPrincipals],
    evaluator: &Evaluator,
    address: &StageAddress,
) -> IsolationResult {
    let input = IsolationInput::new(parties, address);
    let grants = input.department_grants(evaluator);
    let mut counter_examples = BTreeSet::new();
    let mut account_creators = BTreeSet::new();
    for one in &grants {
        if operations_on_every_account(&one.grant).contains(Operation::Create) {
            account_creators.insert(one.grant.principal().clone());
        }
        input.report_reach(one, &mut |example| {
            counter_examples.insert(example);
        });
    }
    let report = overlap::find_overlaps(&grants);
    // Overlaps within a department's own names are already reported as reach of the other department, which names the
    // cause.
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
        account_creators,
    };
    if counter_examples.is_empty() {
        return IsolationResult::Passed(proof);
    }
    IsolationResult::Failed {
        counter_examples: counter_examples.into_iter().collect(),
        proof,
    }
}

/// Departments, indexed by prefix and account.
struct IsolationInput<'a> {
    departments: &'a [DepartmentPrincipals],
    address: &'a StageAddress,
    /// Departments by prefix. Several departments with one prefix are reported as a violation.
    prefixes: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<String, Vec<usize>>,
    /// The pattern of all names for each kind.
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

    /// Returns all grants that act for a department: those of its principals, of the accounts they control, and of the
    /// wildcard principal.
    fn department_grants(&self, evaluator: &Evaluator) -> Vec<DepartmentGrant> {
        let mut grants = Vec::new();
        for (party, department) in self.departments.iter().enumerate() {
            let mut seen: BTreeSet<Principal> = department.principals.clone();
            let mut queue: VecDeque<_> = seen.iter().map(|principal| (principal.clone(), None)).collect();
            while let Some((principal, through)) = queue.pop_front() {
                for binding in evaluator.bindings_of(&principal) {
                    for account in controlled_accounts(binding, evaluator) {
                        // Control of a foreign account is itself a counter-example, so its grants are not followed.
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

    /// Returns the departments for which an ACL of the wildcard principal is reported. Two are enough to find affected
    /// departments; on shared names all are counted.
    fn acting_departments(&self, acl: &ResolvedAcl) -> Vec<usize> {
        let mut all: Vec<_> = (0..self.departments.len()).collect();
        if shared_name_for(acl.pattern.kind(), acl.pattern.name()).is_none() {
            all.sort_by_key(|&party| &self.departments[party].code);
            all.truncate(2);
        }
        all
    }

    /// Whether `one` applies only to names or accounts of its own department.
    fn is_own(&self, one: &DepartmentGrant) -> bool {
        let pattern = one.grant.pattern();
        let name = pattern.name();
        let here = |all: &CrnPattern| all.kind() == pattern.kind() && all.covers_pattern(pattern);
        let named = self.departments[one.department].prefix.pattern().covers(name) && self.all.iter().any(here);
        let account = matches!(name, NamePattern::Literal(id) if self.accounts.get(id).is_some_and(|own| own == &[one.department]));
        named || (account && self.all_accounts.as_ref().is_some_and(here))
    }

    /// Reports the foreign resources that `one` covers.
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
        // A new account has no owner department yet: T4, reported separately.
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
        // Report the narrower pattern: that of the grant, or all names of the affected department.
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

/// Returns the operations that `held` allows on all service accounts of the organization, regardless of its pattern.
fn operations_on_every_account(held: &AccessGrant) -> OperationSet {
    held.role_binding()
        .map_or(OperationSet::EMPTY, |binding| account_operations_of_role(&binding.role))
}

/// Returns the names that `pattern` covers within `all`; `None` if the kinds differ or nothing is covered.
pub(super) fn names_within(pattern: &CrnPattern, all: &CrnPattern) -> Option<NamePattern> {
    if all.covers_pattern(pattern) && pattern.kind() == all.kind() {
        Some(pattern.name().clone())
    } else if pattern.covers_pattern(all) {
        Some(NamePattern::Prefixed(String::new()))
    } else {
        None
    }
}

/// Returns the owners of `names`: owners of keys within `names`, and, with `begins`, of keys that are prefixes of it.
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

/// Operations on an account that give control over it (docs/reference/rbac.md#threats, T5, T6).
pub(super) const CONTROL_OPERATIONS: OperationSet = OperationSet::new(&[
    Operation::Assign,
    Operation::ManageCloudKeys,
    Operation::ManageKafkaKeys,
    Operation::ManageSchemaRegistryKeys,
    Operation::AlterAccess,
]);

/// Returns the accounts that the holder of `binding` controls.
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
