//! Output stream, and a buffer for tests.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::style::Palette;

/// Standard output, standard error, or a buffer.
pub(super) struct Stream {
    /// Styles that the stream supports.
    pub(super) palette: Palette,
    /// Writer; `None` after the reader closed the pipe (`| head`), which silently drops later output.
    writer: Mutex<Option<Box<dyn Write + Send>>>,
}

impl Stream {
    pub(super) fn new(palette: Palette, writer: impl Write + Send + 'static) -> Self {
        Self {
            palette,
            writer: Mutex::new(Some(Box::new(writer))),
        }
    }

    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let mut writer = lock(&self.writer);
        let Some(stream) = writer.as_mut() else {
            return Ok(());
        };
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                *writer = None;
                Ok(())
            }
            written => written,
        }
    }
}

/// Captured output of a `Ui`.
#[derive(Clone, Default)]
pub struct Captured {
    pub(super) out: SharedBuffer,
    pub(super) err: SharedBuffer,
}

impl Captured {
    /// Returns the text written to standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.out.text()
    }

    /// Returns the text written to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.err.text()
    }
}

#[derive(Clone, Default)]
pub(super) struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Locks a mutex, ignoring poisoning, so that a panic elsewhere does not stop the output.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_not_an_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let stream = Stream::new(Palette::PLAIN, Gone);
        stream.write("one").unwrap();
        assert!(lock(&stream.writer).is_none());
        stream.write("two").unwrap();
    }
}
