//! Pause, resume and restart: 202 at once, effective after a delay (docs/reference/connect.md#pause-and-resume and
//! docs/reference/connect.md#restart).

use http::StatusCode;

use super::{bad_request, find_connector};
use crate::{
    access::Operation,
    model::ConnectorState,
    sandbox::{
        connector::{
            lifecycle::{ConnectorAction, LifecycleState},
            offsets::current_offsets,
        },
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        state::StateChange,
        tx::Tx,
    },
};

pub(crate) fn pause(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    apply_action(tx, request, ConnectorAction::Paused)
}

pub(crate) fn resume(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    apply_action(tx, request, ConnectorAction::Resumed)
}

pub(crate) fn restart(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    apply_action(tx, request, ConnectorAction::Restarted)
}

fn apply_action(tx: &mut Tx<'_>, request: &ApiRequest, act: ConnectorAction) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::Lifecycle)?;
    let position = current_offsets(&found.connector, &found.evaluation, tx.now);
    let (mut connector, state) = (found.connector, found.evaluation.state);
    let failed = tx.assumptions().connect.failed_restartable && state == LifecycleState::Failed;
    let done = match act {
        ConnectorAction::Paused => connector.run.action == ConnectorAction::Paused,
        // Resuming a connector that runs or is starting changes nothing.
        ConnectorAction::Resumed => connector.run.action != ConnectorAction::Paused,
        _ if state != LifecycleState::Running && !failed => {
            return Err(bad_request(format!(
                "Connector {} cannot be restarted: it is {}, not RUNNING",
                connector.name,
                ConnectorState::from(state)
            )));
        }
        _ => false,
    };
    if !done {
        connector.offsets.freeze(position, tx.now);
        connector.record_action(act, state, tx.now);
        tx.record(StateChange::Connector(connector));
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}
