//! Log lines of connectors.
//!
//! - [`ConnectorLogs::read_newest`]: the newest lines of a time window, in memory
//! - [`ConnectorLogs::read_all`]: all lines of a time window, passed to a [`LogListener`]
//! - [`ConnectorLogs::follow`]: new lines as they arrive, passed to a [`LogListener`]
//! - [`ConnectorLogs::recent_errors`]: the newest error lines, with at most one request

mod errors;
mod follow;
mod read;
mod reader;
mod recent_errors;

use std::time::Duration;

use jiff::Timestamp;

use super::{errors::combine_errors, view::visible_cause};
use crate::{
    api::logs::{HISTORY, LogEntry},
    client::LogsClient,
    error::{Error, ErrorKind},
    model::{ConnectorState, StageAddress},
    resources::{
        connector::{
            FailureCause, LiveConnector,
            diagnosis::{ConnectorHealth, health},
        },
        logs::{
            cursor::Window,
            follow::{FollowEvent, LogFilter, LogTarget},
        },
    },
    session::{ConnectorSession, RunContext, connector_crn},
};

/// Retention of log lines, less a margin for clock skew (docs/reference/logs.md#search-request).
const RETENTION: Duration = HISTORY.saturating_sub(Duration::from_mins(1));

/// Selection of log lines.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Time window; following begins at its start and has no end.
    pub window: Window,
    /// Conditions that the log entries must meet.
    pub filter: LogFilter,
    /// Maximum number of lines: of each connector when a window is read, of all connectors when they are followed.
    pub limit: Option<usize>,
    /// Whether [`ConnectorLogs::read_newest`] caches lines on this machine and reuses cached ones.
    pub cache: bool,
}

/// Returns the window between `from` and `to`, limited to the retention of the service unless cached lines may be
/// older. Without `to`, it ends at `now`.
///
/// # Errors
/// The window is empty.
pub fn log_window(
    run: &RunContext,
    mut from: Timestamp,
    to: Option<Timestamp>,
    now: Timestamp,
    cache: bool,
) -> Result<Window, Error> {
    // The API takes whole seconds.
    let to = to.unwrap_or_else(|| now.saturating_add(Duration::from_secs(1)).unwrap_or(now));
    let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
    if from < oldest && !cache {
        run.warn("log lines older than 72 hours are not available");
        from = oldest;
    }
    if from >= to {
        return Err(Error::usage("end-time must be greater than start-time")
            .with_hint("`--since` sets the start, `--until` sets the end."));
    }
    Ok(Window { from, to })
}

/// Receiver of log lines while they are read.
pub trait LogListener {
    /// Receives lines of a connector, oldest first.
    ///
    /// # Errors
    /// The lines cannot be written; reading then ends.
    fn on_lines(&mut self, connector: &str, lines: &[LogEntry]) -> Result<(), Error>;

    /// Receives a connector whose log is empty or cannot be read, with its state.
    fn on_unlogged(&mut self, connector: &ConnectorLines);

    /// Receives an event of a followed connector other than lines.
    fn on_event(&mut self, connector: &str, event: &FollowEvent);
}

/// Newest lines of a connector.
#[derive(Clone, Debug, Default)]
pub struct NewestLines {
    /// Lines, oldest first.
    pub lines: Vec<LogEntry>,
    /// Whether older lines were left out.
    pub more: bool,
}

/// Log lines of one connector.
#[derive(Clone, Debug)]
pub struct ConnectorLines {
    /// Name of the connector.
    pub name: String,
    /// Id of the connector, or its name if the id is unknown.
    pub id: String,
    /// Log lines, oldest first.
    pub lines: Vec<LogEntry>,
    /// Whether older lines were left out.
    pub more: bool,
    /// Whether the log could not be read.
    pub unread: bool,
    /// State of the connector, if its log does not show it.
    pub state: Option<ConnectorState>,
    /// Cause of a failure, with the state.
    pub cause: Option<FailureCause>,
}

impl ConnectorLines {
    /// Returns the lines of a connector that was read, with its state if it is unhealthy but logs nothing.
    fn new(observed: &LiveConnector, newest: NewestLines) -> Self {
        let cause = visible_cause(observed).filter(|_| newest.lines.is_empty());
        let unhealthy = health(&observed.expanded.status) == ConnectorHealth::Unhealthy;
        Self {
            name: observed.name.clone(),
            id: observed.id().to_owned(),
            state: (newest.lines.is_empty() && unhealthy).then(|| observed.state().clone()),
            cause,
            lines: newest.lines,
            more: newest.more,
            unread: false,
        }
    }

    /// Returns the state of a connector whose log cannot be read.
    fn unread(observed: &LiveConnector) -> Self {
        Self {
            unread: true,
            state: Some(observed.state().clone()),
            cause: visible_cause(observed),
            ..Self::new(observed, NewestLines::default())
        }
    }

    /// Returns whether the log is empty because no task ever started (docs/reference/logs.md#log-lines-and-pages).
    #[must_use]
    pub fn never_started(&self) -> bool {
        let rejected = |cause: &FailureCause| !cause.validation_errors.is_empty();
        self.lines.is_empty() && self.cause.as_ref().is_some_and(rejected)
    }
}

/// Failures to read the logs of several connectors.
#[derive(Debug)]
pub struct LogFailures {
    errors: Vec<Error>,
    connectors: usize,
}

impl LogFailures {
    fn new(connectors: usize) -> Self {
        Self {
            errors: Vec::new(),
            connectors,
        }
    }

    /// Returns whether at least one log could be read.
    #[must_use]
    pub fn any_read(&self) -> bool {
        self.errors.len() < self.connectors
    }

    /// Combines the failures into one error.
    #[must_use]
    pub fn into_error(self) -> Option<Error> {
        let any_read = self.any_read();
        combine_errors(self.errors, any_read)
    }
}

/// Access to the logs of a cluster's connectors, with one token for all of them.
pub struct ConnectorLogs<'a> {
    run: &'a RunContext,
    session: &'a ConnectorSession,
    client: LogsClient,
    address: StageAddress,
}

impl<'a> ConnectorLogs<'a> {
    /// Opens the logs. Requests the organization if no file contains it.
    ///
    /// # Errors
    /// The host is invalid, or the organization cannot be read.
    pub async fn open(run: &'a RunContext, session: &'a ConnectorSession) -> Result<Self, Error> {
        Ok(Self {
            run,
            session,
            client: session.telemetry.logs()?,
            address: session.telemetry.resolve_address(&session.connectors.client).await?,
        })
    }

    fn target(&self, observed: &LiveConnector) -> Result<LogTarget, Error> {
        Ok(LogTarget {
            crn: connector_crn(&self.address, &observed.name)?,
            id: Some(observed.expanded.id.id.clone()).filter(|id| !id.is_empty()),
        })
    }

    fn now(&self) -> Timestamp {
        self.session.telemetry.clock().now()
    }
}

fn interrupted_error() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted while reading log lines")
}
