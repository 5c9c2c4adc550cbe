//! One connector's lines, read once or for as long as somebody wants to see them. All waiting goes through the clock.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{
    spool::Spool,
    tail::{OVERLAP, Reading, Tail, Window},
};
use crate::{
    api::{
        connect::Expanded,
        logs::{LogEntry, Search, SearchLogs},
    },
    client::{ClientError, ConnectorLogs, Logs, Scrubber},
    clock::Clock,
    model::Crn,
    resources::connector::{Connectors, Seen},
};

/// How often new lines are asked for: three requests a minute leave two for pages and for others (dossier `logs.md` §2.8).
pub const POLL: Duration = Duration::from_secs(20);
/// How often it is looked whether the connectors are still the same: one list for all of them.
const LOOK: Duration = Duration::from_mins(1);
/// The longest wait after failures in a row.
const LONGEST: Duration = Duration::from_mins(5);

/// Which lines are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `INFO`, `WARN`, `ERROR`.
    pub levels: Vec<String>,
    /// A text or a regular expression, judged by the service.
    pub text: Option<String>,
    /// Only lines of this task.
    pub task: Option<u32>,
}

impl Question {
    /// Whether a line is of the task that is meant; the service cannot be asked for it.
    #[must_use]
    pub fn is_of_task(&self, line: &LogEntry) -> bool {
        self.task.is_none_or(|task| line.task_id == format!("task-{task}"))
    }
}

/// Whose lines.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The connector, by name.
    pub crn: Crn,
    /// Its id, where it is known: the expanded list alone tells it.
    pub id: Option<String>,
}

