//! Explains why connectors fail: the cause, its owner, and the next steps with their commands.
//!
//! 1. [`DiagnosedConnector`]: the status, matched with the rules of [`diagnosis`](crate::resources::connector::diagnosis)
//! 2. [`Evidence`]: the recommendation of Confluent Cloud, and recent log errors if the status is inconclusive
//! 3. [`ConnectorExplanation`]: both as one serializable value, without secrets
//!
//! Only the second step sends requests. An error message can be explained without a connector
//! ([`ExplainedCause::from_message`]).

mod denied_topic;
mod diagnosed;
mod evidence;
mod explanation;
mod suggest;

pub use diagnosed::DiagnosedConnector;
pub use evidence::Evidence;
pub use explanation::{ConnectorExplanation, ExplainedCause, LogErrorSummary, NextStep};
pub use suggest::CommandBuilder;

use crate::{
    error::{Error, ErrorKind},
    resources::connector::LiveConnector,
    session::{ConnectorSession, RunContext},
};

/// Explains connectors, unhealthy ones first. With `no_records`, running connectors are diagnosed as transferring no
/// records. A source of evidence that cannot be read does not fail the explanation.
///
/// # Errors
/// The run is cancelled.
pub async fn explain_connectors(
    run: &RunContext,
    session: &ConnectorSession,
    observed: Vec<LiveConnector>,
    no_records: bool,
) -> Result<Vec<ConnectorExplanation>, Error> {
    let diagnosed = observed
        .into_iter()
        .map(|observed| DiagnosedConnector::new(observed, no_records))
        .collect();
    let supported = tokio::select! {
        supported = evidence::collect(run, session, diagnosed) => supported,
        () = run.cancel.cancelled() => {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted while observing connectors"));
        }
    };
    let commands = CommandBuilder::for_session(run, session);
    let now = session.telemetry.clock().now();
    let mut explanations: Vec<ConnectorExplanation> = supported
        .into_iter()
        .map(|(diagnosed, evidence)| ConnectorExplanation::new(diagnosed, evidence, &commands, now))
        .collect();
    explanations.sort_by(|a, b| (a.health, &a.name).cmp(&(b.health, &b.name)));
    Ok(explanations)
}
