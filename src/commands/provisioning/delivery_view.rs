//! Deliveries of profiles, for people.

use crate::{
    apply::FinishedProfile,
    commands::Ctx,
    error::Error,
    provisioning::{DeliveryReport, PendingDelivery, Reconciliation},
    render::TextLine,
    text::count_noun,
};

/// The deliveries of this run and of profiles that earlier runs left on disk.
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

/// Delivers the pending profiles of earlier runs after a question, for a run that has nothing else to do. `None` when the
/// answer is no.
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
