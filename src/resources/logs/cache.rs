//! Lines that were read before, on disk: a question about a time that was asked about before costs no request, also when the
//! service has thrown the lines away since. What is kept was scrubbed before; the folder is for its owner alone.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tail::{OVERLAP, Window, number_of};
use crate::{
    api::logs::LogEntry,
    config::{
        Existing, SaveError,
        save::{create_private_folder, save},
    },
};

/// How many lines of one connector are kept; the oldest go first.
const MOST: usize = 20_000;
/// How long they are kept.
const KEPT: Duration = Duration::from_hours(14 * 24);

/// The lines of one connector that are on disk.
#[derive(Clone, Debug)]
pub struct Cache {
    path: PathBuf,
    lock: PathBuf,
    folder: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// Of which times everything is here, by level, in order and apart from each other.
    #[serde(default)]
    covered: BTreeMap<String, Vec<(Timestamp, Timestamp)>>,
    /// The lines, the oldest first.
    #[serde(default)]
    lines: Vec<LogEntry>,
}

impl Cache {
    /// The lines of the connector `id` of the service at `base`, below `folder`.
    #[must_use]
    pub fn of(folder: &Path, base: &str, id: &str) -> Self {
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

    fn load(&self) -> Kept {
        // What cannot be read is not there.
        let text = std::fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Until when all lines of these levels are here from `from` on, and those lines; nothing when none are.
    #[must_use]
    pub fn from(&self, from: Timestamp, levels: &[String]) -> Option<(Timestamp, Vec<LogEntry>)> {
        let kept = self.load();
        let mut until = None;
        for level in levels {
            let spans = kept.covered.get(level)?;
            let (_, end) = spans.iter().find(|(begin, end)| *begin <= from && from < *end)?;
            until = Some(until.map_or(*end, |until: Timestamp| until.min(*end)));
        }
        let until = until?;
        let wanted =
            |line: &LogEntry| levels.contains(&line.level) && line.at().is_some_and(|at| (from..until).contains(&at));
        Some((until, kept.lines.into_iter().filter(wanted).collect()))
    }

    /// Keeps the lines of a window that was read to its end without a text being searched for, the oldest first. What may
    /// still come late is not taken for complete.
    ///
    /// # Errors
    /// The disk refuses; what was there is there still.
    pub fn keep(&self, window: Window, levels: &[String], lines: &[LogEntry], now: Timestamp) -> Result<(), SaveError> {
        create_private_folder(&self.folder)?;
        let complete = now.saturating_sub(OVERLAP).unwrap_or(now);
        let end = second(window.to.min(complete));
        if end <= window.from {
            return Ok(());
        }
        let io = |source| SaveError::Io {
            what: "lock",
            path: self.lock.clone(),
            source,
        };
        let turn = File::create(&self.lock).map_err(io)?;
        turn.lock().map_err(io)?;
        let mut kept = self.load();
        for level in levels {
            cover(kept.covered.entry(level.clone()).or_default(), (window.from, end));
        }
        // The window says again what was kept of it before, with what came late since.
        let inside = |line: &LogEntry| line.at().is_some_and(|at| window.from <= at && at < end);
        let replaced = |line: &LogEntry| inside(line) && levels.contains(&line.level);
        kept.lines.retain(|line| !replaced(line));
        kept.lines.extend(lines.iter().filter(|line| inside(line)).cloned());
        kept.lines.sort_by_cached_key(LogEntry::at);
        kept.forget(now);
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        save(&self.path, &text, Existing::Replace)
    }
}

impl Kept {
    /// Drops what is too old, or too much.
    fn forget(&mut self, now: Timestamp) {
        let mut oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        if let Some(surplus) = self.lines.len().checked_sub(MOST)
            && surplus > 0
        {
            let first = self.lines.get(surplus).and_then(LogEntry::at);
            // What was in the same second as what is dropped is not complete any more.
            let next = first.map(|first| second(first).saturating_add(Duration::from_secs(1)).unwrap_or(first));
            oldest = oldest.max(next.unwrap_or(now));
        }
        self.lines.retain(|line| line.at().is_some_and(|at| at >= oldest));
        for spans in self.covered.values_mut() {
            spans.retain(|(_, end)| *end > oldest);
            for span in spans.iter_mut() {
                span.0 = span.0.max(oldest);
            }
        }
        self.covered.retain(|_, spans| !spans.is_empty());
    }
}

fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// Adds a span; those that touch become one.
fn cover(spans: &mut Vec<(Timestamp, Timestamp)>, new: (Timestamp, Timestamp)) {
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

/// `first` and then `second`, without what both hold: they touch in a moment.
#[must_use]
pub fn joined(first: Vec<LogEntry>, second: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut known: HashMap<u64, u32> = HashMap::new();
    for line in &first {
        *known.entry(number_of(line)).or_default() += 1;
    }
    let again = |line: &LogEntry| match known.get_mut(&number_of(line)) {
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
    fn what_was_read_is_answered_and_what_may_come_late_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of(folder.path(), "https://api.logging.confluent.cloud", "lcc-1");
        let both = levels(&["ERROR", "INFO"]);
        assert!(cache.from(start(), &both).is_none());
        let lines = [line(10, "INFO"), line(100, "ERROR"), line(290, "INFO")];
        cache
            .keep(window(0, 301), &both, &lines, start() + 300.seconds())
            .unwrap();
        let (until, found) = cache.from(start() + 50.seconds(), &both).unwrap();
        assert_eq!(until, start() + 240.seconds(), "a minute before the present");
        assert_eq!(seconds(&found), [100]);
        assert_eq!(cache.from(start(), &levels(&["ERROR"])).unwrap().1.len(), 1);
        assert!(cache.from(start(), &levels(&["WARN"])).is_none());
        assert!(cache.from(start() - 1.second(), &both).is_none());
        // The next window goes on where this one ended, and brings what came late.
        let late = [line(200, "INFO"), line(290, "INFO"), line(400, "INFO")];
        cache
            .keep(window(180, 600), &both, &late, start() + 700.seconds())
            .unwrap();
        let (until, found) = cache.from(start(), &both).unwrap();
        assert_eq!(until, start() + 600.seconds());
        assert_eq!(seconds(&found), [10, 100, 200, 290, 400]);
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_age() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of(folder.path(), "x", "lcc-1");
        let all = levels(&["INFO"]);
        let many = i64::try_from(MOST).unwrap() + 500;
        let lines: Vec<LogEntry> = (0..many).map(|second| line(second, "INFO")).collect();
        cache
            .keep(window(0, many), &all, &lines, start() + 100.hours())
            .unwrap();
        assert!(cache.from(start(), &all).is_none(), "the oldest are gone");
        let (_, found) = cache.from(start() + 501.seconds(), &all).unwrap();
        assert_eq!((found.len(), seconds(&found)[0]), (MOST - 1, 501));
        cache
            .keep(window(360_000, 360_010), &all, &[], start() + 500.hours())
            .unwrap();
        assert!(
            cache.from(start() + 501.seconds(), &all).is_none(),
            "two weeks are over"
        );
    }

    #[test]
    fn a_broken_file_is_an_empty_one_and_others_cannot_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("logs");
        let cache = Cache::of(&below, "http://127.0.0.1:1024/", "lcc-1/../x");
        let all = levels(&["INFO"]);
        cache
            .keep(window(0, 60), &all, &[line(1, "INFO")], start() + 1.hour())
            .unwrap();
        assert!(cache.path.starts_with(&below) && cache.path.exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&below), mode(&cache.path)), (0o700, 0o600));
        }
        std::fs::write(&cache.path, "{").unwrap();
        assert!(cache.from(start(), &all).is_none());
    }

    #[test]
    fn two_parts_are_joined_without_what_both_hold() {
        let (first, second) = (
            vec![line(1, "INFO"), line(2, "INFO"), line(2, "INFO")],
            vec![line(2, "INFO"), line(2, "INFO"), line(2, "INFO"), line(3, "INFO")],
        );
        assert_eq!(seconds(&joined(first, second)), [1, 2, 2, 2, 3]);
    }
}
