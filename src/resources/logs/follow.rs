//! Reading and following of a connector's logs. All waits use the injected clock.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{
    cursor::{FollowCursor, OVERLAP, Window, WindowPass},
    page_buffer::PageBuffer,
};
use crate::{
    api::{
        connect::ExpandedConnector,
        logs::{LogEntry, LogSearch, SearchLogs},
    },
    client::{ClientError, ConnectorLogsClient, LogsClient},
    clock::Clock,
    model::{ConnectorState, Crn},
    redact::TextRedactor,
    resources::connector::{ConnectorClient, LiveConnector},
};

/// Poll interval: three requests per minute leave two for further pages and other clients
/// (docs/reference/logs.md#late-lines).
pub const POLL_INTERVAL: Duration = Duration::from_secs(20);
/// Interval for listing connectors, with one list for all followers.
const LIST_INTERVAL: Duration = Duration::from_mins(1);
/// Maximum back-off after consecutive failures.
const MAX_BACKOFF: Duration = Duration::from_mins(5);

/// Filter for log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// Levels: `INFO`, `WARN`, `ERROR`.
    pub levels: Vec<String>,
    /// Text or regular expression, evaluated by the service.
    pub text: Option<String>,
    /// Task number.
    pub task: Option<u32>,
}

impl LogFilter {
    /// Returns whether a line belongs to the task; the service cannot filter by task.
    #[must_use]
    pub fn includes_task(&self, line: &LogEntry) -> bool {
        self.task.is_none_or(|task| line.task_id == format!("task-{task}"))
    }
}

/// Connector whose logs are read.
#[derive(Clone, Debug)]
pub struct LogTarget {
    /// CRN, which contains the name.
    pub crn: Crn,
    /// Id, if known; only the expanded list contains it.
    pub id: Option<String>,
}

impl LogTarget {
    /// Returns the key of the rate limit.
    #[must_use]
    pub fn rate_limit_key(&self) -> &str {
        self.id.as_deref().unwrap_or_else(|| self.crn.name())
    }
}

/// Reason why log lines could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The request failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The lines could not be buffered on disk.
    #[error("cannot buffer log lines on disk")]
    Buffer(#[from] io::Error),
}

