//! Lines about probes and deliveries, and the prompt for the delivery of pending profiles.

use crate::{commands::Ctx, error::Error, provisioning::DeliveryReport, render::TextLine, text::count_noun};

/// Returns the line about the probes of a run, if it ran any. `verdicts` are the numbers of passed, failed and
/// inconclusive probes.
pub(in crate::commands) fn probe_line(verdicts: (usize, usize, usize)) -> Option<TextLine> {
    let (passed, failed, inconclusive) = verdicts;
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

/// Returns the lines about `delivered` profiles of this run and about pending profiles of earlier runs.
pub(in crate::commands) fn delivery_lines(report: &DeliveryReport, delivered: usize) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let earlier = report.previous_runs.iter().filter(|pending| pending.reason.is_none());
    let delivered = earlier.count() + delivered;
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

/// Asks whether to deliver profiles of earlier runs.
pub(in crate::commands) fn confirm_delivery(ctx: &Ctx, profiles: usize, program: &str) -> Result<bool, Error> {
    ctx.confirm(&format!(
        "Nothing else to do. Deliver {} of earlier runs to `{program}`?",
        count_noun(profiles, "profile")
    ))
}
