//! Status, tasks and recommendations.

use super::{bad_request, find_connector};
use crate::{
    access::Operation,
    sandbox::{
        connector::status,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

pub(crate) fn status(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadStatus)?;
    Ok(Reply::ok(status::status(&found.connector, &found.evaluation)))
}

pub(crate) fn tasks(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(status::tasks(
        &found.connector,
        &found.evaluation,
        &found.crn.to_string(),
    )))
}

/// Text of the service (docs/reference/connect.md#error-recommendations).
const NO_RECOMMENDATIONS: &str = "could not generate recommendations as error stack trace is not available. Please retry when the \
                       connector is in a failed state.";

pub(crate) fn recommendations(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = find_connector(tx, request, Operation::ReadStatus)?;
    let advice = status::recommendations(&found.connector, &found.evaluation);
    advice.map(Reply::ok).ok_or_else(|| bad_request(NO_RECOMMENDATIONS))
}
