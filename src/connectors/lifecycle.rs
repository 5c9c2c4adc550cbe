//! Pause, resume and restart of connectors, and the wait for a state.

use std::time::Duration;

use serde::Serialize;

use super::{
    errors::{PartialResult, combine_errors},
    selectors,
};
use crate::{
    api::connect::LifecycleAction,
    apply::RunEvent,
    error::{Error, ErrorKind},
    model::ConnectorState,
    resources::connector::{LiveConnector, PollSnapshot, RestartMethod, WaitGoal, WaitOptions},
    session::{ConnectorSession, RunContext},
};

/// Connectors that an action was applied to.
#[derive(Debug, Serialize)]
pub struct LifecycleResult {
    /// Action.
    pub action: LifecycleAction,
    /// Connectors in the order of the request.
    pub connectors: Vec<LifecycleStep>,
}

/// Connector that an action was applied to.
#[derive(Debug, Serialize)]
pub struct LifecycleStep {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// How the connector was restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarted_by: Option<RestartMethod>,
}

/// Applies `action` to the connectors in `observed`. Continues after a failure, because connectors are independent.
pub async fn apply_action(
    run: &RunContext,
    session: &ConnectorSession,
    observed: &[LiveConnector],
    action: LifecycleAction,
) -> PartialResult<LifecycleResult> {
    let verb = match action {
        LifecycleAction::Pause => "pause",
        LifecycleAction::Resume => "resume",
        LifecycleAction::Restart => "restart",
    };
    let mut connectors = Vec::new();
    let mut failures = Vec::new();
    for connector in observed {
        if run.cancel.is_cancelled() {
            failures.push(Error::new(ErrorKind::Interrupted, "interrupted"));
            break;
        }
        match apply_one(session, connector, action).await {
            Ok(restarted_by) => connectors.push(LifecycleStep {
                id: connector.id().to_owned(),
                name: connector.name.clone(),
                restarted_by,
            }),
            Err(error) => failures.push(
                error
                    .context(format!("failed to {verb} `{}`", connector.id()))
                    .for_platform_team(session.platform_team()),
            ),
        }
    }
    let error = combine_errors(failures, !connectors.is_empty());
    let applied = LifecycleResult { action, connectors };
    PartialResult {
        value: (!applied.connectors.is_empty()).then_some(applied),
        error,
    }
}

async fn apply_one(
    session: &ConnectorSession,
    observed: &LiveConnector,
    action: LifecycleAction,
) -> Result<Option<RestartMethod>, Error> {
    let connectors = &session.connectors;
    match action {
        LifecycleAction::Pause => connectors.pause(observed).await?,
        LifecycleAction::Resume => connectors.resume(observed).await?,
        LifecycleAction::Restart => return Ok(Some(connectors.restart(observed).await?)),
    }
    Ok(None)
}

/// State at the end of a wait.
#[derive(Debug, Serialize)]
pub struct AwaitedConnector {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// State as last observed.
    pub status: ConnectorState,
}

/// Waits until the connector with the id or name `selector` reaches `goal`, and reports its states.
///
/// # Errors
/// A request fails. A goal that is not reached is an error of the result.
pub async fn wait_for(
    run: &RunContext,
    session: &ConnectorSession,
    selector: &str,
    goal: WaitGoal,
    timeout: Duration,
) -> Result<PartialResult<AwaitedConnector>, Error> {
    let name = selectors::find(session, selector).await?.name;
    let progress = run.reporter.start_progress();
    progress.on_event(&RunEvent::Phase { name: "Wait", total: 0 });
    let on_change = |snapshot: &PollSnapshot| {
        let text = format!("{name}: {snapshot}");
        progress.on_event(&RunEvent::Note { text });
    };
    let options = WaitOptions {
        timeout,
        settle_time: Duration::ZERO,
        interrupt: run.cancel.clone(),
        goal,
    };
    let outcome = session.connectors.wait(&name, &options, &on_change).await?;
    let awaited = |observed: &LiveConnector| AwaitedConnector {
        id: observed.id().to_owned(),
        name: observed.name.clone(),
        status: observed.state().clone(),
    };
    Ok(match outcome.into_result(&name) {
        Ok(observed) => PartialResult {
            value: Some(awaited(&observed)),
            error: None,
        },
        Err(error) => PartialResult {
            value: error.observed().map(awaited),
            error: Some(Error::from(error).for_platform_team(session.platform_team())),
        },
    })
}
