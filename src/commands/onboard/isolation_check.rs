//! The proof, before anything is written, that no department will reach another's names.

use std::collections::{BTreeMap, BTreeSet};

use super::output::IsolationSummary;
use crate::{
    access::{Evaluator, isolation},
    manifest::DesiredDepartment,
    model::{Department, DepartmentCode, OwnershipTag, Principal, RoleBinding, Snapshot},
    plan::{self, Plan, PlannedOperation},
};

/// Proves on the bindings and ACLs as they will be that no department reaches another's names.
pub(super) fn check_isolation(
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
