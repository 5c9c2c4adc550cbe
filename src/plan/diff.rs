//! Compares what is wanted with what was seen. Pure: the same inputs give the same plan.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    change::{AccountRef, Action, PlannedChange, PlannedOperation},
    department::diff_department,
};
use crate::{
    manifest::DesiredDepartment,
    model::{ApiKeyId, DepartmentCode, Principal, ServiceAccountId, Snapshot, StageAddress},
    resources::api_key::KnownKeys,
};

/// What the comparison starts from.
pub struct PlanInput<'a> {
    /// The stage.
    pub stage: &'a str,
    /// Where it is.
    pub address: &'a StageAddress,
    /// Who we are: the only principal that may control an account of ours.
    pub provisioner: &'a ServiceAccountId,
    /// The departments that were asked for.
    pub departments: &'a [DesiredDepartment],
    /// Every department that has a file and is not retired.
    pub known_departments: &'a BTreeSet<DepartmentCode>,
    /// Ids of accounts, keys and principals that `ebs.toml` accepts by name.
    pub adopt: &'a BTreeSet<String>,
    /// Which keys we vouch for, and what lies on disk.
    pub known_keys: &'a KnownKeys,
    /// Whether surplus bindings of our accounts are removed.
    pub prune: bool,
}

/// Why a department cannot be onboarded as things are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanRefusal {
    /// The department.
    pub department: DepartmentCode,
    /// The rule, kebab-case and stable.
    pub rule: &'static str,
    /// What is in the way, and who controls it.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

/// A binding of an account of ours that its template does not ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SurplusGrant {
    /// The department.
    pub department: DepartmentCode,
    /// Who holds it.
    pub account: String,
    /// What it is, short.
    pub what: String,
}

/// Where a department stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DepartmentStatus {
    /// None of its accounts exists.
    New,
    /// Something is missing or different.
    Changed,
    /// Everything is as wanted.
    Complete,
    /// It cannot be onboarded as things are.
    Refused,
}

/// One department in a plan.
#[derive(Clone, Debug, Serialize)]
pub struct DepartmentPlan {
    /// Its code.
    pub code: DepartmentCode,
    /// Its name.
    pub name: String,
    /// The beginning of its names.
    pub prefix: String,
    /// Its template.
    pub template: String,
    /// Where it stands.
    pub status: DepartmentStatus,
}

/// What is to be done, in order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// The departments that were asked for.
    pub departments: Vec<DepartmentPlan>,
    /// The changes; the needs of each stand before it.
    pub changes: Vec<PlannedChange>,
    /// What is in the way. A plan with refusals is not applied.
    pub refusals: Vec<PlanRefusal>,
    /// Bindings of our accounts that no template asks for and that stay without `--prune`.
    pub surplus: Vec<SurplusGrant>,
    /// What is on a department's prefix and is not ours: reported, never changed.
    pub unmanaged: Vec<String>,
    /// Accounts of ours whose department has no file.
    pub orphans: Vec<String>,
    /// What else is worth knowing.
    pub notices: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes write at the service, by action and kind.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<(&'static str, &'static str), usize> {
        let mut totals = BTreeMap::new();
        for change in self.changes.iter().filter(|change| change.operation.is_remote()) {
            *totals
                .entry((change.action.symbol(), change.operation.kind()))
                .or_default() += 1;
        }
        totals
    }

    /// Appends a change and answers its place.
    pub(super) fn push(&mut self, mut change: PlannedChange) -> usize {
        change.id = self.changes.len();
        self.changes.push(change);
        self.changes.len() - 1
    }
}

/// Compares `wanted` with `seen`.
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
        .map(|(account, tag)| format!("{} ({}) of department {}", account.name, account.id, tag.department))
        .collect();
    orphans.sort();
    orphans
}

/// A change that is still to be numbered.
pub(super) fn new_change(
    desired: &DesiredDepartment,
    persona: &str,
    action: Action,
    what: String,
    why: impl Into<String>,
    needs: Vec<usize>,
    operation: PlannedOperation,
) -> PlannedChange {
    PlannedChange {
        id: 0,
        department: desired.department.code.clone(),
        persona: persona.to_owned(),
        action,
        what,
        why: why.into(),
        needs,
        operation,
    }
}

/// The principals that accounts of this department are, as far as they exist.
pub(super) fn department_principals(desired: &DesiredDepartment, snapshot: &Snapshot) -> BTreeSet<Principal> {
    desired
        .personas
        .iter()
        .filter_map(|persona| snapshot.account_by_name(&persona.account_name))
        .map(|account| Principal::ServiceAccount(account.id.clone()))
        .collect()
}

/// How an account is referred to: by id when it exists, else by the name it will have.
pub(super) fn account_ref(snapshot: &Snapshot, name: &str) -> AccountRef {
    snapshot.account_by_name(name).map_or_else(
        || AccountRef::Planned(name.to_owned()),
        |account| AccountRef::Known(account.id.clone()),
    )
}

/// Whether `ebs.toml` accepts `id` by name.
pub(super) fn is_adopted(input: &PlanInput<'_>, id: &str) -> bool {
    input.adopt.contains(id)
}

/// Whether `ebs.toml` accepts the key by name.
pub(super) fn is_adopted_key(input: &PlanInput<'_>, id: &ApiKeyId) -> bool {
    is_adopted(input, id.as_str())
}
