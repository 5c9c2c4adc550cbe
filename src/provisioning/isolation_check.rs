//! The proof, before anything is written, that no department will reach another's names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    access::{Evaluator, isolation},
    manifest::DesiredDepartment,
    model::{Department, DepartmentCode, OwnershipTag, Principal, RoleBinding, Snapshot},
    plan::{self, Plan, PlannedOperation},
};

/// What is isolated from what, as far as role bindings and ACLs decide it.
#[derive(Clone, Debug, Serialize)]
pub struct IsolationSummary {
    /// Ordered pairs of departments that were looked at.
    pub pairs: usize,
    /// Overlaps that should not be.
    pub violations: Vec<String>,
    /// What Confluent makes everybody share.
    pub shared_names: Vec<String>,
    /// The first overlap that one of the departments that were asked for has a part in: it is in the way. What happens
    /// between others is only shown, or one department could hold up everybody.
    #[serde(skip)]
    pub blocking: Option<String>,
}

impl IsolationSummary {
    /// The proof, for people.
    #[must_use]
    pub fn from_check(
        proof: &isolation::IsolationResult,
        snapshot: &Snapshot,
        asked: &BTreeSet<&DepartmentCode>,
    ) -> Self {
        let (looked_at, examples) = match proof {
            isolation::IsolationResult::Passed(proof) => (proof, &[][..]),
            isolation::IsolationResult::Failed {
                counter_examples,
                proof,
            } => (proof, counter_examples.as_slice()),
        };
        let violation =
            |example: &isolation::CounterExample| example.to_sentence(&snapshot.display_name(&example.principal));
        let exposure =
            |exposure: &isolation::SharedName| format!("{} {}*", exposure.kind.display_name(), exposure.begins);
        let concerns = |example: &&isolation::CounterExample| {
            example.and_more > 0 || asked.contains(&example.department) || asked.contains(&example.reaches)
        };
        Self {
            blocking: examples.iter().find(concerns).map(violation),
            pairs: looked_at.pairs,
            violations: examples.iter().map(violation).collect(),
            shared_names: looked_at.shared_names.iter().map(exposure).collect(),
        }
    }
}

/// Proves on the bindings and ACLs as they will be that no department reaches another's names.
pub fn check_isolation(
    departments: &[&Department],
    desired: &[DesiredDepartment],
    snapshot: &Snapshot,
    plan: &Plan,
) -> IsolationSummary {
    // Accounts that are still to be made get an id of their own for the proof.
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
            PlannedOperation::CreateAcl { principal, acl } => {
                if let Some(principal) = account(principal) {
                    evaluator.insert_acl(acl.for_principal(principal), &snapshot.address);
                }
            }
            _ => {}
        }
    }
    let mut accounts: BTreeMap<&DepartmentCode, BTreeSet<Principal>> = BTreeMap::new();
    for account in &snapshot.accounts {
        let tag = account.tag();
        let of = |tag: &OwnershipTag| departments.iter().find(|department| department.code == tag.department);
        if let Some(department) = tag.as_ref().and_then(of) {
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
    let parties: Vec<isolation::DepartmentPrincipals> = departments
        .iter()
        .filter(|department| accounts.contains_key(&department.code))
        .map(|department| isolation::DepartmentPrincipals {
            code: department.code.clone(),
            prefix: department.prefix.clone(),
            principals: accounts.get(&department.code).cloned().unwrap_or_default(),
        })
        .collect();
    let proof = isolation::check_isolation(&parties, &evaluator, &snapshot.address);
    let asked = desired.iter().map(|desired| &desired.department.code).collect();
    IsolationSummary::from_check(&proof, snapshot, &asked)
}
