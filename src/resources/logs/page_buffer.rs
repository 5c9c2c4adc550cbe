//! Buffer that reverses the order of pages, which arrive newest first. Long results are stored in an unnamed temporary
//! file instead of in memory.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use crate::api::logs::LogEntry;

/// Maximum size in memory before a file is used.
const MAX_MEMORY_BYTES: usize = 1 << 20;

/// Buffer of pages. Its file is private and disappears when the process ends.
#[derive(Debug, Default)]
pub struct PageBuffer {
    memory: Vec<u8>,
    file: Option<File>,
    /// Offset and length of each page.
    pages: Vec<(u64, usize)>,
    end: u64,
    lines: usize,
}

impl PageBuffer {
    /// Adds a page whose lines are newest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn push(&mut self, page: &[LogEntry]) -> io::Result<()> {
        if page.is_empty() {
            return Ok(());
        }
        let bytes = serde_json::to_vec(page)?;
        if self.file.is_none() && self.memory.len() + bytes.len() > MAX_MEMORY_BYTES {
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(&bytes)?,
            None => self.memory.extend_from_slice(&bytes),
        }
        self.pages.push((self.end, bytes.len()));
        self.end += u64::try_from(bytes.len()).unwrap_or(0);
        self.lines += page.len();
        Ok(())
    }

    /// Removes the page with the oldest lines and returns its lines oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn pop(&mut self) -> io::Result<Option<Vec<LogEntry>>> {
        let Some((begin, length)) = self.pages.pop() else {
            return Ok(None);
        };
        let mut lines: Vec<LogEntry> = if let Some(file) = &mut self.file {
            let mut bytes = vec![0; length];
            file.seek(SeekFrom::Start(begin))?;
            file.read_exact(&mut bytes)?;
            serde_json::from_slice(&bytes)?
        } else {
            let begin = usize::try_from(begin).unwrap_or(usize::MAX);
            let bytes = self.memory.get(begin..begin.saturating_add(length)).unwrap_or_default();
            serde_json::from_slice(bytes)?
        };
        lines.reverse();
        self.lines -= lines.len();
        Ok(Some(lines))
    }

    /// Returns all lines, oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn into_lines(mut self) -> io::Result<Vec<LogEntry>> {
        let mut lines = Vec::with_capacity(self.lines);
        while let Some(page) = self.pop()? {
            lines.extend(page);
        }
        Ok(lines)
    }

    /// Returns the number of buffered lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines
    }

    /// Returns whether no lines are buffered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(from: usize, length: usize, text: &str) -> Vec<LogEntry> {
        (from..from + length)
            .rev()
            .map(|number| LogEntry {
                timestamp: format!("{number:09}"),
                message: text.to_owned(),
                ..LogEntry::default()
            })
            .collect()
    }

    #[test]
    fn pages_pushed_newest_first_are_popped_oldest_first() {
        // The second page exceeds the memory limit.
        for text in ["x", &"y".repeat(9_000)] {
            let mut buffer = PageBuffer::default();
            for start in [400, 200, 0] {
                buffer.push(&page(start, 200, text)).unwrap();
            }
            buffer.push(&[]).unwrap();
            assert_eq!(buffer.file.is_some(), text.len() > 1);
            assert!(buffer.memory.len() <= MAX_MEMORY_BYTES);
            assert_eq!(buffer.len(), 600);
            let first = buffer.pop().unwrap().unwrap();
            assert_eq!((first.len(), buffer.len()), (200, 400));
            let mut all = first;
            all.extend(buffer.into_lines().unwrap());
            assert_eq!(all.len(), 600);
            assert!(all.is_sorted_by_key(|line| line.timestamp.clone()));
        }
    }
}
