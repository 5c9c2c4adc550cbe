//! Cursor that finds the new lines in overlapping windows. Pure, for exhaustive tests.
//!
//! Windows overlap because lines arrive late (docs/reference/logs.md#log-lines-and-pages and
//! docs/reference/logs.md#late-lines). Lines in the overlap were returned before. Lines are counted, not just
//! remembered, because a connector may log identical lines within one millisecond.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use jiff::Timestamp;

use crate::api::logs::LogEntry;

/// Overlap of windows; lines that arrive later than this are lost.
pub const OVERLAP: Duration = Duration::from_mins(1);

/// Time window of a search, in whole seconds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

impl Window {
    /// Returns whether the window contains a time.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        (self.from..=self.to).contains(&moment)
    }
}

/// Cursor of a follower. Its size does not grow over time: it keeps one hash for each line that a later window may
/// contain.
#[derive(Clone, Debug)]
pub struct FollowCursor {
    /// Lower bound of all windows.
    start: Timestamp,
    /// Time up to which windows were read completely.
    read_until: Option<Timestamp>,
    overlap: Duration,
    /// Number of times each line was returned.
    seen: HashMap<u64, u32>,
    order: BTreeSet<(Timestamp, u64)>,
}

/// Lines of one window on their way through a [`FollowCursor`].
#[derive(Clone, Debug)]
pub struct WindowPass {
    window: Window,
    /// Number of occurrences of each line in this window so far.
    counts: HashMap<u64, u32>,
}

impl WindowPass {
    /// Starts a pass over a window, whose lines may come in any order. The window counts as read after
    /// [`FollowCursor::finish_window`].
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self {
            window,
            counts: HashMap::new(),
        }
    }
}

/// Truncates to the second, the precision of search requests (docs/reference/logs.md#search-request).
fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl FollowCursor {
    /// Creates a cursor that begins at `start`.
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

    /// Returns the next window to search at `now`; it stays the same until it is finished.
    #[must_use]
    pub fn window(&self, now: Timestamp) -> Window {
        let back = |moment: Timestamp| moment.saturating_sub(self.overlap).unwrap_or(Timestamp::MIN);
        let from = self
            .read_until
            .map_or(self.start, |read| truncate_to_second(back(read)).max(self.start));
        // The end is also in whole seconds and includes the current one.
        let to = truncate_to_second(now)
            .saturating_add(Duration::from_secs(1))
            .unwrap_or(now);
        Window { from, to: to.max(from) }
    }

    /// Returns whether a line is new, and counts it as returned.
    pub fn is_new(&mut self, pass: &mut WindowPass, line: &LogEntry) -> bool {
        // A line with an invalid timestamp is remembered at the end of the window; a duplicate is better than a loss.
        let at = line.parsed_timestamp().unwrap_or(pass.window.to);
        // Lines outside of the window belong to another window.
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

    /// Finishes a window and forgets lines that no later window can contain.
    pub fn finish_window(&mut self, pass: &WindowPass) {
        let window = pass.window;
        self.read_until = Some(self.read_until.map_or(window.to, |read| read.max(window.to)));
        let next = self.window(window.to).from;
        let kept = self.order.split_off(&(next, 0));
        for (_, number) in std::mem::replace(&mut self.order, kept) {
            self.seen.remove(&number);
        }
    }

    /// Returns the watermark: the start of the next window.
    #[must_use]
    pub fn watermark(&self) -> Timestamp {
        self.window(self.start).from
    }

    /// Returns the number of remembered lines.
    #[must_use]
    pub fn remembered_lines(&self) -> usize {
        self.order.len()
    }
}

/// Returns a hash of a line; identical lines at the same time have the same hash.
#[must_use]
pub fn line_hash(line: &LogEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&line.timestamp, &line.level, &line.task_id, &line.message).hash(&mut hasher);
    // The beginning of the trace identifies it.
    let trace = line.trace();
    trace.get(..trace.len().min(400)).unwrap_or(trace).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
