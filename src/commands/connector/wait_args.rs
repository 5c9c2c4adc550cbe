//! Waiting with live progress, and what its end means.

use std::time::Duration;

pub(super) use crate::commands::duration::parse_duration;

use crate::{
    apply::RunEvent,
    commands::Ctx,
    error::Error,
    resources::connector::{PollSnapshot, WaitGoal, WaitOptions, WaitOutcome},
    session::ConnectorSession,
};

/// How long to wait unless told otherwise: nearly everything settles within three minutes
/// (docs/reference/connect.md#timing-of-states).
pub(super) const DEFAULT_TIMEOUT: &str = "10m";

/// Whether and how long to wait after a write.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct WaitArgs {
    /// Do not wait until the connector runs.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// How long to wait, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = DEFAULT_TIMEOUT, value_parser = parse_duration)]
    pub(super) timeout: Duration,
}

/// Waits until `name` is there; says what it sees meanwhile.
pub(super) async fn wait_with_progress(
    ctx: &Ctx,
    session: &ConnectorSession,
    name: &str,
    goal: WaitGoal,
    timeout: Duration,
) -> Result<WaitOutcome, Error> {
    let progress = ctx.ui.start_progress();
    progress.on_event(&RunEvent::Phase { name: "Wait", total: 0 });
    let watch = |sight: &PollSnapshot| {
        let text = format!("{name}: {sight}");
        progress.on_event(&RunEvent::Note { text });
    };
    let patience = WaitOptions {
        timeout,
        settle_time: Duration::ZERO,
        interrupt: ctx.run.cancel.clone(),
        goal,
    };
    Ok(session.connectors.wait(name, &patience, &watch).await?)
}
