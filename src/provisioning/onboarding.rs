//! Onboarding of departments in two steps: prepare (observe, plan, refuse) and apply (deliver, apply, record).
//!
//! A caller shows the plan and asks between the two.

use super::{
    AclLookup, IsolationSummary, PendingDelivery, ProvisioningOptions, Reconciliation, check_isolation, check_refusals,
};
use crate::{
    apply::ProvisioningReport,
    checks::{CheckResult, CheckState, check_acl_quota, check_preflight},
    error::Error,
    model::Department,
    plan::{self, BudgetRow, Plan},
    session::{PlatformSession, RunContext},
};
use std::path::PathBuf;

/// An onboarding that nothing forbids.
pub struct PreparedOnboarding<'a> {
    /// The observed and the desired state.
    pub reconciliation: Reconciliation<'a>,
    /// The changes.
    pub plan: Plan,
    /// The provider's quotas before and after the plan.
    pub budget: Vec<BudgetRow>,
    /// What was checked before the plan was shown.
    pub checks: Vec<CheckResult>,
    /// The isolation of departments after the plan.
    pub isolation: IsolationSummary,
}

/// What an onboarding did.
pub struct AppliedOnboarding {
    /// The report of the plan's steps.
    pub report: ProvisioningReport,
    /// Profiles of earlier runs that were delivered first.
    pub previous_runs: Vec<PendingDelivery>,
    /// The evidence files.
    pub evidence: Vec<PathBuf>,
}

impl<'a> PreparedOnboarding<'a> {
    /// Observes the organization and plans the onboarding of `departments`; with `prune`, also the removal of grants that no
    /// template asks for.
    ///
    /// # Errors
    /// The plan is refused, a check found a problem, departments would not be isolated, or the state cannot be observed.
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
        let mut checks = check_preflight(observed, session.stage.schema_registry.as_ref(), &budget);
        checks.extend(check_acl_quota(observed, &plan));
        check_refusals("onboard", &plan)?;
        reject_problems(&checks)?;
        let active: Vec<&Department> = session.workspace.active_departments().collect();
        let isolation = check_isolation(&active, &reconciliation.desired, snapshot, &plan);
        if let Some(overlap) = &isolation.blocking {
            let message = format!("refused; nothing was changed: departments would not be isolated: {overlap}");
            return Err(Error::refused(message)
                .with_hint("Find overlaps between files with `confluent ebs department validate`.")
                .with_hint("Remove the binding or ACL if the files do not overlap."));
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
    /// The run was cancelled before the first write, another run was active, or the journal or the evidence cannot be written.
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

/// Refuses the run when a check found a problem.
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
