//! One connector's lines, read once or for as long as somebody wants to see them. All waiting goes through the clock.

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
    model::Crn,
    redact::TextRedactor,
    resources::connector::{ConnectorClient, LiveConnector},
};

/// How often new lines are asked for: three requests a minute leave two for pages and for others
/// (docs/reference/logs.md#late-lines).
pub const POLL_INTERVAL: Duration = Duration::from_secs(20);
/// How often it is looked whether the connectors are still the same: one list for all of them.
const LIST_INTERVAL: Duration = Duration::from_mins(1);
/// The longest wait after failures in a row.
const MAX_BACKOFF: Duration = Duration::from_mins(5);

/// Which lines are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// `INFO`, `WARN`, `ERROR`.
    pub levels: Vec<String>,
    /// A text or a regular expression, judged by the service.
    pub text: Option<String>,
    /// Only lines of this task.
    pub task: Option<u32>,
}

impl LogFilter {
    /// Whether a line is of the task that is meant; the service cannot be asked for it.
    #[must_use]
    pub fn includes_task(&self, line: &LogEntry) -> bool {
        self.task.is_none_or(|task| line.task_id == format!("task-{task}"))
    }
}

/// Whose lines.
#[derive(Clone, Debug)]
pub struct LogTarget {
    /// The connector, by name.
    pub crn: Crn,
    /// Its id, where it is known: the expanded list alone tells it.
    pub id: Option<String>,
}

impl LogTarget {
    /// By what its limit is kept.
    #[must_use]
    pub fn rate_limit_key(&self) -> &str {
        self.id.as_deref().unwrap_or_else(|| self.crn.name())
    }
}

/// Why lines could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The service.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// They could not wait on this disk.
    #[error("log lines cannot be kept on this disk while they are read")]
    Buffer(#[from] io::Error),
}

/// Reads a window into a spool, scrubbed, and says whether there is more than `limit` lines.
///
/// # Errors
/// The service, or the disk. Then the spool holds only a part, from the end of the window.
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
        // A full page that fills the limit exactly may have been the last: asking costs a request, so nobody asks.
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

/// The connectors of a cluster, looked at now and then for all who follow some of them.
#[derive(Debug)]
pub struct ConnectorListCache {
    client: ConnectorClient,
    cached: Mutex<(Timestamp, Arc<BTreeMap<String, ExpandedConnector>>)>,
}

impl ConnectorListCache {
    /// Looks at these connectors, which were seen as `list` just now.
    #[must_use]
    pub fn new(connectors: ConnectorClient, list: BTreeMap<String, ExpandedConnector>) -> Self {
        let now = connectors.clock.now();
        Self {
            client: connectors,
            cached: Mutex::new((now, Arc::new(list))),
        }
    }

    /// The connectors, as they were at most a minute ago.
    async fn list(&self) -> Result<Arc<BTreeMap<String, ExpandedConnector>>, ClientError> {
        let mut held = self.cached.lock().await;
        if self.client.clock.elapsed_since(held.0) >= LIST_INTERVAL {
            let list = Arc::new(self.client.list().await?);
            *held = (self.client.clock.now(), list);
        }
        Ok(held.1.clone())
    }
}

/// What happens while a connector is followed.
#[derive(Debug)]
pub enum FollowEvent {
    /// New lines, the oldest first.
    Lines(Vec<LogEntry>),
    /// Nothing is new.
    Idle,
    /// Its state is another one; nothing when it is gone.
    State(Option<Box<LiveConnector>>),
    /// One of the same name was made anew: its lines are followed from now on.
    Recreated {
        /// The id that it had.
        old: String,
        /// The id that it has.
        new: String,
    },
    /// Lines cannot be read just now; it goes on after a while, and nothing is lost.
    Retrying {
        /// Why.
        error: Box<ClientError>,
        /// How long it waits.
        wait: Duration,
    },
}

/// Follows one connector.
#[derive(Debug)]
pub struct Follower {
    /// Its name.
    pub name: String,
    target: LogTarget,
    filter: LogFilter,
    log_clients: LogsClient,
    logs: ConnectorLogsClient,
    connector_list: Arc<ConnectorListCache>,
    clock: Clock,
    scrubber: TextRedactor,
    cursor: FollowCursor,
    /// The window that was read, and what is left of it.
    pass: Option<(WindowPass, PageBuffer)>,
    state: String,
    /// When to ask next.
    due: Timestamp,
    failures: u32,
    gone: bool,
}

impl Follower {
    /// Follows the connector `seen`, with lines from `start` on.
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
            state: observed.state().to_owned(),
            failures: 0,
            gone: false,
        }
    }

    /// Waits until it is time to look, and says what is new. May be dropped at any moment and asked again.
    ///
    /// # Errors
    /// What will not pass by itself: a key without the right, a service that is not there.
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

    /// The next new lines of the window that was read.
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

    /// Looks whether the connector is still the same. That it cannot be looked at stops nobody from reading its lines.
    async fn check_connector(&mut self) -> Option<FollowEvent> {
        let list = match self.connector_list.list().await {
            Ok(list) => list,
            Err(error) => {
                tracing::info!(error = %error, "the connectors cannot be looked at");
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
            // Nothing of the new one is older than this.
            self.cursor = FollowCursor::new(self.cursor.watermark(), OVERLAP);
            seen.state().clone_into(&mut self.state);
            return Some(FollowEvent::Recreated { old, new: id.clone() });
        }
        if seen.state() != self.state && !seen.state().is_empty() {
            seen.state().clone_into(&mut self.state);
            return Some(FollowEvent::State(Some(Box::new(seen))));
        }
        None
    }
}

fn saturating_after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
