//! Output of `onboard`: the plan and its result.

mod plan;
mod report;

pub(crate) use plan::{plan_blocks, plan_summary};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    apply::ProvisioningReport,
    checks::CheckResult,
    model::{DepartmentCode, StageAddress},
    plan::{BudgetRow, DepartmentPlan, Plan, PlannedChange, PlannedOperation},
    probe::ProbeVerdict,
    provisioning::{DeliveryReport, IsolationSummary},
};

/// Header: target and provisioner.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnboardHeader {
    /// Stage.
    pub(crate) stage: String,
    /// Organization, environment, cluster and Schema Registry.
    #[serde(flatten)]
    pub(crate) address: StageAddress,
    /// Cluster type.
    pub(crate) cluster_type: String,
    /// Service account of the provisioner.
    pub(crate) provisioner: String,
}

/// Result of one department.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnboardDepartmentRow {
    /// Plan of the department.
    #[serde(flatten)]
    pub(crate) plan: DepartmentPlan,
    /// Number of service accounts after the run.
    pub(crate) accounts: usize,
    /// Number of role bindings after the run.
    pub(crate) role_bindings: usize,
    /// Number of API keys after the run.
    pub(crate) api_keys: usize,
    /// Number of profiles written by the run.
    pub(crate) profiles: usize,
    /// Number of passed probes.
    pub(crate) passed: usize,
    /// Number of failed probes.
    pub(crate) failed: usize,
    /// Number of inconclusive probes.
    pub(crate) inconclusive: usize,
    /// Number of changes that were not applied.
    pub(crate) remaining: usize,
}

/// Output of `onboard`.
#[derive(Debug, Serialize)]
pub(crate) struct OnboardOutput {
    /// Header.
    #[serde(flatten)]
    pub(crate) header: OnboardHeader,
    /// Whether the run only planned.
    pub(crate) dry_run: bool,
    /// Results by department.
    pub(crate) departments: Vec<OnboardDepartmentRow>,
    /// Preflight checks.
    pub(crate) checks: Vec<CheckResult>,
    /// Confluent quotas before and after the plan.
    pub(crate) quotas: Vec<BudgetRow>,
    /// Plan.
    #[serde(flatten)]
    pub(crate) plan: PlanSummary,
    /// Report of the applied plan.
    #[serde(flatten)]
    pub(crate) report: Option<ProvisioningReport>,
    /// Isolation check.
    pub(crate) isolation: Option<IsolationSummary>,
    /// Profile folder.
    pub(crate) credentials_dir: std::path::PathBuf,
    /// Deliveries of profiles.
    #[serde(flatten)]
    pub(crate) deliveries: DeliveryReport,
    /// Evidence files.
    pub(crate) evidence: Vec<std::path::PathBuf>,
    /// Keys with their secrets, only with `--show-secrets`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<PrintedSecret>,
    /// Elapsed time in milliseconds.
    pub(crate) elapsed_ms: u64,
}

/// API key with its secret, for `--show-secrets`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PrintedSecret {
    /// Service account.
    pub(crate) account: String,
    /// Key id.
    pub(crate) api_key: String,
    /// Secret.
    pub(crate) api_secret: String,
}

/// Parts of the plan in the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanSummary {
    /// Changes.
    pub(crate) changes: Vec<PlannedChange>,
    /// Surplus grants, which are kept without `--prune`.
    pub(crate) surplus: Vec<crate::plan::SurplusGrant>,
    /// Unmanaged resources.
    pub(crate) unmanaged: Vec<String>,
    /// Managed accounts whose department has no file.
    pub(crate) orphans: Vec<String>,
    /// Notices.
    pub(crate) notices: Vec<String>,
}

impl PlanSummary {
    /// Returns the parts of `plan` that the output contains.
    #[must_use]
    pub(crate) fn from_plan(plan: &Plan) -> Self {
        Self {
            changes: plan.changes.clone(),
            surplus: plan.surplus.clone(),
            unmanaged: plan.unmanaged.clone(),
            orphans: plan.orphans.clone(),
            notices: plan.notices.clone(),
        }
    }
}

/// Returns one row per department. `before` returns the numbers of accounts, role bindings and keys before the run.
#[must_use]
pub(crate) fn department_rows(
    plan: &Plan,
    report: Option<&ProvisioningReport>,
    before: &dyn Fn(&DepartmentCode) -> [usize; 3],
    account_department: &BTreeMap<String, DepartmentCode>,
) -> Vec<OnboardDepartmentRow> {
    let made: BTreeSet<usize> = report
        .into_iter()
        .flat_map(|report| &report.done)
        .map(|step| step.change)
        .collect();
    plan.departments
        .iter()
        .map(|department| {
            let [mut accounts, mut bindings, mut keys] = before(&department.code);
            let belongs_to_department = |change: &&PlannedChange| change.department == department.code;
            let changes: Vec<&PlannedChange> = plan.changes.iter().filter(belongs_to_department).collect();
            let done = |change: &PlannedChange| made.contains(&change.id);
            for change in changes.iter().filter(|change| done(change)) {
                match change.operation {
                    PlannedOperation::CreateAccount { .. } => accounts += 1,
                    PlannedOperation::CreateBinding { .. } => bindings += 1,
                    PlannedOperation::CreateKey { .. } => keys += 1,
                    PlannedOperation::DeleteKey { .. } => keys = keys.saturating_sub(1),
                    PlannedOperation::DeleteBinding { .. } => bindings = bindings.saturating_sub(1),
                    _ => {}
                }
            }
            let mut row = OnboardDepartmentRow {
                plan: department.clone(),
                accounts,
                role_bindings: bindings,
                api_keys: keys,
                profiles: 0,
                passed: 0,
                failed: 0,
                inconclusive: 0,
                remaining: report.map_or(0, |_| changes.iter().filter(|change| !done(change)).count()),
            };
            if let Some(report) = report {
                row.profiles = report
                    .profiles
                    .iter()
                    .filter(|profile| profile.department == department.code)
                    .count();
                let own = |account: &String| account_department.get(account) == Some(&department.code);
                for outcome in report
                    .proofs
                    .iter()
                    .filter(|(account, _)| own(account))
                    .flat_map(|(_, proofs)| proofs)
                {
                    match outcome.verdict {
                        ProbeVerdict::Passed => row.passed += 1,
                        ProbeVerdict::Failed { .. } => row.failed += 1,
                        ProbeVerdict::Inconclusive { .. } => row.inconclusive += 1,
                    }
                }
            }
            row
        })
        .collect()
}
