//! Collects evidence besides the status: the recommendation of Confluent Cloud, and recent log errors.

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::DiagnosedConnector;
use crate::{
    api::connect::ErrorRecommendations,
    apply::{Journal, JournalLine},
    connectors::logs::{ConnectorLogs, NewestLines},
    error::{Error, ErrorKind},
    resources::connector::diagnosis::ConnectorHealth,
    session::{ConnectorSession, RunContext},
};

/// Number of connectors that are observed concurrently.
const CONCURRENCY: usize = 8;

/// Evidence about a connector besides its status.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Recommendation of Confluent Cloud and start of the failure.
    pub advice: Option<ErrorRecommendations>,
    /// Newest error lines of the log, if they were read.
    pub log: Option<NewestLines>,
    /// Reason why log lines could not be read, if they could add evidence.
    pub log_error: Option<String>,
    /// Last change by this machine, for a connector that has not started: the service does not report since when.
    pub changed_at: Option<Timestamp>,
}

/// Collects the evidence about each connector.
pub(super) async fn collect(
    run: &RunContext,
    session: &ConnectorSession,
    diagnosed: Vec<DiagnosedConnector>,
) -> Vec<(DiagnosedConnector, Evidence)> {
    let only = diagnosed.len() == 1;
    let logs = match diagnosed.iter().any(|one| one.log_window(only).is_some()) {
        true => Some(ConnectorLogs::open(run, session).await),
        false => None,
    };
    let logs = logs.as_ref();
    let collect_one = |diagnosed: DiagnosedConnector| async move {
        let mut evidence = Evidence {
            advice: read_advice(run, session, &diagnosed).await,
            changed_at: diagnosed
                .is_starting()
                .then(|| last_change(session, &diagnosed))
                .flatten(),
            ..Evidence::default()
        };
        if let (Some(window), Some(logs)) = (diagnosed.log_window(only), logs) {
            let read = match logs {
                Ok(logs) => logs.recent_errors(&diagnosed.observed, window).await,
                Err(error) => Err(Error::failed(error.to_string())),
            };
            match read {
                Ok(newest) => evidence.log = Some(newest),
                // A failure to read the log matters only for an unhealthy connector.
                Err(_) if diagnosed.health == ConnectorHealth::Healthy && diagnosed.diagnosis.causes.is_empty() => {}
                Err(error) => evidence.log_error = Some(unread_reason(&error)),
            }
        }
        (diagnosed, evidence)
    };
    stream::iter(diagnosed)
        .map(collect_one)
        .buffered(CONCURRENCY)
        .collect()
        .await
}

/// Reads the recommendation of Confluent Cloud. The endpoint is undocumented
/// (docs/reference/connect.md#error-recommendations), so its failure is only a warning.
async fn read_advice(
    run: &RunContext,
    session: &ConnectorSession,
    diagnosed: &DiagnosedConnector,
) -> Option<ErrorRecommendations> {
    if !diagnosed.may_have_recommendations() {
        return None;
    }
    match session.connectors.recommendations(&diagnosed.observed.name).await {
        Ok(advice) => advice,
        Err(error) => {
            run.warn(format!("cannot read the recommendation of Confluent Cloud: {error}"));
            None
        }
    }
}

/// Returns when this machine last created or updated the connector, according to its journal.
fn last_change(session: &ConnectorSession, diagnosed: &DiagnosedConnector) -> Option<Timestamp> {
    let lines = Journal::read_timed(&session.journal_path).ok()?;
    let name = &diagnosed.observed.name;
    let names = |change: &str| {
        ["create", "update"]
            .iter()
            .any(|verb| change == format!("{verb} connector {name}"))
    };
    let changed = lines.iter().rev().find(|timed| match &timed.line {
        JournalLine::Done { change, .. } | JournalLine::Failed { change, .. } => names(change),
        _ => false,
    });
    changed.map(|timed| timed.at)
}

/// Returns a short reason why the log could not be read.
fn unread_reason(error: &Error) -> String {
    if error.kind == ErrorKind::Denied {
        // Source: docs/reference/logs.md#who-may-read-logs
        return "it requires ConnectManager or ResourceOwner on the connector".to_owned();
    }
    let mut chain = error.source.chain().map(ToString::to_string);
    let message = chain.next().unwrap_or_default();
    chain.next().unwrap_or(message)
}
