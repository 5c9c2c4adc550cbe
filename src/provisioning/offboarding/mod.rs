//! Offboarding of a department: removal of all its access, with a proof.

mod connector_removal;
mod outcome;
mod removal_proof;
mod retirement;

pub use connector_removal::ConnectorRemoval;
pub use outcome::OffboardOutcome;
pub use removal_proof::{RemovalProof, RemovedKey, RemovedKeyState};
pub use retirement::{RemainingStage, Retirement};

use self::{connector_removal::observe_connectors, removal_proof::prove_removal};
use super::{AclLookup, ConfirmPlan, ProvisioningOptions, Reconciliation, find_department_to_remove};
use crate::{
    error::{Error, ErrorKind},
    model::DepartmentCode,
    plan::{Teardown, plan_teardown},
    session::{PlatformSession, RunContext},
};

/// Input of an offboarding.
#[derive(Debug)]
pub struct OffboardInput {
    /// Department. It may be retired already, by an interrupted offboarding.
    pub department: DepartmentCode,
    /// Removal of its connectors.
    pub connectors: ConnectorRemoval,
    /// Whether to remove grants of other principals on the prefix.
    pub remove_foreign: bool,
    /// Whether to only plan.
    pub dry_run: bool,
    /// Maximum number of concurrent requests.
    pub concurrency: u16,
    /// Folders of profiles and evidence.
    pub options: ProvisioningOptions,
}

/// Removes the connectors and all access of a department in one stage, and proves that nothing of it remains. Topics and
/// schemas are kept. With its last stage, the department is retired.
///
/// # Errors
/// The removal is refused, the run was cancelled before the first write, or the state cannot be observed or recorded.
/// [`OffboardOutcome::error`] returns the error of an incomplete run.
pub async fn offboard(
    run: &RunContext,
    session: &PlatformSession,
    input: OffboardInput,
    confirm: &ConfirmPlan<'_, OffboardOutcome>,
) -> Result<Option<OffboardOutcome>, Error> {
    let department = &find_department_to_remove(session, &input.department)?;
    let selected = std::slice::from_ref(department);
    let reconciliation = Reconciliation::observe(run, session, selected, input.options, AclLookup::BestEffort).await?;
    let snapshot = &reconciliation.observed.snapshot;
    let down = plan_teardown(
        &reconciliation.plan_input(false),
        snapshot,
        department,
        input.remove_foreign,
    );
    let connectors = observe_connectors(run, &reconciliation, department, &down).await?;
    let topics = reconciliation.list_topics(department).await;
    check_refusals(&down)?;
    if !input.dry_run {
        input.connectors.check(department, &connectors)?;
    }
    let mut outcome = OffboardOutcome::planned(&reconciliation, department, &down, &connectors, topics);
    outcome.dry_run = input.dry_run;
    outcome.removes_foreign = input.remove_foreign;
    if input.dry_run {
        return Ok(Some(outcome));
    }
    let has_changes = !(down.plan.is_empty() && connectors.own.is_empty());
    if has_changes && !confirm(&outcome)? {
        return Ok(None);
    }
    if run.cancel.is_cancelled() {
        return Err(Error::new(
            ErrorKind::Interrupted,
            "interrupted before anything was changed",
        ));
    }
    // The file comes first, so that no onboarding recreates the access during the removal.
    if let Some(retirement) = &mut outcome.retired {
        retirement.record(run, session)?;
    }
    outcome.backups = input
        .connectors
        .delete(run, &reconciliation, department, &connectors)
        .await?;
    let mut is_complete = true;
    if !down.plan.is_empty() {
        let (report, evidence) = reconciliation
            .apply(run, "offboard", &down.plan, input.concurrency)
            .await?;
        is_complete = report.is_complete();
        outcome.report = Some(report);
        outcome.evidence = evidence;
    }
    if is_complete {
        let topics_unknown = outcome.topics_unknown.as_deref();
        let proof = Box::pin(prove_removal(run, &reconciliation, department, &down, topics_unknown)).await?;
        let evidence = reconciliation.write_removal_evidence(&department.code, &proof)?;
        outcome.evidence.extend(evidence);
        outcome.proof = Some(proof);
    }
    Ok(Some(outcome))
}

/// Returns an error if the plan is refused.
fn check_refusals(down: &Teardown) -> Result<(), Error> {
    let Some(first) = down.plan.refusals.first() else {
        return Ok(());
    };
    let messages: Vec<String> = down
        .plan
        .refusals
        .iter()
        .map(|refusal| format!("({}) {}", refusal.rule, refusal.message))
        .collect();
    let error = Error::refused(format!("refused; nothing was changed: {}", messages.join("; ")));
    Err(first.hints.iter().cloned().fold(error, Error::with_hint))
}
