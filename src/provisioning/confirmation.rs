//! Confirmation of a run by its caller.

use super::{PendingDelivery, Reconciliation};
use crate::{error::Error, session::RunContext};

/// Function that confirms or declines a plan before anything is changed. A declined run has no outcome.
pub type ConfirmPlan<'a, P> = dyn Fn(&P) -> Result<bool, Error> + 'a;

/// Function like [`ConfirmPlan`] for an operation that also delivers profiles of earlier runs.
pub type Confirm<'a, P> = dyn Fn(ConfirmationRequest<'_, P>) -> Result<bool, Error> + 'a;

/// What a run is about to do. `P` is the planned outcome of the operation.
pub enum ConfirmationRequest<'a, P> {
    /// Apply the plan.
    Apply(&'a P),
    /// Deliver profiles of earlier runs; there is nothing else to do.
    DeliverPending {
        /// Number of profiles.
        profiles: usize,
        /// Program that receives them.
        program: &'a str,
    },
}

/// Delivers the pending profiles of earlier runs in a run without changes. Returns `None` if the caller declines.
pub(super) async fn deliver_pending_if_confirmed<P>(
    run: &RunContext,
    reconciliation: &Reconciliation<'_>,
    confirm: &Confirm<'_, P>,
) -> Result<Option<Vec<PendingDelivery>>, Error> {
    let profiles = reconciliation.pending_profiles()?.len();
    if let Some(program) = reconciliation.delivery_program().filter(|_| profiles > 0)
        && !confirm(ConfirmationRequest::DeliverPending { profiles, program })?
    {
        return Ok(None);
    }
    reconciliation.deliver_pending(run).await.map(Some)
}
