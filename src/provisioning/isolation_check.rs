//! Isolation check of a plan: after it is applied, no department has access to the names of another one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    access::{Evaluator, isolation},
    manifest::DesiredDepartment,
    model::{Department, DepartmentCode, OwnershipTag, Principal, RoleBinding, Snapshot},
    plan::{self, ObjectOperation, Plan, PlannedOperation},
    text::count_noun,
};

/// Result of an isolation check by role bindings and ACLs.
#[derive(Clone, Debug, Serialize)]
pub struct IsolationSummary {
    /// Number of checked ordered pairs of departments.
    pub pairs: usize,
    /// Overlaps between departments.
    pub violations: Vec<String>,
    /// Names that Confluent makes all departments share.
    pub shared_names: Vec<String>,
    /// First overlap that involves a selected department, which blocks the run. Overlaps between other departments are
    /// reported but do not block it.
    #[serde(skip)]
    pub blocking: Option<String>,
}

impl IsolationSummary {
    /// Returns the result in a sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (self.pairs, self.violations.len()) {
            (0, 0) => "Isolation by name prefix: no other department is onboarded yet.".to_owned(),
            (pairs, 0) => format!(
                "Isolation by name prefix: passed for {} of departments.",
                count_noun(pairs, "ordered pair")
            ),
            (_, overlaps) => format!(
                "Isolation by name prefix: FAILED ({}).",
                count_noun(overlaps, "overlap")
            ),
        }
    }

    /// Summarizes a check of all departments for a run on the `selected` ones.
    #[must_use]
    pub fn from_check(
        result: &isolation::IsolationResult,
        snapshot: &Snapshot,
        selected: &BTreeSet<&DepartmentCode>,
    ) -> Self {
        let (checked, examples) = match result {
            isolation::IsolationResult::Passed(proof) => (proof, &[][..]),
            isolation::IsolationResult::Failed {
                counter_examples,
                proof,
            } => (proof, counter_examples.as_slice()),
        };
        let violation =
            |example: &isolation::CounterExample| example.to_sentence(&snapshot.display_name(&example.principal));
        let shared_name = |name: &isolation::SharedName| format!("{} {}*", name.kind.display_name(), name.begins);
        let concerns = |example: &&isolation::CounterExample| {
            example.and_more > 0 || selected.contains(&example.department) || selected.contains(&example.reaches)
        };
        Self {
            blocking: examples.iter().find(concerns).map(violation),
            pairs: checked.pairs,
            violations: examples.iter().map(violation).collect(),
            shared_names: checked.shared_names.iter().map(shared_name).collect(),
        }
    }
}

/// Checks the isolation of departments with the role bindings and ACLs that exist after `plan` is applied.
pub fn check_isolation(
    departments: &[&Department],
    desired: &[DesiredDepartment],
    snapshot: &Snapshot,
    plan: &Plan,
) -> IsolationSummary {
    // Accounts that the plan creates get a placeholder id.
    let id_of = |name: &str| {
        let known = snapshot.account_by_name(name).map(|account| account.id.clone());
        known.or_else(|| format!("sa-planned-{name}").parse().ok())
    };
    let account = |account: &plan::AccountRef| match account {
        plan::AccountRef::Known(id) => Some(id.clone()),
        plan::AccountRef::Planned(name) => id_of(name),
    };
    let mut evaluator = Evaluator::new(snapshot.bindings.iter().map(|observed| observed.binding.clone()))
        .with_acls(snapshot.acls.iter().cloned(), &snapshot.address);
    for change in &plan.changes {
        match &change.operation {
            PlannedOperation::CreateBinding {
                principal,
                role,
                pattern,
                ..
            } => {
                let pattern = match pattern {
                    plan::PlannedPattern::Known(pattern) => Some(pattern.clone()),
                    plan::PlannedPattern::Account(on) => {
                        account(on).map(|id| snapshot.address.service_account_crn(&id).into())
                    }
                };
                if let (Some(principal), Some(pattern)) = (account(principal), pattern) {
                    evaluator.insert(RoleBinding::new(principal, role.clone(), pattern));
                }
            }
            PlannedOperation::Object(ObjectOperation::Create { principal, object }) => {
                if let Some(principal) = account(principal) {
                    let object = object.operations.for_holder(principal.into());
                    object.operations.grant_access(&mut evaluator, &snapshot.address);
                }
            }
            _ => {}
        }
    }
    let mut accounts: BTreeMap<&DepartmentCode, BTreeSet<Principal>> = BTreeMap::new();
    for account in &snapshot.accounts {
        let tag = account.tag();
        let find = |tag: &OwnershipTag| departments.iter().find(|department| department.code == tag.department);
        if let Some(department) = tag.as_ref().and_then(find) {
            let principal = Principal::ServiceAccount(account.id.clone());
            accounts.entry(&department.code).or_default().insert(principal);
        }
    }
    for department in desired {
        let own = accounts.entry(&department.department.code).or_default();
        own.extend(
            department
                .personas
                .iter()
                .filter_map(|p| id_of(&p.account_name))
                .map(Principal::ServiceAccount),
        );
    }
    let principals: Vec<isolation::DepartmentPrincipals> = departments
        .iter()
        .filter(|department| accounts.contains_key(&department.code))
        .map(|department| isolation::DepartmentPrincipals {
            code: department.code.clone(),
            prefix: department.prefix.clone(),
            principals: accounts.get(&department.code).cloned().unwrap_or_default(),
        })
        .collect();
    let result = isolation::check_isolation(&principals, &evaluator, &snapshot.address);
    let selected = desired.iter().map(|desired| &desired.department.code).collect();
    IsolationSummary::from_check(&result, snapshot, &selected)
}
