//! Storage of the state, in memory or in a folder shared by several processes.
//!
//! The first line of `state.jsonl` is a snapshot. Each of the following lines contains the changes and the journal
//! entry of one request. A request locks the folder, reads the lines that other processes have appended, and appends
//! its own line with a single `write`. When the lines outgrow the snapshot, a new snapshot is written to a temporary
//! file and replaces `state.jsonl`. If a process dies while it appends, the next one cuts off the incomplete line.
//! Nothing is synced to disk: a lost sandbox can be recreated.

use std::{
    fs::File,
    io::{self, BufRead, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{
    crypt::{hex, random},
    journal::SandboxJournalEntry,
    state::{SandboxState, StateChange},
    state_dir,
};
use crate::private;

pub(super) const STATE_FILE: &str = "state.jsonl";
const JOURNAL_FILE: &str = "journal.jsonl";
pub(super) const LOCK_FILE: &str = "state.lock";

/// Minimum size of the lines, in bytes, before a new snapshot is written.
const COMPACT_FROM: u64 = 1 << 20;
/// Maximum size of the archived journal, in bytes; beyond it, the older half is discarded.
const ARCHIVE_LIMIT: u64 = 32 << 20;

/// Line with the changes and the journal entry of one request.
#[derive(Debug, Default, Serialize, Deserialize)]
struct StoreRecord {
    /// Offset of the clock, in milliseconds.
    #[serde(default)]
    ahead: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<StateChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<SandboxJournalEntry>,
}

/// First line of the file.
#[derive(Serialize, Deserialize)]
struct StateSnapshot<S> {
    /// Random id of the snapshot, at a fixed position in the line so that it can be read without the rest.
    generation: String,
    ahead: i64,
    state: S,
}

/// Stored state.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) state: SandboxState,
    /// Last stored offset of the clock.
    pub(crate) ahead: SignedDuration,
    /// Journal entries since the snapshot, if the state is in a folder.
    recent: Vec<SandboxJournalEntry>,
    location: Option<StoreLocation>,
}

#[derive(Debug)]
struct StoreLocation {
    dir: PathBuf,
    generation: String,
    /// Number of bytes read from the file.
    read: u64,
    /// Size of the snapshot in bytes.
    snapshot: u64,
}

/// Exclusive access to the folder until it is dropped.
pub(crate) struct StoreGuard {
    _lock: Option<File>,
    log: Option<File>,
}

fn corrupt_file_error(path: &Path, why: impl std::fmt::Display) -> io::Error {
    let text = format!(
        "`{}` is corrupt ({why}); recreate the sandbox with `confluent ebs sandbox reset`",
        path.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Store {
    /// Creates a store in memory.
    pub(crate) fn in_memory(state: SandboxState) -> Self {
        Self {
            state,
            ahead: SignedDuration::ZERO,
            recent: Vec::new(),
            location: None,
        }
    }

    /// Opens the store in `dir`; `build_initial` builds the initial state if there is none.
    pub(crate) fn open(dir: &Path, build_initial: impl FnOnce() -> io::Result<SandboxState>) -> io::Result<Self> {
        let _lock = state_dir::lock_file(&dir.join(LOCK_FILE))?;
        let path = dir.join(STATE_FILE);
        if path.exists() {
            let mut log = private::file_options().read(true).write(true).open(&path)?;
            return Self::load(&mut log, dir);
        }
        let mut store = Self::in_memory(build_initial()?);
        store.location = Some(StoreLocation {
            dir: dir.to_owned(),
            generation: String::new(),
            read: 0,
            snapshot: 0,
        });
        store.write_snapshot()?;
        Ok(store)
    }

    /// Waits for exclusive access and reads the lines that other processes have appended.
    pub(crate) fn lock(&mut self) -> io::Result<StoreGuard> {
        let Some(location) = &self.location else {
            return Ok(StoreGuard { _lock: None, log: None });
        };
        let dir = location.dir.clone();
        let lock = state_dir::lock_file(&dir.join(LOCK_FILE))?;
        let path = dir.join(STATE_FILE);
        let mut log = private::file_options().read(true).write(true).open(&path)?;
        if read_generation(&mut log, &path)? == location.generation {
            self.catch_up(&mut log, &path)?;
        } else {
            *self = Self::load(&mut log, &dir)?;
        }
        Ok(StoreGuard {
            _lock: Some(lock),
            log: Some(log),
        })
    }

    /// Reads the snapshot in the first line and all lines after it.
    fn load(log: &mut File, dir: &Path) -> io::Result<Self> {
        let path = dir.join(STATE_FILE);
        log.seek(SeekFrom::Start(0))?;
        let mut first = Vec::new();
        io::BufReader::new(&mut *log).read_until(b'\n', &mut first)?;
        let snapshot: StateSnapshot<SandboxState> =
            serde_json::from_slice(&first).map_err(|error| corrupt_file_error(&path, error))?;
        let end = u64::try_from(first.len()).unwrap_or(0);
        let mut store = Self::in_memory(snapshot.state);
        store.state.reindex();
        store.ahead = SignedDuration::from_millis(snapshot.ahead);
        store.location = Some(StoreLocation {
            dir: dir.to_owned(),
            generation: snapshot.generation,
            read: end,
            snapshot: end,
        });
        store.catch_up(log, &path)?;
        Ok(store)
    }

    /// Reads appended lines. An incomplete last line is cut off: the lock guarantees that no other process is writing
    /// it.
    fn catch_up(&mut self, log: &mut File, path: &Path) -> io::Result<()> {
        let Some(read) = self.location.as_ref().map(|location| location.read) else {
            return Ok(());
        };
        let mut at = read;
        if log.metadata()?.len() > read {
            log.seek(SeekFrom::Start(read))?;
            let mut news = Vec::new();
            log.read_to_end(&mut news)?;
            let mut rest = news.as_slice();
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                match serde_json::from_slice::<StoreRecord>(&rest[..end]) {
                    Ok(line) => self.apply_record(line),
                    // An invalid line is an incomplete write only at the end of the file.
                    Err(_) if end + 1 == rest.len() => break,
                    Err(error) => return Err(corrupt_file_error(path, error)),
                }
                at += u64::try_from(end + 1).unwrap_or(u64::MAX);
                rest = &rest[end + 1..];
            }
            if !rest.is_empty() {
                log.set_len(at)?;
            }
        }
        if let Some(location) = &mut self.location {
            location.read = at;
        }
        Ok(())
    }

    fn apply_record(&mut self, line: StoreRecord) {
        self.ahead = self.ahead.max(SignedDuration::from_millis(line.ahead));
        for change in line.changes {
            self.state.apply(change);
        }
        if let Some(entry) = line.entry {
            self.state.next = entry.seq + 1;
            self.recent.push(entry);
        }
    }

    /// Commits the changes and the journal entry of a request atomically.
    pub(crate) fn commit(
        &mut self,
        guard: &mut StoreGuard,
        ahead: SignedDuration,
        changes: Vec<StateChange>,
        entry: Option<SandboxJournalEntry>,
    ) -> io::Result<()> {
        let line = StoreRecord {
            ahead: i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX),
            changes,
            entry,
        };
        if let (Some(log), Some(location)) = (&mut guard.log, &mut self.location) {
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            log.seek(SeekFrom::Start(location.read))?;
            log.write_all(&text)?;
            location.read += u64::try_from(text.len()).unwrap_or(0);
        }
        self.apply_record(line);
        let grown = self
            .location
            .as_ref()
            .map_or(0, |location| location.read - location.snapshot);
        if grown > COMPACT_FROM.max(self.location.as_ref().map_or(0, |location| location.snapshot)) {
            guard.log = None;
            self.archive_journal()?;
            self.write_snapshot()?;
        }
        Ok(())
    }

    /// Replaces the stored state with `state`, whose clock has no offset.
    pub(crate) fn reset(&mut self, guard: &mut StoreGuard, state: SandboxState) -> io::Result<()> {
        guard.log = None;
        self.state = state;
        self.ahead = SignedDuration::ZERO;
        self.recent.clear();
        if let Some(location) = &self.location {
            state_dir::remove_file_if_exists(&location.dir.join(JOURNAL_FILE))?;
        }
        self.write_snapshot()
    }

    /// Returns all journal entries in order.
    pub(crate) fn journal(&self) -> io::Result<Vec<SandboxJournalEntry>> {
        let mut entries = Vec::new();
        if let Some(location) = &self.location {
            let path = location.dir.join(JOURNAL_FILE);
            if path.exists() {
                let text = private::read_to_string(&path)?;
                entries.extend(text.lines().filter_map(|line| serde_json::from_str(line).ok()));
            }
        }
        // If a process dies between archiving and writing the snapshot, entries are in both files.
        let known = entries.last().map_or(0, |entry: &SandboxJournalEntry| entry.seq);
        entries.extend(self.recent.iter().filter(|entry| entry.seq > known).cloned());
        Ok(entries)
    }

    /// Moves the journal entries to the archive, so that the snapshot does not contain them.
    fn archive_journal(&mut self) -> io::Result<()> {
        let Some(location) = &self.location else { return Ok(()) };
        let path = location.dir.join(JOURNAL_FILE);
        let mut lines = Vec::new();
        for entry in &self.recent {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        let mut file = private::file_options().append(true).create(true).open(&path)?;
        file.write_all(&lines)?;
        if file.metadata()?.len() > ARCHIVE_LIMIT {
            let text = private::read_to_string(&path)?;
            let half = text.len() / 2;
            let from = text[half..].find('\n').map_or(0, |newline| half + newline + 1);
            state_dir::replace_file(&path, &text.as_bytes()[from..])?;
        }
        self.recent.clear();
        Ok(())
    }

    fn write_snapshot(&mut self) -> io::Result<()> {
        let Some(location) = &mut self.location else {
            return Ok(());
        };
        let generation = hex(&random::<6>()?);
        let mut line = serde_json::to_vec(&StateSnapshot {
            generation: generation.clone(),
            ahead: i64::try_from(self.ahead.as_millis()).unwrap_or(i64::MAX),
            state: &self.state,
        })?;
        line.push(b'\n');
        state_dir::replace_file(&location.dir.join(STATE_FILE), &line)?;
        let end = u64::try_from(line.len()).unwrap_or(0);
        location.generation = generation;
        location.read = end;
        location.snapshot = end;
        Ok(())
    }
}

/// Reads the generation from the start of the file, `{"generation":"0123456789ab"`, to detect a replaced file.
fn read_generation(log: &mut File, path: &Path) -> io::Result<String> {
    let mut head = [0; 28];
    log.seek(SeekFrom::Start(0))?;
    log.read_exact(&mut head)
        .map_err(|error| corrupt_file_error(path, error))?;
    let text = String::from_utf8_lossy(&head);
    let generation = text
        .strip_prefix("{\"generation\":\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| corrupt_file_error(path, "no generation"))?;
    Ok(generation.to_owned())
}
