//! Status, tasks, advice.

use super::{bad, found};
use crate::{
    access::Operation,
    sandbox::{
        connector::status,
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
    },
};

pub(crate) fn status(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadStatus)?;
    Ok(Reply::ok(status::status(&found.connector, &found.seen)))
}

pub(crate) fn tasks(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(status::tasks(
        &found.connector,
        &found.seen,
        &found.crn.to_string(),
    )))
}

/// The words are the service's (dossier `connect.md` §2.10).
const NOTHING: &str = "could not generate recommendations as error stack trace is not available. Please retry when the \
                       connector is in a failed state.";

pub(crate) fn recommendations(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = found(tx, request, Operation::ReadStatus)?;
    let advice = status::recommendations(&found.connector, &found.seen);
    advice.map(Reply::ok).ok_or_else(|| bad(NOTHING))
}
