//! `--wait` flags, and the wait with live progress.

use std::time::Duration;

pub(super) use crate::commands::duration::parse_duration;

use crate::{
    apply::RunEvent,
    commands::Ctx,
    error::Error,
    resources::connector::{PollSnapshot, WaitGoal, WaitOptions, WaitOutcome},
    session::ConnectorSession,
};

/// Default timeout: nearly all connectors settle within three minutes (docs/reference/connect.md#timing-of-states).
pub(super) const DEFAULT_TIMEOUT: &str = "10m";

/// Flags of the wait after a change.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct WaitArgs {
    /// Do not wait until the connector runs.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Timeout, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = DEFAULT_TIMEOUT, value_parser = parse_duration)]
    pub(super) timeout: Duration,
}

/// Waits for connector `name` and reports progress.
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
