//! A file that lines are appended to.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{AppendedLines, show::LogFileRow};
use crate::{
    api::logs::LogEntry,
    error::{Error, ResultExt},
};

/// An open file, and how many lines went into it.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    entries: usize,
}

impl LogFile {
    /// Opens a file to append to; a new one is for its owner alone.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path);
        Ok(Self {
            file: file.with_context(|| format!("the file {} cannot be written", path.display()))?,
            path: path.to_owned(),
            entries: 0,
        })
    }

    pub(super) fn append(&mut self, connector: &str, lines: &[LogEntry]) -> Result<(), Error> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, &LogFileRow::new(connector, line))?;
            text.push(b'\n');
        }
        let written = self.file.write_all(&text);
        written.with_context(|| format!("the file {} cannot be written", self.path.display()))?;
        self.entries += lines.len();
        Ok(())
    }

    /// How many lines went into it so far.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    pub(super) fn finish(self) -> AppendedLines {
        AppendedLines {
            entries: self.entries,
            file: self.path,
        }
    }
}
