//! Shared implementation of pause, resume and restart.

use crate::{
    api::connect::LifecycleAction,
    commands::{CommandOutput, Ctx},
    connectors::{
        lifecycle::{LifecycleResult, apply_action},
        selectors,
    },
    error::Error,
    render::{Block, Viewable},
    resources::connector::RestartMethod,
    session::ConnectorSession,
    text,
};

/// Selection of connectors.
#[derive(Debug, clap::Args)]
pub(super) struct LifecycleTargetArgs {
    /// IDs or names of connectors; names may contain "*" and "?".
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// Select all your connectors.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
}

/// Applies the action to all selected connectors.
pub(super) fn run_lifecycle(
    ctx: &Ctx,
    targets: &LifecycleTargetArgs,
    action: LifecycleAction,
) -> Result<CommandOutput<LifecycleResult>, Error> {
    let session = ConnectorSession::open(&ctx.run)?;
    ctx.block_on(async {
        let observed = selectors::find_several(&session, &targets.connectors, targets.all).await?;
        Ok(apply_action(&ctx.run, &session, &observed, action).await.into())
    })
}

impl Viewable for LifecycleResult {
    fn view(&self) -> Vec<Block> {
        let verb = match self.action {
            LifecycleAction::Pause => "Paused",
            LifecycleAction::Resume => "Resumed",
            LifecycleAction::Restart => "Restarted",
        };
        let ids: Vec<&str> = self.connectors.iter().map(|done| done.id.as_str()).collect();
        let mut blocks = vec![Block::line(result_sentence(verb, &ids))];
        let by_pause: Vec<&str> = self
            .connectors
            .iter()
            .filter(|done| done.restarted_by == Some(RestartMethod::PauseAndResume))
            .map(|done| done.id.as_str())
            .collect();
        if !by_pause.is_empty() {
            blocks.push(Block::line(format!(
                "Confluent Cloud restarts only running connectors, so {} {} paused and resumed instead.",
                text::join_code(&by_pause),
                if by_pause.len() == 1 { "was" } else { "were" }
            )));
        }
        blocks
    }
}

/// Returns a result sentence of the Confluent CLI: `Paused connector "lcc-123".`, `Paused connectors "a", "b", and
/// "c".`
pub(super) fn result_sentence(verb: &str, ids: &[&str]) -> String {
    let noun = if ids.len() == 1 { "connector" } else { "connectors" };
    format!("{verb} {noun} {}.", text::join_quoted(ids))
}