impl Subject {
    /// By what its limit is kept.
    #[must_use]
    pub fn key(&self) -> &str {
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
    Spool(#[from] io::Error),
}

/// Reads a window into a spool, scrubbed, and says whether there is more than `limit` lines.
///
/// # Errors
/// The service, or the disk. Then the spool holds only a part, from the end of the window.
pub async fn read(
    logs: &ConnectorLogs,
    subject: &Subject,
    question: &Question,
    window: Window,
    limit: Option<usize>,
    scrubber: &mut Scrubber,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(Spool, bool), LogError> {
    let mut spool = Spool::default();
    let search = SearchLogs {
        connector: subject.crn.clone(),
        search: Search {
            level: question.levels.clone(),
            search_text: question.text.clone(),
            id: subject.id.clone(),
        },
        from: window.from,
        to: window.to,
        page: None,
    };
    let mut pages = std::pin::pin!(logs.pages(search));
    while let Some(mut lines) = pages.try_next().await? {
        lines.retain(|line| question.is_of_task(line));
        let room = limit.map_or(usize::MAX, |limit| limit - spool.len());
        let more = lines.len() > room;
        lines.truncate(room);
        for line in &mut lines {
            scrub(line, scrubber);
        }
        spool.push(&lines)?;
        progress(spool.len());
        // A full page that fills the limit exactly may have been the last: asking costs a request, so nobody asks.
        if more || limit.is_some_and(|limit| spool.len() >= limit) {
            return Ok((spool, true));
        }
    }
    Ok((spool, false))
}

fn scrub(line: &mut LogEntry, scrubber: &mut Scrubber) {
    let clean = |scrubber: &mut Scrubber, text: &mut String| {
        if let std::borrow::Cow::Owned(scrubbed) = scrubber.scrub(text) {
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
pub struct Roster {
    connectors: Connectors,
    held: Mutex<(Timestamp, Arc<BTreeMap<String, Expanded>>)>,
}

impl Roster {
    /// Looks at these connectors, which were seen as `list` just now.
    #[must_use]
    pub fn new(connectors: Connectors, list: BTreeMap<String, Expanded>) -> Self {
        let now = connectors.clock.now();
        Self {
            connectors,
            held: Mutex::new((now, Arc::new(list))),
        }
    }

    /// The connectors, as they were at most a minute ago.
    async fn list(&self) -> Result<Arc<BTreeMap<String, Expanded>>, ClientError> {
        let mut held = self.held.lock().await;
        if self.connectors.clock.since(held.0) >= LOOK {
            let list = Arc::new(self.connectors.list().await?);
            *held = (self.connectors.clock.now(), list);
        }
        Ok(held.1.clone())
    }
}

/// What happens while a connector is followed.
#[derive(Debug)]
pub enum Event {
    /// New lines, the oldest first.
    Lines(Vec<LogEntry>),
    /// Nothing is new.
    Quiet,
    /// Its state is another one; nothing when it is gone.
    State(Option<Box<Seen>>),
    /// One of the same name was made anew: its lines are followed from now on.
    Anew {
        /// The id that it had.
        old: String,
        /// The id that it has.
        new: String,
    },
    /// Lines cannot be read just now; it goes on after a while, and nothing is lost.
    Trouble {
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
    subject: Subject,
    question: Question,
    all: Logs,
    logs: ConnectorLogs,
    roster: Arc<Roster>,
    clock: Clock,
    scrubber: Scrubber,
    tail: Tail,
    /// The window that was read, and what is left of it.
    reading: Option<(Reading, Spool)>,
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
        seen: &Seen,
        subject: Subject,
        question: Question,
        start: Timestamp,
        scrubber: Scrubber,
        all: &Logs,
        roster: Arc<Roster>,
    ) -> Self {
        let clock = roster.connectors.clock.clone();
        Self {
            name: seen.name.clone(),
            logs: all.of(subject.key()),
            all: all.clone(),
            subject,
            question,
            roster,
            due: clock.now(),
            clock,
            scrubber,
            tail: Tail::new(start, OVERLAP),
            reading: None,
            state: seen.state().to_owned(),
            failures: 0,
            gone: false,
        }
    }

    /// Waits until it is time to look, and says what is new. May be dropped at any moment and asked again.
    ///
    /// # Errors
    /// What will not pass by itself: a key without the right, a service that is not there.
    pub async fn next(&mut self) -> Result<Event, LogError> {
        if let Some(lines) = self.told()? {
            return Ok(Event::Lines(lines));
        }
        let wait = Duration::try_from(self.due.duration_since(self.clock.now())).unwrap_or(Duration::ZERO);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        if let Some(event) = self.look().await {
            return Ok(event);
        }
        let now = self.clock.now();
        if self.gone {
            self.due = after(now, POLL);
            return Ok(Event::Quiet);
        }
        let window = self.tail.window(now);
        let (subject, question) = (&self.subject, &self.question);
        match read(&self.logs, subject, question, window, None, &mut self.scrubber, &|_| {}).await {
            Ok((spool, _)) => {
                self.failures = 0;
                self.due = after(now, POLL);
                self.reading = Some((Reading::of(window), spool));
                Ok(self.told()?.map_or(Event::Quiet, Event::Lines))
            }
            Err(LogError::Client(error)) if error.is_transient() => {
                let wait = POLL.saturating_mul(1 << self.failures.min(4)).min(LONGEST);
                self.failures += 1;
                self.due = after(self.clock.now(), wait);
                Ok(Event::Trouble {
                    error: Box::new(error),
                    wait,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// The next new lines of the window that was read.
    fn told(&mut self) -> io::Result<Option<Vec<LogEntry>>> {
        while let Some((reading, spool)) = &mut self.reading {
            let Some(mut lines) = spool.pop()? else {
                self.tail.end(reading);
                self.reading = None;
                return Ok(None);
            };
            lines.retain(|line| self.tail.is_new(reading, line));
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// Looks whether the connector is still the same. That it cannot be looked at stops nobody from reading its lines.
    async fn look(&mut self) -> Option<Event> {
        let list = match self.roster.list().await {
            Ok(list) => list,
            Err(error) => {
                tracing::info!(error = %error, "the connectors cannot be looked at");
                return None;
            }
        };
        let Some(now) = list.get(&self.name) else {
            let news = !std::mem::replace(&mut self.gone, true);
            return news.then_some(Event::State(None));
        };
        let seen = Seen {
            name: self.name.clone(),
            now: now.clone(),
        };
        self.gone = false;
        let id = &seen.now.id.id;
        if let Some(old) = self.subject.id.as_mut().filter(|old| !id.is_empty() && *old != id) {
            let old = std::mem::replace(old, id.clone());
            self.logs = self.all.of(id);
            // Nothing of the new one is older than this.
            self.tail = Tail::new(self.tail.reached(), OVERLAP);
            seen.state().clone_into(&mut self.state);
            return Some(Event::Anew { old, new: id.clone() });
        }
        if seen.state() != self.state && !seen.state().is_empty() {
            seen.state().clone_into(&mut self.state);
            return Some(Event::State(Some(Box::new(seen))));
        }
        None
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
