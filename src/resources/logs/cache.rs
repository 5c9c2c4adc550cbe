//! Cache of log lines on disk: a query for a cached time range needs no request, and still works after the service has
//! deleted the lines. Cached lines are redacted, and the folder is private.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cursor::{OVERLAP, Window, line_hash};
use crate::{
    api::logs::LogEntry,
    config::{
        IfExists, SaveError,
        save::{create_private_dir, save},
    },
    private,
};

/// Maximum number of lines per connector; the oldest are evicted first.
const MAX_LINES: usize = 20_000;
/// Maximum age of cached lines.
const MAX_AGE: Duration = Duration::from_hours(14 * 24);

/// Cache of the lines of one connector.
#[derive(Clone, Debug)]
pub struct LogCache {
    path: PathBuf,
    lock: PathBuf,
    folder: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct CacheEntry {
    /// Completely cached time spans by level, sorted and disjoint.
    #[serde(default)]
    covered: BTreeMap<String, Vec<(Timestamp, Timestamp)>>,
    /// Lines, oldest first.
    #[serde(default)]
    lines: Vec<LogEntry>,
}

impl LogCache {
    /// Returns the cache for connector `id` of the service at `base`, below `folder`.
    #[must_use]
    pub fn for_connector(folder: &Path, base: &str, id: &str) -> Self {
        let safe = |text: &str| -> String {
            let letters = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
            letters.collect()
        };
        let name = format!("{}_{}", safe(base), safe(id));
        Self {
            path: folder.join(format!("{name}.json")),
            lock: folder.join(format!("{name}.lock")),
            folder: folder.to_owned(),
        }
    }

