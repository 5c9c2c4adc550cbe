//! Journal of runs with one JSON line per event, used for resuming and auditing. The service remains the source of
//! truth. The journal never contains secrets.

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{ApiKeyId, DepartmentCode, ServiceAccountId},
    private,
    redact::SecretRegistry,
};

/// One event in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JournalLine {
    /// A run began.
    RunStarted {
        /// Run id, which is also in the description of every key of the run.
        run: String,
        /// Command.
        command: String,
        /// Number of changes.
        changes: usize,
    },
    /// A service account was created, or an interrupted run had created it.
    AccountCreated {
        /// Run id.
        run: String,
        /// Account id.
        account: ServiceAccountId,
    },
    /// A key was created; its secret may not be saved yet.
    KeyCreated {
        /// Run id.
        run: String,
        /// API key id.
        key: ApiKeyId,
        /// Owner of the key.
        owner: ServiceAccountId,
    },
    /// The keys of a profile are verified; the profile gets its final name next.
    ProfileProved {
        /// Run id.
        run: String,
        /// Department.
        department: DepartmentCode,
        /// Persona.
        persona: String,
        /// Path of the pending profile.
        from: PathBuf,
        /// Path of the finished profile.
        file: PathBuf,
        /// Keys in the profile.
        keys: Vec<ApiKeyId>,
    },
    /// A command received a finished profile.
    ProfileDelivered {
        /// Run id.
        run: String,
        /// Path of the profile.
        file: PathBuf,
        /// Keys in the profile.
        keys: Vec<ApiKeyId>,
    },
    /// The profile with this key has its final name.
    KeyHandedOver {
        /// Run id.
        run: String,
        /// API key id.
        key: ApiKeyId,
    },
    /// A change was applied.
    Done {
        /// Run id.
        run: String,
        /// Label of the change.
        change: String,
        /// Id of the object.
        id: Option<String>,
    },
    /// A change failed.
    Failed {
        /// Run id.
        run: String,
        /// Label of the change.
        change: String,
        /// Reason.
        reason: String,
    },
    /// A run ended without a crash, complete or not.
    RunEnded {
        /// Run id.
        run: String,
        /// Number of applied changes.
        done: usize,
        /// Number of failed, skipped or not started changes.
        remaining: usize,
    },
}

impl JournalLine {
    /// Redacts the texts that a user or the service wrote.
    fn redact(&mut self, secrets: &SecretRegistry) {
        match self {
            Self::RunStarted { command, .. } => secrets.redact_string(command),
            Self::Done { change, id, .. } => {
                secrets.redact_string(change);
                if let Some(id) = id {
                    secrets.redact_string(id);
                }
            }
            Self::Failed { change, reason, .. } => {
                secrets.redact_string(change);
                secrets.redact_string(reason);
            }
            Self::AccountCreated { .. }
            | Self::KeyCreated { .. }
            | Self::ProfileProved { .. }
            | Self::ProfileDelivered { .. }
            | Self::KeyHandedOver { .. }
            | Self::RunEnded { .. } => {}
        }
    }
}

/// Journal line with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedJournalLine {
    /// Time of the event.
    pub at: Timestamp,
    /// The event.
    #[serde(flatten)]
    pub line: JournalLine,
}

/// Reason why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run has it open.
    #[error("another run is active on this stage: it has locked `{}`", .0.display())]
    Busy(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot read or write the journal `{}`", path.display())]
    File {
        /// Path of the journal.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
}

/// Ends a line that a crash truncated, so that the next line is readable.
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

/// Returns the absolute path: the next run may start in another directory.
pub(super) fn to_absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Open journal.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
    file: Arc<Mutex<File>>,
    /// Values that no line contains.
    secrets: SecretRegistry,
}

