//! Outcome of an onboarding: the plan and, if it was applied, its result.

use std::{collections::BTreeSet, path::PathBuf, time::Instant};

use serde::Serialize;

use super::prepare::PreparedOnboarding;
use crate::{
    apply::{FinishedProfile, ProvisioningReport},
    checks::CheckResult,
    config::Profile,
    error::Error,
    manifest::DesiredDepartment,
    model::{ObservedAccount, Principal, Snapshot, StageAddress},
    plan::{BudgetRow, DepartmentPlan, Plan, PlannedOperation, SurplusGrant},
    probe::ProbeVerdict,
    provisioning::{
        DeliveryReport, IsolationSummary, PlannedChanges,
        errors::{incomplete_run_error, undelivered_error},
    },
};

/// Planned or applied onboarding.
#[derive(Debug, Serialize)]
pub struct OnboardOutcome {
    /// Stage, its address and the provisioner.
    #[serde(flatten)]
    pub header: OnboardHeader,
    /// Whether the run only planned.
    pub dry_run: bool,
    /// Results by department.
    pub departments: Vec<OnboardedDepartment>,
    /// Results of the checks that run before the first change.
    pub checks: Vec<CheckResult>,
    /// Confluent quotas before and after the plan.
    pub quotas: Vec<BudgetRow>,
    /// Changes that the plan contains, also if the run applies none of them.
    pub changes: PlannedChanges,
    /// Observations that the plan leaves as they are.
    #[serde(flatten)]
    pub findings: PlanFindings,
    /// Report of the applied plan.
    #[serde(flatten)]
    pub report: Option<ProvisioningReport>,
    /// Isolation of departments after the plan.
    pub isolation: Option<IsolationSummary>,
    /// Folder for profiles: `--credentials-dir`, otherwise a folder in the state directory.
    pub credentials_dir: PathBuf,
    /// Deliveries of profiles.
    #[serde(flatten)]
    pub deliveries: DeliveryReport,
    /// Paths of the evidence files that the run wrote; empty if the run wrote none.
    pub evidence: Vec<PathBuf>,
    /// New keys with their secrets, if they were requested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<IssuedSecret>,
    /// Whether the view lists the changes of many departments one by one.
    #[serde(skip)]
    pub lists_all: bool,
    /// Elapsed time in milliseconds, without the confirmation.
    pub elapsed_ms: u64,
}

/// Target of an onboarding and its provisioner.
#[derive(Clone, Debug, Serialize)]
pub struct OnboardHeader {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Organization, environment, cluster and Schema Registry.
    #[serde(flatten)]
    pub address: StageAddress,
    /// Type of the Kafka cluster as named by Confluent Cloud, such as `Dedicated`.
    pub cluster_type: String,
    /// Service account of the provisioner.
    pub provisioner: String,
}

/// Result of one department.
#[derive(Clone, Debug, Serialize)]
pub struct OnboardedDepartment {
    /// Plan of the department.
    #[serde(flatten)]
    pub plan: DepartmentPlan,
    /// Number of service accounts after the run.
    pub accounts: usize,
    /// Number of role bindings after the run.
    pub role_bindings: usize,
    /// Number of API keys after the run.
    pub api_keys: usize,
    /// Number of profiles written by the run.
    pub profiles: usize,
    /// Number of passed probes.
    pub passed: usize,
    /// Number of failed probes.
    pub failed: usize,
    /// Number of inconclusive probes.
    pub inconclusive: usize,
    /// Number of changes that were not applied.
    pub remaining: usize,
}

/// What a comparison found besides the changes.
#[derive(Clone, Debug, Serialize)]
pub struct PlanFindings {
    /// Surplus grants, which are kept without `--prune`.
    pub surplus: Vec<SurplusGrant>,
    /// Unmanaged grants on prefixes of departments, which the run never changes.
    pub unmanaged: Vec<String>,
    /// Managed accounts whose department has no file.
    pub orphans: Vec<String>,
    /// Further information about the plan, one sentence each.
    pub notices: Vec<String>,
}

/// New API key with its secret.
#[derive(Clone, Debug, Serialize)]
pub struct IssuedSecret {
    /// Service account that the API key belongs to.
    pub account: String,
    /// Id of the API key, without its secret.
    pub api_key: String,
    /// Secret of the API key in clear text; present only with `--show-secrets`.
    pub api_secret: String,
}

impl OnboardOutcome {
    /// Creates the outcome of a plan that is not applied yet.
    pub(super) fn planned(prepared: &PreparedOnboarding<'_>, dry_run: bool) -> Self {
        let reconciliation = &prepared.reconciliation;
        let observed = &reconciliation.observed;
        let snapshot = &observed.snapshot;
        let plan = &prepared.plan;
        let rows = plan
            .departments
            .iter()
            .map(|department| OnboardedDepartment::planned(department, &reconciliation.desired, snapshot));
        Self {
            header: OnboardHeader {
                stage: reconciliation.session.stage_name.clone(),
                address: snapshot.address.clone(),
                cluster_type: observed.cluster.spec.config.kind.clone(),
                provisioner: snapshot.display_name(&snapshot.observed_by),
            },
            dry_run,
            departments: rows.collect(),
            checks: prepared.checks.clone(),
            quotas: prepared.budget.clone(),
            changes: PlannedChanges(plan.changes.clone()),
            findings: PlanFindings {
                surplus: plan.surplus.clone(),
                unmanaged: plan.unmanaged.clone(),
                orphans: plan.orphans.clone(),
                notices: plan.notices.clone(),
            },
            report: None,
            isolation: Some(prepared.isolation.clone()),
            credentials_dir: reconciliation.profile_store.folder().to_owned(),
            deliveries: reconciliation.delivery_report(Vec::new()),
            evidence: Vec::new(),
            secrets: Vec::new(),
            lists_all: false,
            elapsed_ms: 0,
        }
    }