    fn load(&self) -> CacheEntry {
        // An unreadable cache counts as empty.
        let text = std::fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Returns the lines of `levels` from `from` on and the time up to which they are complete; `None` if `from` is not
    /// cached.
    #[must_use]
    pub fn lines_from(&self, from: Timestamp, levels: &[String]) -> Option<(Timestamp, Vec<LogEntry>)> {
        let kept = self.load();
        let mut until = None;
        for level in levels {
            let spans = kept.covered.get(level)?;
            let (_, end) = spans.iter().find(|(begin, end)| *begin <= from && from < *end)?;
            until = Some(until.map_or(*end, |until: Timestamp| until.min(*end)));
        }
        let until = until?;
        let wanted = |line: &LogEntry| {
            levels.contains(&line.level) && line.parsed_timestamp().is_some_and(|at| (from..until).contains(&at))
        };
        Some((until, kept.lines.into_iter().filter(wanted).collect()))
    }

    /// Stores the lines of a window, oldest first. The window must have been read completely and without a text filter.
    /// Recent times, for which lines may arrive late, are not marked as complete.
    ///
    /// # Errors
    /// When writing fails; the previous content is kept.
    pub fn store(
        &self,
        window: Window,
        levels: &[String],
        lines: &[LogEntry],
        now: Timestamp,
    ) -> Result<(), SaveError> {
        create_private_dir(&self.folder)?;
        let complete = now.saturating_sub(OVERLAP).unwrap_or(now);
        let end = truncate_to_second(window.to.min(complete));
        if end <= window.from {
            return Ok(());
        }
        let io = |source| SaveError::Io {
            action: "lock",
            path: self.lock.clone(),
            source,
        };
        let lock_file = private::open_lock_file(&self.lock).map_err(io)?;
        lock_file.lock().map_err(io)?;
        let mut kept = self.load();
        for level in levels {
            merge_span(kept.covered.entry(level.clone()).or_default(), (window.from, end));
        }
        // The window replaces cached lines, because it may contain late ones.
        let inside = |line: &LogEntry| line.parsed_timestamp().is_some_and(|at| window.from <= at && at < end);
        let replaced = |line: &LogEntry| inside(line) && levels.contains(&line.level);
        kept.lines.retain(|line| !replaced(line));
        kept.lines.extend(lines.iter().filter(|line| inside(line)).cloned());
        kept.lines.sort_by_cached_key(LogEntry::parsed_timestamp);
        kept.evict(now);
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        save(&self.path, &text, IfExists::Replace)
    }
}

impl CacheEntry {
    /// Evicts lines that are too old or too many.
    fn evict(&mut self, now: Timestamp) {
        let mut oldest = now.saturating_sub(MAX_AGE).unwrap_or(Timestamp::MIN);
        if let Some(surplus) = self.lines.len().checked_sub(MAX_LINES)
            && surplus > 0
        {
            let first = self.lines.get(surplus).and_then(LogEntry::parsed_timestamp);
            // The second of an evicted line is no longer complete.
            let next = first.map(|first| {
                truncate_to_second(first)
                    .saturating_add(Duration::from_secs(1))
                    .unwrap_or(first)
            });
            oldest = oldest.max(next.unwrap_or(now));
        }
        self.lines
            .retain(|line| line.parsed_timestamp().is_some_and(|at| at >= oldest));
        for spans in self.covered.values_mut() {
            spans.retain(|(_, end)| *end > oldest);
            for span in spans.iter_mut() {
                span.0 = span.0.max(oldest);
            }
        }
        self.covered.retain(|_, spans| !spans.is_empty());
    }
}

fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// Adds a span and merges adjacent spans.
fn merge_span(spans: &mut Vec<(Timestamp, Timestamp)>, new: (Timestamp, Timestamp)) {
    spans.push(new);
    spans.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (begin, end) in spans.drain(..) {
        match joined.last_mut() {
            Some(last) if begin <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((begin, end)),
        }
    }
    *spans = joined;
}

/// Joins `first` and `second` without duplicates at their common boundary.
#[must_use]
pub fn join_overlapping(first: Vec<LogEntry>, second: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut known: HashMap<u64, u32> = HashMap::new();
    for line in &first {
        *known.entry(line_hash(line)).or_default() += 1;
    }
    let again = |line: &LogEntry| match known.get_mut(&line_hash(line)) {
        Some(times) if *times > 0 => {
            *times -= 1;
            true
        }
        _ => false,
    };
    let mut again = again;
    let new: Vec<LogEntry> = second.into_iter().filter(|line| !again(line)).collect();
    first.into_iter().chain(new).collect()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn line(seconds: i64, level: &str) -> LogEntry {
        LogEntry {
            timestamp: format!("{:.3}", start() + seconds.seconds()),
            level: level.to_owned(),
            message: format!("{seconds}"),
            ..LogEntry::default()
        }
    }

    fn window(from: i64, to: i64) -> Window {
        Window {
            from: start() + from.seconds(),
            to: start() + to.seconds(),
        }
    }

    fn levels(levels: &[&str]) -> Vec<String> {
        levels.iter().map(|level| (*level).to_owned()).collect()
    }

    fn seconds(lines: &[LogEntry]) -> Vec<i64> {
        lines.iter().map(|line| line.message.parse().unwrap()).collect()
    }

    #[test]
    fn cached_lines_are_returned_and_recent_ones_are_not_treated_as_complete() {
        let folder = tempfile::tempdir().unwrap();
        let cache = LogCache::for_connector(folder.path(), "https://api.logging.confluent.cloud", "lcc-1");
        let both = levels(&["ERROR", "INFO"]);
        assert!(cache.lines_from(start(), &both).is_none());
        let lines = [line(10, "INFO"), line(100, "ERROR"), line(290, "INFO")];
        cache
            .store(window(0, 301), &both, &lines, start() + 300.seconds())
            .unwrap();
        let (until, found) = cache.lines_from(start() + 50.seconds(), &both).unwrap();
        assert_eq!(until, start() + 240.seconds(), "1 min before now");
        assert_eq!(seconds(&found), [100]);
        assert_eq!(cache.lines_from(start(), &levels(&["ERROR"])).unwrap().1.len(), 1);
        assert!(cache.lines_from(start(), &levels(&["WARN"])).is_none());
        assert!(cache.lines_from(start() - 1.second(), &both).is_none());
        // The next window continues where this one ended and contains late lines.
        let late = [line(200, "INFO"), line(290, "INFO"), line(400, "INFO")];
        cache
            .store(window(180, 600), &both, &late, start() + 700.seconds())
            .unwrap();
        let (until, found) = cache.lines_from(start(), &both).unwrap();
        assert_eq!(until, start() + 600.seconds());
        assert_eq!(seconds(&found), [10, 100, 200, 290, 400]);
    }

    #[test]
    fn the_cache_is_bounded_in_number_and_age() {
        let folder = tempfile::tempdir().unwrap();
        let cache = LogCache::for_connector(folder.path(), "x", "lcc-1");
        let all = levels(&["INFO"]);
        let many = i64::try_from(MAX_LINES).unwrap() + 500;
        let lines: Vec<LogEntry> = (0..many).map(|second| line(second, "INFO")).collect();
        cache
            .store(window(0, many), &all, &lines, start() + 100.hours())
            .unwrap();
        assert!(
            cache.lines_from(start(), &all).is_none(),
            "the oldest lines are evicted"
        );
        let (_, found) = cache.lines_from(start() + 501.seconds(), &all).unwrap();
        assert_eq!((found.len(), seconds(&found)[0]), (MAX_LINES - 1, 501));
        cache
            .store(window(360_000, 360_010), &all, &[], start() + 500.hours())
            .unwrap();
        assert!(
            cache.lines_from(start() + 501.seconds(), &all).is_none(),
            "lines expire after two weeks"
        );
    }

    #[test]
    fn a_damaged_cache_file_counts_as_empty_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("logs");
        let cache = LogCache::for_connector(&below, "http://127.0.0.1:1024/", "lcc-1/../x");
        let all = levels(&["INFO"]);
        cache
            .store(window(0, 60), &all, &[line(1, "INFO")], start() + 1.hour())
            .unwrap();
        assert!(cache.path.starts_with(&below) && cache.path.exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&below), mode(&cache.path)), (0o700, 0o600));
        }
        std::fs::write(&cache.path, "{").unwrap();
        assert!(cache.lines_from(start(), &all).is_none());
    }

    #[test]
    fn joining_overlapping_parts_drops_duplicates() {
        let (first, second) = (
            vec![line(1, "INFO"), line(2, "INFO"), line(2, "INFO")],
            vec![line(2, "INFO"), line(2, "INFO"), line(2, "INFO"), line(3, "INFO")],
        );
        assert_eq!(seconds(&join_overlapping(first, second)), [1, 2, 2, 2, 3]);
    }
}
