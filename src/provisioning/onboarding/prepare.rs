//! Plan of an onboarding and the checks that can refuse it.

use crate::{
    checks::{CheckResult, CheckState, check_object_limits, check_preflight},
    error::Error,
    model::Department,
    plan::{self, BudgetRow, Plan},
    provisioning::{
        AclLookup, IsolationSummary, ProvisioningOptions, Reconciliation, check_isolation, errors::check_refusals,
    },
    session::{PlatformSession, RunContext},
};

/// Onboarding that passed all checks and can be applied.
pub(super) struct PreparedOnboarding<'a> {
    /// Observed and desired state.
    pub(super) reconciliation: Reconciliation<'a>,
    /// Plan with the changes to confirm and apply.
    pub(super) plan: Plan,
    /// Confluent quotas before and after the plan.
    pub(super) budget: Vec<BudgetRow>,
    /// Results of the preflight checks.
    pub(super) checks: Vec<CheckResult>,
    /// Isolation of departments after the plan.
    pub(super) isolation: IsolationSummary,
}

impl<'a> PreparedOnboarding<'a> {
    /// Observes the organization and plans the onboarding of `departments`. With `prune`, the plan also removes grants
    /// that no template declares.
    ///
    /// # Errors
    /// The plan is refused, a preflight check or the isolation check failed, or the state cannot be observed.
    pub(super) async fn prepare(
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
