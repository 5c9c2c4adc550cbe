//! Revocation of API keys.

use super::{
    KeysOutcome,
    revocation::{group_by_persona, push_revocation},
};
use crate::{
    error::Error,
    model::ApiKeyId,
    plan::Plan,
    provisioning::{AclLookup, ConfirmPlan, ProvisioningOptions, Reconciliation, errors::check_refusals},
    session::{PlatformSession, RunContext},
};

/// Number of concurrent requests of a revocation.
const CONCURRENCY: u16 = 8;

/// Input of a revocation.
#[derive(Debug)]
pub struct RevokeInput {
    /// Ids of the API keys to delete.
    pub keys: Vec<ApiKeyId>,
    /// Condition under which the keys are deleted.
    pub urgency: Urgency,
    /// Whether to only plan.
    pub dry_run: bool,
    /// Folders, recipients and delivery.
    pub options: ProvisioningOptions,
}

/// Condition under which keys are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Another key of the persona replaces them; otherwise the run is refused.
    AfterReplacement,
    /// At once. A persona without enough keys gets new ones.
    ImmediateWithReplacement,
    /// At once, without new keys.
    Immediate,
}

/// Deletes API keys. A recorded key that an earlier run deleted is skipped.
///
/// # Errors
/// A key is unknown or unmanaged, the plan is refused, the run was cancelled before the first write, or the state
/// cannot be observed or recorded. [`KeysOutcome::error`] returns the error of an incomplete run.
pub async fn revoke_keys(
    run: &RunContext,
    session: &PlatformSession,
    input: RevokeInput,
    confirm: &ConfirmPlan<'_, KeysOutcome>,
) -> Result<Option<KeysOutcome>, Error> {
    let all: Vec<_> = session.workspace.active_departments().cloned().collect();
    let reconciliation = Reconciliation::observe(run, session, &all, input.options, AclLookup::NoRetry).await?;
    let mut plan = Plan::default();
    for revocation in group_by_persona(&input.keys, &run.options, &reconciliation)? {
        push_revocation(&reconciliation, &revocation, input.urgency, &mut plan)?;
    }
    check_refusals("keys revoke", &plan)?;
    let mut outcome = KeysOutcome::planned(&reconciliation, &plan, input.dry_run);
    if input.dry_run {
        return Ok(Some(outcome));
    }
    if plan.is_empty() {
        outcome.evidence = reconciliation.finalize_evidence()?;
        return Ok(Some(outcome));
    }
    reconciliation.check_profiles_writable(&plan)?;
    if !confirm(&outcome)? {
        return Ok(None);
    }
    let (report, evidence) = reconciliation.apply(run, "keys revoke", &plan, CONCURRENCY).await?;
    outcome.report = Some(report);
    outcome.evidence = evidence;
    outcome.deliveries = reconciliation.delivery_report(Vec::new());
    Ok(Some(outcome))
}
