//! Waiting with live progress, and what its end means.

use std::time::Duration;

pub(super) use crate::commands::duration::duration;

use super::DepartmentSession;
use crate::{
    apply::Event,
    commands::Ctx,
    error::Error,
    resources::connector::{Goal, Outcome, Patience, Sight},
};

/// How long to wait unless told otherwise: nearly everything settles within three minutes (dossier `connect.md` §3.2).
pub(super) const TIMEOUT: &str = "10m";

/// Whether and how long to wait after a write.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct WaitArgs {
    /// Do not wait until the connector runs.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// How long to wait, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = TIMEOUT, value_parser = duration)]
    pub(super) timeout: Duration,
}

/// Waits until `name` is there; says what it sees meanwhile.
pub(super) async fn wait(
    ctx: &Ctx,
    session: &DepartmentSession,
    name: &str,
    goal: Goal,
    timeout: Duration,
) -> Result<Outcome, Error> {
    let progress = ctx.ui.progress();
    progress.on(&Event::Phase { name: "Wait", total: 0 });
    let watch = |sight: &Sight| {
        let text = format!("{name}: {sight}");
        progress.on(&Event::Note { text });
    };
    let patience = Patience {
        timeout,
        settle: Duration::ZERO,
        interrupt: ctx.interrupt.clone(),
        goal,
    };
    Ok(session.connectors.wait(name, &patience, &watch).await?)
}
