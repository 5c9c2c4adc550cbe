//! Lines about probes and deliveries, and the delivery of pending profiles after a prompt.

use crate::{
    apply::{FinishedProfile, ProvisioningReport},
    commands::Ctx,
    error::Error,
    provisioning::{DeliveryReport, PendingDelivery, Reconciliation},
    render::TextLine,
    text::count_noun,
};

/// Returns the line about the probes of a run, if it ran any.
pub(in crate::commands) fn probe_line(report: &ProvisioningReport) -> Option<TextLine> {
    let (passed, failed, inconclusive) = report.count_verdicts();
    let total = passed + failed + inconclusive;
    let mut text = format!("Probes with the new keys: {passed} of {total} passed");
    if failed > 0 {
        text = format!("{text}, {failed} FAILED");
    }
    if inconclusive > 0 {
        text = format!("{text}, {inconclusive} inconclusive");
    }
    (total > 0).then(|| TextLine::from(format!("{text}.")).with_hanging_indent(2))
}

/// Returns the lines about deliveries of this run and of pending profiles of earlier runs.
pub(in crate::commands) fn delivery_lines(report: &DeliveryReport, profiles: &[FinishedProfile]) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let earlier = report.previous_runs.iter().filter(|pending| pending.reason.is_none());
    let delivered = earlier.count() + profiles.iter().filter(|profile| profile.delivered).count();
    if let Some(program) = report.program.as_ref().filter(|_| delivered > 0) {
        let files = if report.remove_delivered { "; files removed" } else { "" };
        let text = format!("Delivered: {} to `{program}`{files}.", count_noun(delivered, "profile"));
        lines.push(TextLine::from(text).with_hanging_indent(2));
    }
    let reasons = report
        .previous_runs
        .iter()
        .filter_map(|pending| pending.reason.as_ref());
    lines.extend(reasons.map(|reason| TextLine::from(format!("  not delivered: {reason}")).with_hanging_indent(4)));
    lines
}

/// Delivers the pending profiles of earlier runs after a prompt, for a run without changes. Returns `None` if the user
/// declines.
pub(in crate::commands) async fn confirm_pending(
    ctx: &Ctx,
    reconciliation: &Reconciliation<'_>,
) -> Result<Option<Vec<PendingDelivery>>, Error> {
    let pending = reconciliation.pending_profiles()?;
    if let Some(program) = reconciliation.delivery_program().filter(|_| !pending.is_empty()) {
        let question = format!(
            "Nothing else to do. Deliver {} of earlier runs to `{program}`?",
            count_noun(pending.len(), "profile")
        );
        if !ctx.confirm(&question)? {
            return Ok(None);
        }
    }
    reconciliation.deliver_pending(&ctx.run).await.map(Some)
}
