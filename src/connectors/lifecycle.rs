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
    hint::connector_arg,
    model::ConnectorState,
    resources::connector::{
        LiveConnector, PollSnapshot, RestartMethod, WaitGoal, WaitOptions, planned_restart, wait::RESUME_TIME,
    },
    session::{ConnectorSession, RunContext},
};

/// Connectors that an action was applied to.
#[derive(Debug, Serialize)]
pub struct LifecycleResult {
    /// Action that the user requested, such as a pause.
    pub action: LifecycleAction,
    /// Whether the action was only planned.
    pub dry_run: bool,
    /// Connectors in the order of the request.
    pub connectors: Vec<LifecycleStep>,
}

/// Connector that an action was applied to.
#[derive(Debug, Serialize)]
pub struct LifecycleStep {
    /// Id of the connector (`lcc-…`).
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Id or name, whichever the user wrote.
    #[serde(skip)]
    pub shown_name: String,
    /// How the connector was restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarted_by: Option<RestartMethod>,
}

/// Applies `action` to the connectors in `observed`, or with `dry_run` returns what it would do. Continues after a
/// failure, because connectors are independent. `written` is how the user selected them.
pub async fn apply_action(
    run: &RunContext,
    session: &ConnectorSession,
    observed: &[LiveConnector],
    written: &[String],
    action: LifecycleAction,
    dry_run: bool,
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
        let shown_name = selectors::shown_name(connector, written);
        let applied = match dry_run {
            true => plan_one(connector, action),
            false => apply_one(session, connector, action).await,
        };
        match applied {
            Ok(restarted_by) => connectors.push(LifecycleStep {
                id: connector.id().to_owned(),
                name: connector.name.clone(),
                shown_name,
                restarted_by,
            }),
            Err(error) => {
                let error = error
                    .context(format!("failed to {verb} `{shown_name}`"))
                    .for_platform_team(session.platform_team());
                failures.push(add_lifecycle_hints(session, connector, action, error));
            }
        }
    }
    let error = combine_errors(failures, !connectors.is_empty());
    let applied = LifecycleResult {
        action,
        dry_run,
        connectors,
    };
    PartialResult {
        value: (!applied.connectors.is_empty()).then_some(applied),
        error,
    }
}

fn plan_one(observed: &LiveConnector, action: LifecycleAction) -> Result<Option<RestartMethod>, Error> {
    match action {
        LifecycleAction::Restart => Ok(Some(planned_restart(observed)?)),
        LifecycleAction::Pause | LifecycleAction::Resume => Ok(None),
    }
}

/// Adds the command that helps: for a paused connector to resume it, for a denied caller the profile to use.
fn add_lifecycle_hints(
    session: &ConnectorSession,
    observed: &LiveConnector,
    action: LifecycleAction,
    error: Error,
) -> Error {
    if action == LifecycleAction::Restart && observed.state().is_paused() {
        let name = connector_arg(observed.id(), &observed.name);
        let resume = session.options.suggest(&format!("connector resume {name}"));
        return error.with_hint(format!("Resume it with `{resume}`."));
    }
    match &session.department {
        Some(department) if error.kind == ErrorKind::Denied && department.persona.as_deref() != Some("operator") => {
            error.with_hint(format!(
                "In the built-in templates, the persona `operator` pauses, resumes and restarts connectors: \
                 `--profile {}-operator`.",
                department.code
            ))
        }
        _ => error,
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
    /// Id of the connector (`lcc-…`).
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Id or name, whichever the user wrote.
    #[serde(skip)]
    pub shown_name: String,
    /// State as last observed.
    pub status: ConnectorState,
}

/// Waits until the connector with the id or name `selector` reaches `goal`, and reports its states.
///
/// # Errors
/// A request fails. A goal that is not reached is in the field `error` of the returned value.
pub async fn wait_for(
    run: &RunContext,
    session: &ConnectorSession,
    selector: &str,
    goal: WaitGoal,
    timeout: Duration,
) -> Result<PartialResult<AwaitedConnector>, Error> {
    let (name, written) = (selectors::find(session, selector).await?.name, selector.to_owned());
    let progress = run.reporter.start_progress();
    progress.on_event(&RunEvent::Phase { name: "Wait", total: 0 });
    let on_change = |snapshot: &PollSnapshot| {
        let text = format!("{name}: {snapshot}");
        progress.on_event(&RunEvent::Note { text });
    };
    let options = WaitOptions {
        timeout,
        settle_time: Duration::ZERO,
        pause_limit: RESUME_TIME,
        interrupt: run.cancel.clone(),
        goal,
    };
    let text = options.describe(&name, session.connectors.clock.now());
    progress.on_event(&RunEvent::Note { text });
    let outcome = session.connectors.wait(&name, &options, &on_change).await?;
    let awaited = |observed: &LiveConnector| AwaitedConnector {
        id: observed.id().to_owned(),
        name: observed.name.clone(),
        shown_name: selectors::shown_name(observed, std::slice::from_ref(&written)),
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
