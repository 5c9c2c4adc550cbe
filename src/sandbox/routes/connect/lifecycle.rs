//! Pause, resume, restart: 202 at once, done after a while (dossier `connect.md` §2.6 to §2.8).

use http::StatusCode;

use super::{bad, found};
use crate::{
    access::Operation,
    sandbox::{
        connector::{
            life::{Act, State},
            offsets::position,
        },
        reply::{Refusal, Reply},
        request::Request,
        state::Change,
        tx::Tx,
    },
};

pub(crate) fn pause(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    act(tx, request, Act::Paused)
}

pub(crate) fn resume(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    act(tx, request, Act::Resumed)
}

pub(crate) fn restart(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    act(tx, request, Act::Restarted)
}

fn act(tx: &mut Tx<'_>, request: &Request, act: Act) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::Lifecycle)?;
    let position = position(&found.connector, &found.seen, tx.now);
    let (mut connector, state) = (found.connector, found.seen.state);
    let failed = tx.assumptions().connect.failed_restartable && state == State::Failed;
    let done = match act {
        Act::Paused => connector.run.act == Act::Paused,
        // Resuming what runs, or is on its way, changes nothing.
        Act::Resumed => connector.run.act != Act::Paused,
        _ if state != State::Running && !failed => {
            return Err(bad(format!(
                "Connector {} cannot be restarted: it is {}, not RUNNING",
                connector.name,
                state.as_str()
            )));
        }
        _ => false,
    };
    if !done {
        connector.offsets.hold(position, tx.now);
        connector.act(act, state, tx.now);
        tx.change(Change::Connector(connector));
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}
