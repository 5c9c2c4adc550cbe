//! The journal: what runs did, one JSON line each. It exists to resume and to audit; what is true is asked of the
//! service. It never holds a secret.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ApiKeyId, DepartmentCode, ServiceAccountId};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JournalLine {
    /// A run began.
    RunStarted {
        /// Its nonce, which is also in the description of every key it makes.
        run: String,
        /// What was asked for.
        command: String,
        /// How many changes it has.
        changes: usize,
    },
    /// A key was made; its secret may not be on disk yet.
    KeyCreated {
        /// The run.
        run: String,
        /// The key.
        key: ApiKeyId,
        /// Whose it is.
        owner: ServiceAccountId,
    },
    /// The keys of a profile are proved; it gets its final name next.
    ProfileProved {
        /// The run.
        run: String,
        /// The department.
        department: DepartmentCode,
        /// The persona.
        persona: String,
        /// The file that it is.
        from: PathBuf,
        /// The file that it becomes.
        file: PathBuf,
        /// The keys in it.
        keys: Vec<ApiKeyId>,
    },
    /// A command took a finished profile.
    ProfileDelivered {
        /// The run.
        run: String,
        /// Its file.
        file: PathBuf,
        /// The keys in it.
        keys: Vec<ApiKeyId>,
    },
    /// The profile with the key has its final name.
    KeyHandedOver {
        /// The run.
        run: String,
        /// The key.
        key: ApiKeyId,
    },
    /// A change was made.
    Done {
        /// The run.
        run: String,
        /// The change, as its label.
        change: String,
        /// The id of the object.
        id: Option<String>,
    },
    /// A change failed.
    Failed {
        /// The run.
        run: String,
        /// The change, as its label.
        change: String,
        /// Why.
        reason: String,
    },
    /// A run ended in order, whether all was done or not.
    RunEnded {
        /// The run.
        run: String,
        /// How many changes were made.
        done: usize,
        /// How many failed, were skipped or not begun.
        remaining: usize,
    },
}

/// A line and when it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedJournalLine {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub line: JournalLine,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run holds it.
    #[error("another run is at work on this stage: it holds {}", .0.display())]
    Busy(PathBuf),
    /// The file cannot be read or written.
    #[error("the journal {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Ends a line that a crash cut off, so that it does not spoil the next one.
fn end_truncated_line(mut file: &File) -> io::Result<()> {
    use io::{Read, Seek, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// How a line names a file: the next run may start elsewhere.
pub(super) fn to_absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// An open journal. While it is open, no other run can open it.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl Journal {
    /// Opens the journal of a stage, and keeps others out.
    ///
    /// # Errors
    /// When another run has it open, or the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let fail = |source| JournalError::File {
            path: path.to_owned(),
            source,
        };
        let journal = Self::open_shared(path)?;
        let file = journal.file.lock().expect("no holder of the lock panics");
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        end_truncated_line(&file).map_err(fail)?;
        drop(file);
        Ok(journal)
    }

    /// Opens a journal that several runs may write at the same time: each line is appended in one piece.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open_shared(path: &Path) -> Result<Self, JournalError> {
        let fail = |source| JournalError::File {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)
            .map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(Mutex::new(file)),
        })
    }

    /// The journals in `folder` with their lengths: what [`Journal::has_grown`] compares with.
    #[must_use]
    pub fn file_lengths(folder: &Path) -> BTreeMap<PathBuf, u64> {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len())))
            .collect()
    }

    /// Whether another run has written into it since `before`: what was seen before then may be true no more.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn has_grown(&self, before: &BTreeMap<PathBuf, u64>) -> Result<bool, JournalError> {
        let file = self.file.lock().expect("no holder of the lock panics");
        let length = file.metadata().map_err(|source| JournalError::File {
            path: self.path.clone(),
            source,
        })?;
        // Opening may have ended a torn line.
        let known = before.get(&self.path).map_or(0, |length| length + 1);
        Ok(length.len() > known)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything written so far; none when there is no journal yet. A last line that a crash cut off is left out.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(path: &Path) -> Result<Vec<JournalLine>, JournalError> {
        let lines = Self::read_timed(path)?;
        Ok(lines.into_iter().map(|stamped| stamped.line).collect())
    }

    /// [`Journal::read`], with the time of each line.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read_timed(path: &Path) -> Result<Vec<TimedJournalLine>, JournalError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(JournalError::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        Ok(lines
            .filter_map(|line| serde_json::from_str::<TimedJournalLine>(&line).ok())
            .collect())
    }

    /// Writes a line; with `durable` it has reached the disk when this returns.
    ///
    /// # Errors
    /// When the disk is full or the file is gone.
    pub fn write(&self, at: Timestamp, line: &JournalLine, durable: bool) -> Result<(), JournalError> {
        let fail = |source| JournalError::File {
            path: self.path.clone(),
            source,
        };
        let mut text = serde_json::to_string(&TimedJournalLine { at, line: line.clone() })
            .map_err(|error| fail(io::Error::other(error)))?;
        text.push('\n');
        let mut file = self.file.lock().expect("no holder of the lock panics");
        file.write_all(text.as_bytes()).map_err(fail)?;
        if durable {
            file.sync_data().map_err(fail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_has_grown_when_another_run_wrote_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        let line = JournalLine::RunEnded {
            run: "r".into(),
            done: 1,
            remaining: 0,
        };
        let write = || {
            Journal::open(&path)
                .unwrap()
                .write(Timestamp::UNIX_EPOCH, &line, false)
                .unwrap();
        };
        let before = Journal::file_lengths(folder.path());
        assert!(!Journal::open(&path).unwrap().has_grown(&before).unwrap());
        write();
        assert!(Journal::open(&path).unwrap().has_grown(&before).unwrap());
        let before = Journal::file_lengths(folder.path());
        assert!(!Journal::open(&path).unwrap().has_grown(&before).unwrap());
        write();
        assert!(Journal::open(&path).unwrap().has_grown(&before).unwrap());
    }

    #[test]
    fn a_second_run_cannot_open_the_journal_and_a_truncated_line_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal/x.jsonl");
        let journal = Journal::open(&path).unwrap();
        assert!(matches!(Journal::open(&path), Err(JournalError::Busy(_))));
        let line = JournalLine::RunEnded {
            run: "r".into(),
            done: 1,
            remaining: 0,
        };
        journal.write(Timestamp::UNIX_EPOCH, &line, true).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"at":"1970-01-01T00:00:00Z","event":"key_b"#)
            .unwrap();
        assert_eq!(Journal::read(&path).unwrap(), std::slice::from_ref(&line));
        Journal::open(&path)
            .unwrap()
            .write(Timestamp::UNIX_EPOCH, &line, false)
            .unwrap();
        assert_eq!(Journal::read(&path).unwrap(), [line.clone(), line]);
    }
}
