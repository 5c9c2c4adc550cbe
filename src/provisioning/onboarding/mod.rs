//! Onboarding of departments.

mod outcome;
mod prepare;

pub use outcome::{IssuedSecret, OnboardHeader, OnboardOutcome, OnboardedDepartment, PlanFindings};

use std::time::Instant;

use self::prepare::PreparedOnboarding;
use super::{
    Confirm, ConfirmationRequest, DepartmentSelection, ProvisioningOptions, confirmation::deliver_pending_if_confirmed,
};
use crate::{
    error::Error,
    model::Department,
    session::{PlatformSession, RunContext},
};

/// Input of an onboarding.
#[derive(Debug)]
pub struct OnboardInput {
    /// Departments to onboard.
    pub departments: DepartmentSelection,
    /// Folders, recipients and delivery.
    pub options: ProvisioningOptions,
    /// Whether to remove grants that managed accounts have but no template declares.
    pub prune: bool,
    /// Whether to only plan.
    pub dry_run: bool,
    /// Whether the outcome contains the secrets of the new keys.
    pub show_secrets: bool,
    /// Maximum number of concurrent requests.
    pub concurrency: u16,
}

/// Onboards departments: creates what their templates declare, proves the new keys and delivers their profiles.
///
/// # Errors
/// The plan is refused, the run was cancelled before the first write, or the state cannot be observed or recorded.
/// [`OnboardOutcome::error`] returns the error of an incomplete run.
pub async fn onboard(
    run: &RunContext,
    session: &PlatformSession,
    input: OnboardInput,
    confirm: &Confirm<'_, OnboardOutcome>,
) -> Result<Option<OnboardOutcome>, Error> {
    let mut started = Instant::now();
    let departments = select_departments(session, &input.departments)?;
    let prepared = PreparedOnboarding::prepare(run, session, &departments, input.options, input.prune).await?;
    let reconciliation = &prepared.reconciliation;
    let profile_store = &reconciliation.profile_store;
    let mut encrypted = departments
        .iter()
        .filter(|department| profile_store.is_encrypted(&department.code));
    if let Some(encrypted) = encrypted.next().filter(|_| input.show_secrets) {
        return Err(Error::usage(format!(
            "`--show-secrets` cannot show encrypted profiles: department `{}` has recipients",
            encrypted.code
        )));
    }
    let mut outcome = OnboardOutcome::planned(&prepared, input.dry_run);
    if input.dry_run {
        outcome.set_elapsed(started);
        return Ok(Some(outcome));
    }
    if prepared.plan.is_empty() {
        outcome.evidence = reconciliation.finalize_evidence()?;
        let Some(pending) = deliver_pending_if_confirmed(run, reconciliation, confirm).await? else {
            return Ok(None);
        };
        outcome.deliveries.previous_runs = pending;
        outcome.set_elapsed(started);
        return Ok(Some(outcome));
    }
    reconciliation.check_profiles_writable(&prepared.plan)?;
    if !confirm(ConfirmationRequest::Apply(&outcome))? {
        return Ok(None);
    }
    // The elapsed time does not include the confirmation.
    started = Instant::now();
    outcome.deliveries.previous_runs = reconciliation.deliver_pending(run).await?;
    let (report, evidence) = reconciliation
        .apply(run, "onboard", &prepared.plan, input.concurrency)
        .await?;
    outcome.set_applied(&prepared, report, evidence);
    if input.show_secrets {
        outcome.read_secrets();
    }
    outcome.set_elapsed(started);
    Ok(Some(outcome))
}

fn select_departments(session: &PlatformSession, selection: &DepartmentSelection) -> Result<Vec<Department>, Error> {
    let departments = selection.find(session)?;
    if departments.is_empty() {
        return Err(Error::failed("no departments to onboard")
            .with_hint("Create a department file with `confluent ebs department new CODE`."));
    }
    Ok(departments)
}
