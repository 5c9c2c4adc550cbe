//! Shared implementation of pause, resume and restart.

use super::show;
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
    /// Show the connectors without changing them.
    #[arg(long)]
    dry_run: bool,
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
        let written = &targets.connectors;
        Ok(
            apply_action(&ctx.run, &session, &observed, written, action, targets.dry_run)
                .await
                .into(),
        )
    })
}

impl Viewable for LifecycleResult {
    fn view(&self) -> Vec<Block> {
        let verb = match self.action {
            LifecycleAction::Pause => "Paused",
            LifecycleAction::Resume => "Resumed",
            LifecycleAction::Restart => "Restarted",
        };
        let names: Vec<&str> = self.connectors.iter().map(|done| done.shown_name.as_str()).collect();
        let sentence = result_sentence(verb, &names);
        let mut blocks = vec![match self.dry_run {
            true => show::dry_run(&sentence),
            false => Block::line(sentence),
        }];
        let by_pause: Vec<&str> = self
            .connectors
            .iter()
            .filter(|done| done.restarted_by == Some(RestartMethod::PauseAndResume))
            .map(|done| done.shown_name.as_str())
            .collect();
        if !by_pause.is_empty() {
            blocks.push(Block::line(format!(
                "Confluent Cloud restarts only running connectors, so {} {} paused and resumed instead.",
                text::join_code(&by_pause),
                match (self.dry_run, by_pause.len()) {
                    (true, _) => "would be",
                    (false, 1) => "was",
                    (false, _) => "were",
                }
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
