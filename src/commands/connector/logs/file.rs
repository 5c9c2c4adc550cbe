//! Output file of `connector logs`.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{AppendedLines, rows::LogFileRow};
use crate::{
    api::logs::LogEntry,
    error::{Error, ResultExt},
};

/// Open output file with the number of appended entries.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    entries: usize,
}

impl LogFile {
    /// Opens a file for appending; a new file is accessible for its owner only.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path);
        Ok(Self {
            file: file.with_context(|| format!("cannot write `{}`", path.display()))?,
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
        written.with_context(|| format!("cannot write `{}`", self.path.display()))?;
        self.entries += lines.len();
        Ok(())
    }

    /// Returns the number of entries written so far.
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
