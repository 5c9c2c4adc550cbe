//! What `onboard` answers: the plan, and what came of it, for people and for machines.

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

/// Where and as whom.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnboardHeader {
    /// The stage.
    pub(crate) stage: String,
    /// Organization, environment, cluster, Schema Registry.
    #[serde(flatten)]
    pub(crate) address: StageAddress,
    /// The type of the cluster.
    pub(crate) cluster_type: String,
    /// The service account that does it.
    pub(crate) provisioner: String,
}

/// How one department ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnboardDepartmentRow {
    /// The department.
    #[serde(flatten)]
    pub(crate) plan: DepartmentPlan,
    /// Its accounts, those of before and those made now.
    pub(crate) accounts: usize,
    /// Its role bindings, those of before and those made now.
    pub(crate) role_bindings: usize,
    /// Its API keys, those of before and those made now.
    pub(crate) api_keys: usize,
    /// Profiles that were handed over now.
    pub(crate) profiles: usize,
    /// Probes that showed what they had to.
    pub(crate) passed: usize,
    /// Probes that showed the opposite.
    pub(crate) failed: usize,
    /// Probes that showed neither.
    pub(crate) inconclusive: usize,
    /// Changes that were not made.
    pub(crate) remaining: usize,
}

/// What `onboard` answers.
#[derive(Debug, Serialize)]
pub(crate) struct OnboardOutput {
    /// Where and as whom.
    #[serde(flatten)]
    pub(crate) header: OnboardHeader,
    /// Whether it only shows what it would do.
    pub(crate) dry_run: bool,
    /// The departments.
    pub(crate) departments: Vec<OnboardDepartmentRow>,
    /// What was looked at before.
    pub(crate) checks: Vec<CheckResult>,
    /// The provider's quotas before and after.
    pub(crate) quotas: Vec<BudgetRow>,
    /// The plan.
    #[serde(flatten)]
    pub(crate) plan: PlanSummary,
    /// What came of it.
    #[serde(flatten)]
    pub(crate) report: Option<ProvisioningReport>,
    /// What is isolated from what.
    pub(crate) isolation: Option<IsolationSummary>,
    /// The folder of profiles.
    pub(crate) credentials_dir: std::path::PathBuf,
    /// What a command took.
    #[serde(flatten)]
    pub(crate) deliveries: DeliveryReport,
    /// The evidence files.
    pub(crate) evidence: Vec<std::path::PathBuf>,
    /// Keys and secrets, only when they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<PrintedSecret>,
    /// How long it took, in milliseconds.
    pub(crate) elapsed_ms: u64,
}

/// A key with its secret, as asked for with `--show-secrets`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PrintedSecret {
    /// The account.
    pub(crate) account: String,
    /// The public half.
    pub(crate) api_key: String,
    /// The secret half.
    pub(crate) api_secret: String,
}

/// The parts of the plan that are shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanSummary {
    /// The changes.
    pub(crate) changes: Vec<PlannedChange>,
    /// Surplus bindings that stay without `--prune`.
    pub(crate) surplus: Vec<crate::plan::SurplusGrant>,
    /// What is not ours.
    pub(crate) unmanaged: Vec<String>,
    /// Accounts whose department has no file.
    pub(crate) orphans: Vec<String>,
    /// What else is worth knowing.
    pub(crate) notices: Vec<String>,
}

impl PlanSummary {
    /// The parts of `plan` that are shown.
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

/// The rows of the departments, from the plan and from what came of it.
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
