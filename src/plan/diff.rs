//! Comparison of desired and observed state. Pure: the same inputs give the same plan.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    change::{AccountRef, Action, ChangeSubject, PlannedChange, PlannedOperation},
    departed::departed_accounts,
    department::diff_department,
};
use crate::{
    manifest::DesiredDepartment,
    model::{ApiKeyId, DepartmentCode, Principal, ServiceAccountId, Snapshot, StageAddress},
    resources::api_key::KnownKeys,
};

/// Input of the comparison.
pub struct PlanInput<'a> {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: &'a str,
    /// Address of the stage.
    pub address: &'a StageAddress,
    /// Provisioner: the only principal that may control a managed account.
    pub provisioner: &'a ServiceAccountId,
    /// Departments that the command selects, not all departments of the platform.
    pub departments: &'a [DesiredDepartment],
    /// Codes of all departments that have a file and are not retired.
    pub known_departments: &'a BTreeSet<DepartmentCode>,
    /// Ids of accounts, keys and principals that `ebs.toml` adopts.
    pub adopt: &'a BTreeSet<String>,
    /// Recorded keys and pending profiles.
    pub known_keys: &'a KnownKeys,
    /// Whether to delete surplus grants of managed accounts, and accounts of personas that no template contains.
    pub prune: bool,
}

/// Reason why a department cannot be onboarded in its current state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanRefusal {
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Rule id, kebab-case and stable.
    pub rule: &'static str,
    /// The conflict, and who controls the object.
    pub message: String,
    /// What to do about the conflict, in the imperative.
    pub hints: Vec<String>,
}

/// Grant of a managed account, or the account itself, that the template does not contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SurplusGrant {
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Name of the managed service account.
    pub account: String,
    /// The grant or the account in short form.
    pub what: String,
}

/// Status of a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DepartmentStatus {
    /// None of its accounts exists.
    New,
    /// Something is missing or differs.
    Changed,
    /// Everything is up to date.
    Complete,
    /// The department cannot be onboarded in its current state.
    Refused,
}

/// One department in a plan.
#[derive(Clone, Debug, Serialize)]
pub struct DepartmentPlan {
    /// Code of the department: the name of its file without `.toml`.
    pub code: DepartmentCode,
    /// Display name of the department, the setting `name` of its file.
    pub name: String,
    /// Prefix of its names.
    pub prefix: String,
    /// Name of the template that defines the personas and their grants.
    pub template: String,
    /// Whether the department is new, changed, up to date or refused.
    pub status: DepartmentStatus,
}

/// Ordered changes with everything the comparison found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// Departments that the command selects, not all departments of the platform.
    pub departments: Vec<DepartmentPlan>,
    /// Changes; each one comes after the changes that it needs.
    pub changes: Vec<PlannedChange>,
    /// Refusals. A plan with refusals is not applied.
    pub refusals: Vec<PlanRefusal>,
    /// Surplus grants of managed accounts and surplus accounts, which are kept without `--prune`.
    pub surplus: Vec<SurplusGrant>,
    /// Unmanaged grants on a department's prefix: reported, never changed.
    pub unmanaged: Vec<String>,
    /// Managed accounts whose department has no file.
    pub orphans: Vec<String>,
    /// Further information about the plan, one sentence each.
    pub notices: Vec<String>,
}

impl Plan {
    /// Returns whether there are no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Appends a change and returns its index.
    pub(super) fn push(&mut self, mut change: PlannedChange) -> usize {
        change.id = self.changes.len();
        self.changes.push(change);
        self.changes.len() - 1
    }
}

/// Compares `input` with `snapshot`.
#[must_use]
pub fn diff(input: &PlanInput<'_>, snapshot: &Snapshot) -> Plan {
    let mut plan = Plan::default();
    let mut departments: Vec<&DesiredDepartment> = input.departments.iter().collect();
    departments.sort_by(|a, b| a.department.code.cmp(&b.department.code));
    for desired in departments {
        diff_department(input, snapshot, desired, &mut plan);
    }
    plan.orphans = list_orphans(input, snapshot);
    plan.notices.sort();
    plan.notices.dedup();
    plan.unmanaged.sort();
    plan.unmanaged.dedup();
    plan
}

fn list_orphans(input: &PlanInput<'_>, snapshot: &Snapshot) -> Vec<String> {
    let mut orphans: Vec<String> = snapshot
        .accounts
        .iter()
        .filter_map(|account| Some((account, account.tag()?)))
        .filter(|(_, tag)| tag.stage == input.stage && !input.known_departments.contains(&tag.department))
        .map(|(account, tag)| format!("{} ({}) of department `{}`", account.name, account.id, tag.department))
        .collect();
    orphans.sort();
    orphans
}

/// Returns a change without an index.
pub(super) fn new_change(
    desired: &DesiredDepartment,
    persona: &str,
    action: Action,
    what: impl Into<ChangeSubject>,
    why: impl Into<String>,
    needs: Vec<usize>,
    operation: PlannedOperation,
) -> PlannedChange {
    PlannedChange {
        id: 0,
        department: desired.department.code.clone(),
        persona: persona.to_owned(),
        action,
        what: what.into(),
        why: why.into(),
        needs,
        operation,
    }
}

/// Returns the principals of the department's existing accounts, including those of personas that its template no
/// longer contains.
pub(super) fn department_principals(
    input: &PlanInput<'_>,
    desired: &DesiredDepartment,
    snapshot: &Snapshot,
) -> BTreeSet<Principal> {
    desired
        .personas
        .iter()
        .filter_map(|persona| snapshot.account_by_name(&persona.account_name))
        .chain(departed_accounts(input, snapshot, desired))
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect()
}

/// Refers to an account by id if it exists, otherwise by its future name.
pub(super) fn account_ref(snapshot: &Snapshot, name: &str) -> AccountRef {
    snapshot.account_by_name(name).map_or_else(
        || AccountRef::Planned(name.to_owned()),
        |account| AccountRef::Known(account.id.clone()),
    )
}

/// Returns whether `ebs.toml` adopts `id`.
pub(super) fn is_adopted(input: &PlanInput<'_>, id: &str) -> bool {
    input.adopt.contains(id)
}

/// Returns whether `ebs.toml` adopts the key.
pub(super) fn is_adopted_key(input: &PlanInput<'_>, id: &ApiKeyId) -> bool {
    is_adopted(input, id.as_str())
}