/// Reads a window into a buffer, with secrets redacted, and returns whether there are more than `limit` lines.
///
/// # Errors
/// When the request or the disk fails. The buffer is then discarded.
pub async fn read_window(
    logs: &ConnectorLogsClient,
    target: &LogTarget,
    filter: &LogFilter,
    window: Window,
    limit: Option<usize>,
    scrubber: &mut TextRedactor,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(PageBuffer, bool), LogError> {
    let mut buffer = PageBuffer::default();
    let search = SearchLogs {
        connector: target.crn.clone(),
        search: LogSearch {
            level: filter.levels.clone(),
            search_text: filter.text.clone(),
            id: target.id.clone(),
        },
        from: window.from,
        to: window.to,
        page: None,
    };
    let mut pages = std::pin::pin!(logs.pages(search));
    while let Some(mut lines) = pages.try_next().await? {
        lines.retain(|line| filter.includes_task(line));
        let room = limit.map_or(usize::MAX, |limit| limit - buffer.len());
        let more = lines.len() > room;
        lines.truncate(room);
        for line in &mut lines {
            redact_line(line, scrubber);
        }
        buffer.push(&lines)?;
        progress(buffer.len());
        // A full page that reaches the limit exactly may be the last one; another request is not worth it.
        if more || limit.is_some_and(|limit| buffer.len() >= limit) {
            return Ok((buffer, true));
        }
    }
    Ok((buffer, false))
}

fn redact_line(line: &mut LogEntry, scrubber: &mut TextRedactor) {
    let clean = |scrubber: &mut TextRedactor, text: &mut String| {
        if let std::borrow::Cow::Owned(scrubbed) = scrubber.redact(text) {
            *text = scrubbed;
        }
    };
    clean(scrubber, &mut line.message);
    if let Some(exception) = &mut line.exception {
        clean(scrubber, &mut exception.stacktrace);
    }
}

/// Connector list shared by all followers and refreshed periodically.
#[derive(Debug)]
pub struct ConnectorListCache {
    client: ConnectorClient,
    cached: Mutex<(Timestamp, Arc<BTreeMap<String, ExpandedConnector>>)>,
}

impl ConnectorListCache {
    /// Creates a cache with the current `list`.
    #[must_use]
    pub fn new(connectors: ConnectorClient, list: BTreeMap<String, ExpandedConnector>) -> Self {
        let now = connectors.clock.now();
        Self {
            client: connectors,
            cached: Mutex::new((now, Arc::new(list))),
        }
    }

    /// Returns the connectors, at most 1 min old.
    async fn list(&self) -> Result<Arc<BTreeMap<String, ExpandedConnector>>, ClientError> {
        let mut held = self.cached.lock().await;
        if self.client.clock.elapsed_since(held.0) >= LIST_INTERVAL {
            let list = Arc::new(self.client.list().await?);
            *held = (self.client.clock.now(), list);
        }
        Ok(held.1.clone())
    }
}

/// Event of a follower.
#[derive(Debug)]
pub enum FollowEvent {
    /// New lines, oldest first.
    Lines(Vec<LogEntry>),
    /// No new lines.
    Idle,
    /// The state changed; `None` if the connector was deleted.
    State(Option<Box<LiveConnector>>),
    /// The connector was recreated; the new one is followed.
    Recreated {
        /// Previous id.
        old: String,
        /// New id.
        new: String,
    },
    /// Reading failed temporarily and is retried without losing lines.
    Retrying {
        /// Error.
        error: Box<ClientError>,
        /// Time until the retry.
        wait: Duration,
    },
}

/// Follower of one connector's logs.
#[derive(Debug)]
pub struct Follower {
    /// Connector name.
    pub name: String,
    target: LogTarget,
    filter: LogFilter,
    log_clients: LogsClient,
    logs: ConnectorLogsClient,
    connector_list: Arc<ConnectorListCache>,
    clock: Clock,
    scrubber: TextRedactor,
    cursor: FollowCursor,
    /// Current window and its buffered lines.
    pass: Option<(WindowPass, PageBuffer)>,
    state: ConnectorState,
    /// Time of the next request.
    due: Timestamp,
    failures: u32,
    gone: bool,
}

impl Follower {
    /// Creates a follower of `observed`, with lines from `start` on.
    #[must_use]
    pub fn new(
        observed: &LiveConnector,
        target: LogTarget,
        filter: LogFilter,
        start: Timestamp,
        scrubber: TextRedactor,
        log_clients: &LogsClient,
        connector_list: Arc<ConnectorListCache>,
    ) -> Self {
        let clock = connector_list.client.clock.clone();
        Self {
            name: observed.name.clone(),
            logs: log_clients.for_connector(target.rate_limit_key()),
            log_clients: log_clients.clone(),
            target,
            filter,
            connector_list,
            due: clock.now(),
            clock,
            scrubber,
            cursor: FollowCursor::new(start, OVERLAP),
            pass: None,
            state: observed.state().clone(),
            failures: 0,
            gone: false,
        }
    }

    /// Waits until the next event. Cancel-safe: the future may be dropped and the call repeated.
    ///
    /// # Errors
    /// When the error is not temporary, for example a missing permission.
    pub async fn next(&mut self) -> Result<FollowEvent, LogError> {
        if let Some(lines) = self.next_buffered_lines()? {
            return Ok(FollowEvent::Lines(lines));
        }
        let wait = Duration::try_from(self.due.duration_since(self.clock.now())).unwrap_or(Duration::ZERO);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        if let Some(event) = self.check_connector().await {
            return Ok(event);
        }
        let now = self.clock.now();
        if self.gone {
            self.due = saturating_after(now, POLL_INTERVAL);
            return Ok(FollowEvent::Idle);
        }
        let window = self.cursor.window(now);
        let (subject, question) = (&self.target, &self.filter);
        match read_window(&self.logs, subject, question, window, None, &mut self.scrubber, &|_| {}).await {
            Ok((spool, _)) => {
                self.failures = 0;
                self.due = saturating_after(now, POLL_INTERVAL);
                self.pass = Some((WindowPass::new(window), spool));
                Ok(self
                    .next_buffered_lines()?
                    .map_or(FollowEvent::Idle, FollowEvent::Lines))
            }
            Err(LogError::Client(error)) if error.is_transient() => {
                let wait = POLL_INTERVAL.saturating_mul(1 << self.failures.min(4)).min(MAX_BACKOFF);
                self.failures += 1;
                self.due = saturating_after(self.clock.now(), wait);
                Ok(FollowEvent::Retrying {
                    error: Box::new(error),
                    wait,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the next new lines of the current window.
    fn next_buffered_lines(&mut self) -> io::Result<Option<Vec<LogEntry>>> {
        while let Some((reading, spool)) = &mut self.pass {
            let Some(mut lines) = spool.pop()? else {
                self.cursor.finish_window(reading);
                self.pass = None;
                return Ok(None);
            };
            lines.retain(|line| self.cursor.is_new(reading, line));
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// Checks whether the connector has changed. A failure to check does not stop the follower.
    async fn check_connector(&mut self) -> Option<FollowEvent> {
        let list = match self.connector_list.list().await {
            Ok(list) => list,
            Err(error) => {
                tracing::info!(error = %error, "connectors could not be listed");
                return None;
            }
        };
        let Some(now) = list.get(&self.name) else {
            let news = !std::mem::replace(&mut self.gone, true);
            return news.then_some(FollowEvent::State(None));
        };
        let seen = LiveConnector {
            name: self.name.clone(),
            expanded: now.clone(),
        };
        self.gone = false;
        let id = &seen.expanded.id.id;
        if let Some(old) = self.target.id.as_mut().filter(|old| !id.is_empty() && *old != id) {
            let old = std::mem::replace(old, id.clone());
            self.logs = self.log_clients.for_connector(id);
            // The new connector has no older lines.
            self.cursor = FollowCursor::new(self.cursor.watermark(), OVERLAP);
            self.state.clone_from(seen.state());
            return Some(FollowEvent::Recreated { old, new: id.clone() });
        }
        if *seen.state() != self.state && *seen.state() != ConnectorState::Unreported {
            self.state.clone_from(seen.state());
            return Some(FollowEvent::State(Some(Box::new(seen))));
        }
        None
    }
}

fn saturating_after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