impl Journal {
    /// Opens the journal of a stage and locks it against other runs.
    ///
    /// # Errors
    /// When another run has locked it, or the file cannot be used.
    pub fn open(path: &Path, secrets: &SecretRegistry) -> Result<Self, JournalError> {
        let fail = |source| JournalError::File {
            path: path.to_owned(),
            source,
        };
        let journal = Self::open_shared(path, secrets)?;
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

    /// Opens a journal that several runs may write concurrently: each line is appended with one write.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open_shared(path: &Path, secrets: &SecretRegistry) -> Result<Self, JournalError> {
        let fail = |source| JournalError::File {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            private::create_dir(folder).map_err(fail)?;
        }
        let file = private::open(path, private::file_options().create(true).append(true).read(true)).map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(Mutex::new(file)),
            secrets: secrets.clone(),
        })
    }

    /// Returns the sizes of the journals in `folder` for [`Journal::has_grown`].
    #[must_use]
    pub fn file_lengths(folder: &Path) -> BTreeMap<PathBuf, u64> {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len())))
            .collect()
    }

    /// Returns whether another run has written since `before`; the observed state may then be stale.
    ///
    /// # Errors
    /// When the file's size cannot be read.
    pub fn has_grown(&self, before: &BTreeMap<PathBuf, u64>) -> Result<bool, JournalError> {
        let file = self.file.lock().expect("no holder of the lock panics");
        let length = file.metadata().map_err(|source| JournalError::File {
            path: self.path.clone(),
            source,
        })?;
        // Opening may have ended a truncated line.
        let known = before.get(&self.path).map_or(0, |length| length + 1);
        Ok(length.len() > known)
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads all complete lines; returns none if the journal does not exist.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read(path: &Path) -> Result<Vec<JournalLine>, JournalError> {
        let lines = Self::read_timed(path)?;
        Ok(lines.into_iter().map(|stamped| stamped.line).collect())
    }

    /// Reads like [`Journal::read`], with the time of each line.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
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

    /// Writes a line; with `durable`, it is on disk when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, at: Timestamp, line: &JournalLine, durable: bool) -> Result<(), JournalError> {
        let fail = |source| JournalError::File {
            path: self.path.clone(),
            source,
        };
        let mut line = line.clone();
        line.redact(&self.secrets);
        let mut text =
            serde_json::to_string(&TimedJournalLine { at, line }).map_err(|error| fail(io::Error::other(error)))?;
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
            Journal::open(&path, &SecretRegistry::default())
                .unwrap()
                .write(Timestamp::UNIX_EPOCH, &line, false)
                .unwrap();
        };
        let before = Journal::file_lengths(folder.path());
        assert!(
            !Journal::open(&path, &SecretRegistry::default())
                .unwrap()
                .has_grown(&before)
                .unwrap()
        );
        write();
        assert!(
            Journal::open(&path, &SecretRegistry::default())
                .unwrap()
                .has_grown(&before)
                .unwrap()
        );
        let before = Journal::file_lengths(folder.path());
        assert!(
            !Journal::open(&path, &SecretRegistry::default())
                .unwrap()
                .has_grown(&before)
                .unwrap()
        );
        write();
        assert!(
            Journal::open(&path, &SecretRegistry::default())
                .unwrap()
                .has_grown(&before)
                .unwrap()
        );
    }

    #[test]
    fn a_second_run_cannot_open_the_journal_and_a_truncated_line_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal/x.jsonl");
        let journal = Journal::open(&path, &SecretRegistry::default()).unwrap();
        assert!(matches!(
            Journal::open(&path, &SecretRegistry::default()),
            Err(JournalError::Busy(_))
        ));
        let line = JournalLine::RunEnded {
            run: "r".into(),
            done: 1,
            remaining: 0,
        };
        journal.write(Timestamp::UNIX_EPOCH, &line, true).unwrap();
        drop(journal);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(br#"{"at":"1970-01-01T00:00:00Z","event":"key_b"#)
            .unwrap();
        assert_eq!(Journal::read(&path).unwrap(), std::slice::from_ref(&line));
        Journal::open(&path, &SecretRegistry::default())
            .unwrap()
            .write(Timestamp::UNIX_EPOCH, &line, false)
            .unwrap();
        assert_eq!(Journal::read(&path).unwrap(), [line.clone(), line]);
    }
}
