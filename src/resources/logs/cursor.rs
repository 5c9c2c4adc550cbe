//! Which lines of an answer are new: pure, so that every course of events can be tried.
//!
//! Windows overlap, because lines are found late (docs/reference/logs.md#log-lines-and-pages and
//! docs/reference/logs.md#late-lines). What a window holds again was seen before; but a connector may well say the same
//! thing twice in the same millisecond, so that lines are counted, not only known.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use jiff::Timestamp;

use crate::api::logs::LogEntry;

/// How far windows reach back: lines that are found later than this are lost.
pub const OVERLAP: Duration = Duration::from_mins(1);

/// A stretch of time that is searched; to the second, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Window {
    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        (self.from..=self.to).contains(&moment)
    }
}

/// Where following a connector has got to. What it keeps does not grow with the time that it follows: only lines that a
/// later window can hold again are remembered, and of these a number each.
#[derive(Clone, Debug)]
pub struct FollowCursor {
    /// Nothing before it is wanted.
    start: Timestamp,
    /// Until when windows have been read to their ends.
    read_until: Option<Timestamp>,
    overlap: Duration,
    /// How often each line was passed on, and when it lies, so that it can be forgotten.
    seen: HashMap<u64, u32>,
    order: BTreeSet<(Timestamp, u64)>,
}

/// One window's worth of lines on their way through a [`Tail`].
#[derive(Clone, Debug)]
pub struct WindowPass {
    window: Window,
    /// How often each line was in this window so far.
    counts: HashMap<u64, u32>,
}

impl WindowPass {
    /// Begins to read a window, whose lines come in any order. Without [`Tail::end`] nothing of it has been read.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self {
            window,
            counts: HashMap::new(),
        }
    }
}

/// The second that a moment lies in, which is all that the service is told (docs/reference/logs.md#search-request).
fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl FollowCursor {
    /// Follows from `start` on.
    #[must_use]
    pub fn new(start: Timestamp, overlap: Duration) -> Self {
        Self {
            start: truncate_to_second(start),
            read_until: None,
            overlap,
            seen: HashMap::new(),
            order: BTreeSet::new(),
        }
    }

    /// What to search next at `now`. The same until it was read to its end.
    #[must_use]
    pub fn window(&self, now: Timestamp) -> Window {
        let back = |moment: Timestamp| moment.saturating_sub(self.overlap).unwrap_or(Timestamp::MIN);
        let from = self
            .read_until
            .map_or(self.start, |read| truncate_to_second(back(read)).max(self.start));
        // The end is told in whole seconds, too, and the present one counts.
        let to = truncate_to_second(now)
            .saturating_add(Duration::from_secs(1))
            .unwrap_or(now);
        Window { from, to: to.max(from) }
    }

    /// Whether a line is new. It counts as passed on from now on.
    pub fn is_new(&mut self, pass: &mut WindowPass, line: &LogEntry) -> bool {
        // A line without a time that can be read is remembered with the window's end: better once too often than never.
        let at = line.parsed_timestamp().unwrap_or(pass.window.to);
        // What the service sends beyond what was asked for, another window has had or will have.
        if !pass.window.contains(at) {
            return false;
        }
        let number = line_hash(line);
        let here = pass.counts.entry(number).or_default();
        *here += 1;
        let seen = self.seen.entry(number).or_default();
        if *here <= *seen {
            return false;
        }
        *seen += 1;
        self.order.insert((at, number));
        true
    }

    /// The window was read to its end: what no later one can hold is forgotten.
    pub fn finish_window(&mut self, pass: &WindowPass) {
        let window = pass.window;
        self.read_until = Some(self.read_until.map_or(window.to, |read| read.max(window.to)));
        let next = self.window(window.to).from;
        let kept = self.order.split_off(&(next, 0));
        for (_, number) in std::mem::replace(&mut self.order, kept) {
            self.seen.remove(&number);
        }
    }

    /// Until when everything has been read, with what may still come late before it.
    #[must_use]
    pub fn watermark(&self) -> Timestamp {
        self.window(self.start).from
    }

    /// How many lines are remembered.
    #[must_use]
    pub fn remembered_lines(&self) -> usize {
        self.order.len()
    }
}

/// A line as a number: two lines that say the same at the same time have the same.
#[must_use]
pub fn line_hash(line: &LogEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&line.timestamp, &line.level, &line.task_id, &line.message).hash(&mut hasher);
    // The head is enough: what follows is the same wherever the same thing happened at the same time.
    let trace = line.trace();
    trace.get(..trace.len().min(400)).unwrap_or(trace).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
