//! What `onboard` answers: the plan, and what came of it, for people and for machines.

mod plan;
mod report;

pub(crate) use plan::{plan_blocks, plan_summary};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    access::isolation,
    apply::Report,
    checks::Check,
    commands::estate::Deliveries,
    model::{Address, DepartmentCode, Snapshot},
    plan::{BudgetRow, Change, DepartmentPlan, Operation, Plan},
    probe::Verdict,
};

/// Where and as whom.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setting {
    /// The stage.
    pub(crate) stage: String,
    /// Organization, environment, cluster, Schema Registry.
    #[serde(flatten)]
    pub(crate) address: Address,
    /// The type of the cluster.
    pub(crate) cluster_type: String,
    /// The service account that does it.
    pub(crate) provisioner: String,
}

/// How one department ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DepartmentRow {
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
    pub(crate) handed_over: usize,
    /// Probes that showed what they had to.
    pub(crate) proved: usize,
    /// Probes that showed the opposite.
    pub(crate) refuted: usize,
    /// Probes that showed neither.
    pub(crate) not_provable: usize,
    /// Changes that were not made.
    pub(crate) left: usize,
}

/// What is isolated from what, as far as role bindings and ACLs decide it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Isolation {
    /// Ordered pairs of departments that were looked at.
    pub(crate) pairs: usize,
    /// Overlaps that should not be.
    pub(crate) violations: Vec<String>,
    /// What Confluent makes everybody share.
    pub(crate) exposures: Vec<String>,
    /// The first overlap that one of the departments that were asked for has a part in: it is in the way. What happens
    /// between others is only shown, or one department could hold up everybody.
    #[serde(skip)]
    pub(crate) in_the_way: Option<String>,
}

impl Isolation {
    /// The proof, for people.
    #[must_use]
    pub(crate) fn of(proof: &isolation::Isolation, seen: &Snapshot, asked: &BTreeSet<&DepartmentCode>) -> Self {
        let (looked_at, examples) = match proof {
            isolation::Isolation::Proved(proof) => (proof, &[][..]),
            isolation::Isolation::Refuted {
                counter_examples,
                proof,
            } => (proof, counter_examples.as_slice()),
        };
        let violation = |example: &isolation::CounterExample| example.sentence(&seen.name_of(&example.principal));
        let exposure = |exposure: &isolation::Exposure| format!("{} {}*", exposure.kind.word(), exposure.begins);
        let concerns = |example: &&isolation::CounterExample| {
            example.and_more > 0 || asked.contains(&example.department) || asked.contains(&example.reaches)
        };
        Self {
            in_the_way: examples.iter().find(concerns).map(violation),
            pairs: looked_at.pairs,
            violations: examples.iter().map(violation).collect(),
            exposures: looked_at.exposures.iter().map(exposure).collect(),
        }
    }
}

/// What `onboard` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Onboarding {
    /// Where and as whom.
    #[serde(flatten)]
    pub(crate) setting: Setting,
    /// Whether it only shows what it would do.
    pub(crate) dry_run: bool,
    /// The departments.
    pub(crate) departments: Vec<DepartmentRow>,
    /// What was looked at before.
    pub(crate) checks: Vec<Check>,
    /// The provider's quotas before and after.
    pub(crate) quotas: Vec<BudgetRow>,
    /// The plan.
    #[serde(flatten)]
    pub(crate) plan: PlanPart,
    /// What came of it.
    #[serde(flatten)]
    pub(crate) report: Option<Report>,
    /// What is isolated from what.
    pub(crate) isolation: Option<Isolation>,
    /// The folder of profiles.
    pub(crate) credentials_dir: std::path::PathBuf,
    /// What a command took.
    #[serde(flatten)]
    pub(crate) deliveries: Deliveries,
    /// The evidence files.
    pub(crate) evidence: Vec<std::path::PathBuf>,
    /// Keys and secrets, only when they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<ShownSecret>,
    /// How long it took, in milliseconds.
    pub(crate) elapsed_ms: u64,
}

/// A key with its secret, as asked for with `--show-secrets`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownSecret {
    /// The account.
    pub(crate) account: String,
    /// The public half.
    pub(crate) api_key: String,
    /// The secret half.
    pub(crate) api_secret: String,
}

/// The parts of the plan that are shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanPart {
    /// The changes.
    pub(crate) changes: Vec<Change>,
    /// Surplus bindings that stay without `--prune`.
    pub(crate) surplus: Vec<crate::plan::Surplus>,
    /// What is not ours.
    pub(crate) unmanaged: Vec<String>,
    /// Accounts whose department has no file.
    pub(crate) orphans: Vec<String>,
    /// What else is worth knowing.
    pub(crate) notices: Vec<String>,
}

impl PlanPart {
    /// The parts of `plan` that are shown.
    #[must_use]
    pub(crate) fn of(plan: &Plan) -> Self {
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
pub(crate) fn rows(
    plan: &Plan,
    report: Option<&Report>,
    before: &dyn Fn(&DepartmentCode) -> [usize; 3],
    account_department: &BTreeMap<String, DepartmentCode>,
) -> Vec<DepartmentRow> {
    let made: BTreeSet<usize> = report
        .into_iter()
        .flat_map(|report| &report.done)
        .map(|step| step.change)
        .collect();
    plan.departments
        .iter()
        .map(|department| {
            let [mut accounts, mut bindings, mut keys] = before(&department.code);
            let mine = |change: &&Change| change.department == department.code;
            let changes: Vec<&Change> = plan.changes.iter().filter(mine).collect();
            let done = |change: &Change| made.contains(&change.id);
            for change in changes.iter().filter(|change| done(change)) {
                match change.operation {
                    Operation::CreateAccount { .. } => accounts += 1,
                    Operation::CreateBinding { .. } => bindings += 1,
                    Operation::CreateKey { .. } => keys += 1,
                    Operation::DeleteKey { .. } => keys = keys.saturating_sub(1),
                    Operation::DeleteBinding { .. } => bindings = bindings.saturating_sub(1),
                    _ => {}
                }
            }
            let mut row = DepartmentRow {
                plan: department.clone(),
                accounts,
                role_bindings: bindings,
                api_keys: keys,
                handed_over: 0,
                proved: 0,
                refuted: 0,
                not_provable: 0,
                left: report.map_or(0, |_| changes.iter().filter(|change| !done(change)).count()),
            };
            if let Some(report) = report {
                row.handed_over = report
                    .handed
                    .iter()
                    .filter(|handed| handed.department == department.code)
                    .count();
                let own = |account: &String| account_department.get(account) == Some(&department.code);
                for outcome in report
                    .proofs
                    .iter()
                    .filter(|(account, _)| own(account))
                    .flat_map(|(_, proofs)| proofs)
                {
                    match outcome.verdict {
                        Verdict::Proved => row.proved += 1,
                        Verdict::Refuted { .. } => row.refuted += 1,
                        Verdict::NotProvable { .. } => row.not_provable += 1,
                    }
                }
            }
            row
        })
        .collect()
}
