//! Shared implementation of pause, resume and restart.

use serde::Serialize;

use crate::{
    api::connect::LifecycleAction,
    commands::{CommandOutput, Ctx},
    connectors::selectors,
    error::{Error, ErrorKind},
    render::{Block, Viewable},
    resources::connector::{LiveConnector, RestartMethod},
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

/// Applies the action to all selected connectors. Continues after a failure, because connectors are independent.
pub(super) fn run_lifecycle(
    ctx: &Ctx,
    targets: &LifecycleTargetArgs,
    what: LifecycleAction,
) -> Result<CommandOutput<LifecycleOutput>, Error> {
    let session = ConnectorSession::open(&ctx.run)?;
    if targets.all {
        // Without a department, `--all` would select the connectors of all departments.
        session.require_department()?;
    }
    selectors::reject_foreign_names(session.department.as_ref(), &targets.connectors)?;
    ctx.block_on(async {
        let list = session.connectors.list_selected(&targets.connectors).await?;
        let observed = match targets.all {
            true => selectors::select_all(&session, &list),
            false => selectors::select(&session, &list, &targets.connectors)?,
        };
        let mut outcome = LifecycleOutput {
            action: what,
            connectors: Vec::new(),
        };
        let mut failures = Vec::new();
        for connector in &observed {
            if ctx.run.cancel.is_cancelled() {
                failures.push(Error::new(ErrorKind::Interrupted, "interrupted"));
                break;
            }
            match apply_one(&session, connector, what).await {
                Ok(how) => outcome.connectors.push(LifecycleRow {
                    id: connector.id().to_owned(),
                    name: connector.name.clone(),
                    restarted_by: how,
                }),
                Err(error) => failures.push(error.context(format!("failed to {} `{}`", verb(what), connector.id()))),
            }
        }
        let some = !outcome.connectors.is_empty();
        let report = if some {
            CommandOutput::new(outcome)
        } else {
            CommandOutput::empty()
        };
        Ok(match crate::connectors::errors::combine_errors(failures, some) {
            Some(error) => report.with_error(error),
            None => report,
        })
    })
}

async fn apply_one(
    session: &ConnectorSession,
    observed: &LiveConnector,
    what: LifecycleAction,
) -> Result<Option<RestartMethod>, Error> {
    let connectors = &session.connectors;
    match what {
        LifecycleAction::Pause => connectors.pause(observed).await?,
        LifecycleAction::Resume => connectors.resume(observed).await?,
        LifecycleAction::Restart => return Ok(Some(connectors.restart(observed).await?)),
    }
    Ok(None)
}

fn verb(what: LifecycleAction) -> &'static str {
    match what {
        LifecycleAction::Pause => "pause",
        LifecycleAction::Resume => "resume",
        LifecycleAction::Restart => "restart",
    }
}

/// Connectors that the action was applied to.
#[derive(Debug, Serialize)]
pub(super) struct LifecycleOutput {
    action: LifecycleAction,
    connectors: Vec<LifecycleRow>,
}

#[derive(Debug, Serialize)]
struct LifecycleRow {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    restarted_by: Option<RestartMethod>,
}

impl Viewable for LifecycleOutput {
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