    pub(super) fn set_applied(
        &mut self,
        prepared: &PreparedOnboarding<'_>,
        report: ProvisioningReport,
        evidence: Vec<PathBuf>,
    ) {
        for row in &mut self.departments {
            row.count_applied(&prepared.plan, &report, &prepared.reconciliation.desired);
        }
        self.report = Some(report);
        self.evidence = evidence;
    }

    pub(super) fn set_elapsed(&mut self, started: Instant) {
        self.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    }

    /// Reads the keys and secrets from the written profiles.
    pub(super) fn read_secrets(&mut self) {
        let mut secrets = Vec::new();
        for profile in self.finished_profiles() {
            let Ok(text) = std::fs::read_to_string(&profile.path) else {
                continue;
            };
            let (_, keys, _) = Profile::parse(&profile.path, text, &[]);
            let pairs = [keys.cloud, keys.kafka, keys.schema_registry].into_iter().flatten();
            secrets.extend(pairs.map(|pair| IssuedSecret {
                account: profile.account.clone(),
                api_key: pair.id.to_string(),
                api_secret: pair.secret.expose().to_owned(),
            }));
        }
        self.secrets = secrets;
    }

    /// Returns the profiles that the run wrote.
    #[must_use]
    pub fn finished_profiles(&self) -> &[FinishedProfile] {
        self.report.as_ref().map_or(&[], |report| &report.profiles)
    }

    /// Counts the profiles of the run that were delivered.
    #[must_use]
    pub fn count_delivered(&self) -> usize {
        let profiles = self.finished_profiles().iter();
        profiles.filter(|profile| profile.delivered).count()
    }

    /// Counts the applied changes at the service.
    #[must_use]
    pub fn count_applied(&self) -> usize {
        let done = self.report.iter().flat_map(|report| &report.done);
        done.filter(|step| self.changes.0[step.change].operation.is_remote())
            .count()
    }

    /// Returns the error of a run that did not apply all changes or deliver all profiles.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let incomplete = self.report.as_ref().and_then(incomplete_run_error);
        incomplete.or_else(|| undelivered_error(&self.deliveries.previous_runs))
    }
}

impl OnboardedDepartment {
    /// Creates the row of a department with the numbers of its existing objects.
    fn planned(plan: &DepartmentPlan, desired: &[DesiredDepartment], snapshot: &Snapshot) -> Self {
        let stage = desired.first().map(|desired| desired.stage.as_str());
        let is_own = |account: &&ObservedAccount| {
            account
                .tag()
                .is_some_and(|tag| tag.department == plan.code && Some(tag.stage.as_str()) == stage)
        };
        let accounts: Vec<Principal> = snapshot
            .accounts
            .iter()
            .filter(is_own)
            .map(|account| Principal::ServiceAccount(account.id.clone()))
            .collect();
        let bindings = accounts.iter().map(|account| snapshot.bindings_of(account).count());
        let keys = accounts.iter().map(|account| snapshot.keys_of(account).count());
        Self {
            plan: plan.clone(),
            accounts: accounts.len(),
            role_bindings: bindings.sum(),
            api_keys: keys.sum(),
            profiles: 0,
            passed: 0,
            failed: 0,
            inconclusive: 0,
            remaining: 0,
        }
    }

    /// Adds the applied changes, the written profiles and the probes of a run.
    fn count_applied(&mut self, plan: &Plan, report: &ProvisioningReport, desired: &[DesiredDepartment]) {
        let code = &self.plan.code;
        let done: BTreeSet<usize> = report.done.iter().map(|step| step.change).collect();
        for change in plan.changes.iter().filter(|change| change.department == *code) {
            if !done.contains(&change.id) {
                self.remaining += 1;
                continue;
            }
            match change.operation {
                PlannedOperation::CreateAccount { .. } => self.accounts += 1,
                PlannedOperation::DeleteAccount { .. } => self.accounts = self.accounts.saturating_sub(1),
                PlannedOperation::CreateBinding { .. } => self.role_bindings += 1,
                PlannedOperation::CreateKey { .. } => self.api_keys += 1,
                PlannedOperation::DeleteKey { .. } => self.api_keys = self.api_keys.saturating_sub(1),
                PlannedOperation::DeleteBinding { .. } => self.role_bindings = self.role_bindings.saturating_sub(1),
                _ => {}
            }
        }
        let written = report.profiles.iter().filter(|profile| profile.department == *code);
        self.profiles = written.count();
        let personas = desired
            .iter()
            .filter(|desired| desired.department.code == *code)
            .flat_map(|desired| &desired.personas);
        for outcome in personas
            .filter_map(|persona| report.proofs.get(&persona.account_name))
            .flatten()
        {
            match outcome.verdict {
                ProbeVerdict::Passed => self.passed += 1,
                ProbeVerdict::Failed { .. } => self.failed += 1,
                ProbeVerdict::Inconclusive { .. } => self.inconclusive += 1,
            }
        }
    }
}
