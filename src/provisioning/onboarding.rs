//! Onboarding of departments in two steps. `prepare` observes, plans and refuses; `apply` delivers pending profiles,
//! applies the plan and records evidence. A caller can show the plan and ask for confirmation between the two.

use super::{
    AclLookup, IsolationSummary, PendingDelivery, ProvisioningOptions, Reconciliation, check_isolation, check_refusals,
};
use crate::{
    apply::ProvisioningReport,
    checks::{CheckResult, CheckState, check_object_limits, check_preflight},
    error::Error,
    model::Department,
    plan::{self, BudgetRow, Plan},
    session::{PlatformSession, RunContext},
};
use std::path::PathBuf;

/// Onboarding that passed all checks and can be applied.
pub struct PreparedOnboarding<'a> {
    /// Observed and desired state.
    pub reconciliation: Reconciliation<'a>,
    /// Planned changes.
    pub plan: Plan,
    /// Confluent quotas before and after the plan.
    pub budget: Vec<BudgetRow>,
    /// Results of the preflight checks.
    pub checks: Vec<CheckResult>,
    /// Isolation of departments after the plan.
    pub isolation: IsolationSummary,
}

/// Result of an applied onboarding.
pub struct AppliedOnboarding {
    /// Report of the applied plan.
    pub report: ProvisioningReport,
    /// Deliveries of pending profiles of earlier runs.
    pub previous_runs: Vec<PendingDelivery>,
    /// Evidence files.
    pub evidence: Vec<PathBuf>,
}

impl<'a> PreparedOnboarding<'a> {
    /// Observes the organization and plans the onboarding of `departments`. With `prune`, the plan also removes grants
    /// that no template declares.
    ///
    /// # Errors
    /// The plan is refused, a preflight check or the isolation check failed, or the state cannot be observed.
    pub async fn prepare(
        run: &RunContext,
        session: &'a PlatformSession,
        departments: &[Department],
        options: ProvisioningOptions,
        prune: bool,
    ) -> Result<Self, Error> {
        let reconciliation = Reconciliation::observe(run, session, departments, options, AclLookup::IfNeeded).await?;
        let observed = &reconciliation.observed;
        let snapshot = &observed.snapshot;
        let plan = plan::diff(&reconciliation.plan_input(prune), snapshot);
        let budget = plan::check_budget(&plan.changes, snapshot, &observed.quotas);
        let mut checks = check_preflight(observed, session.stage.schema_registry.as_ref(), &budget, &run.options);
        checks.extend(check_object_limits(observed, &plan));
        check_refusals("onboard", &plan)?;
        reject_problems(&checks)?;
        let active: Vec<&Department> = session.workspace.active_departments().collect();
        let isolation = check_isolation(&active, &reconciliation.desired, snapshot, &plan);
        if let Some(overlap) = &isolation.blocking {
            let message = format!("refused; nothing was changed: departments would not be isolated: {overlap}");
            return Err(Error::refused(message)
                .with_hint("Find overlaps between files with `confluent ebs department validate`.")
                .with_hint("If the files do not overlap, remove the role binding or ACL that the message names."));
        }
        Ok(Self {
            reconciliation,
            plan,
            budget,
            checks,
            isolation,
        })
    }

    /// Delivers pending profiles, applies the plan and writes the evidence.
    ///
    /// # Errors
    /// The run was cancelled before the first write, a concurrent run changed the stage, or the journal or the evidence
    /// cannot be written.
    pub async fn apply(&self, run: &RunContext, concurrency: u16) -> Result<AppliedOnboarding, Error> {
        let previous_runs = self.reconciliation.deliver_pending(run).await?;
        let (report, evidence) = self
            .reconciliation
            .apply(run, "onboard", &self.plan, concurrency)
            .await?;
        Ok(AppliedOnboarding {
            report,
            previous_runs,
            evidence,
        })
    }
}

/// Refuses the run if a preflight check failed.
fn reject_problems(checks: &[CheckResult]) -> Result<(), Error> {
    let problems: Vec<&CheckResult> = checks
        .iter()
        .filter(|check| check.state == CheckState::Problem)
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let details: Vec<String> = problems
        .iter()
        .map(|check| format!("{}: {}", check.name, check.detail))
        .collect();
    let error = Error::refused(format!("refused; nothing was changed: {}", details.join("; ")));
    Err(problems
        .iter()
        .filter_map(|check| check.fix.clone())
        .fold(error, Error::with_hint))
}
