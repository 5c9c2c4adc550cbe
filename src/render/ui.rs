//! The one object that decides where text goes. Data goes to standard output, everything else to standard error; who
//! has a `Ui` never asks which stream, how wide, or whether colours are wanted.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{
    Format,
    error::Problem,
    human, json,
    progress::{Bars, Lines},
    style::Palette,
    view::{Block, Viewable},
    yaml,
};
use crate::{
    apply::event::Listener,
    env,
    hint::{Advice, Hint},
};

/// Width when nobody says how wide the output is.
const DEFAULT_WIDTH: usize = 80;

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The answer was neither yes nor no, or the input ended: the stock CLI's words.
    #[error("failed to read input")]
    Unreadable,
    /// There is no terminal, and nothing was piped in.
    #[error("cannot ask for confirmation: standard input is not a terminal and holds no answer")]
    NobodyToAsk {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// What was typed is not what had to be typed.
    #[error("`{typed}` is not `{wanted}`, so nothing was done")]
    Mismatch {
        /// What was typed.
        typed: String,
        /// What had to be typed.
        wanted: String,
    },
}

impl Advice for PromptError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Unreadable => vec!["Answer with `y` or `n`.".into()],
            Self::NobodyToAsk { flag } => vec![format!("Pass `{flag}` to answer without being asked.").into()],
            Self::Mismatch { .. } => Vec::new(),
        }
    }
}

/// Where text goes. Cheap to clone; all clones write to the same place.
#[derive(Clone)]
pub struct Ui(Arc<Inner>);

struct Inner {
    format: Format,
    verbosity: u8,
    width: usize,
    out: Stream,
    err: Stream,
    input: Mutex<Box<dyn BufRead + Send>>,
    input_is_terminal: bool,
    progress: Progress,
    /// The bars that stand on the terminal now, if any.
    bars: Mutex<Weak<Bars>>,
}

struct Stream {
    palette: Palette,
    /// Nothing once the reader went away (`| head`): what comes later is dropped without a word.
    writer: Mutex<Option<Box<dyn Write + Send>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Bars,
    Lines,
}

impl Ui {
    /// The process's own streams.
    #[must_use]
    pub fn new(format: Format, verbosity: u8) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let colour = |choice| Palette {
            colour: choice != anstream::ColorChoice::Never,
        };
        let width = env::var(env::COLUMNS)
            .and_then(|columns| columns.parse().ok())
            .filter(|columns| *columns > 0)
            .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
            .unwrap_or(DEFAULT_WIDTH);
        // Log lines and bars would overwrite each other.
        let progress = if err.is_terminal() && verbosity == 0 {
            Progress::Bars
        } else {
            Progress::Lines
        };
        let palettes = (
            colour(anstream::AutoStream::choice(&out)),
            colour(anstream::AutoStream::choice(&err)),
        );
        Self(Arc::new(Inner {
            format,
            verbosity,
            width,
            // These translate colours for old Windows consoles; whether there are any was decided above.
            out: Stream::new(palettes.0, anstream::AutoStream::always(out)),
            err: Stream::new(palettes.1, anstream::AutoStream::always(err)),
            input: Mutex::new(Box::new(io::BufReader::new(io::stdin()))),
            input_is_terminal: io::stdin().is_terminal(),
            progress,
            bars: Mutex::default(),
        }))
    }

    /// A `Ui` that keeps what it is told and reads its answers from `input`, as from a pipe. For tests.
    #[must_use]
    pub fn captured(format: Format, width: usize, input: &str) -> (Self, Captured) {
        let captured = Captured::default();
        let inner = Inner {
            format,
            verbosity: 0,
            width,
            out: Stream::new(Palette::PLAIN, captured.out.clone()),
            err: Stream::new(Palette::PLAIN, captured.err.clone()),
            input: Mutex::new(Box::new(io::Cursor::new(input.to_owned()))),
            input_is_terminal: false,
            progress: Progress::Lines,
            bars: Mutex::default(),
        };
        (Self(Arc::new(inner)), captured)
    }

    /// The output format that the user asked for.
    #[must_use]
    pub fn format(&self) -> Format {
        self.0.format
    }

    /// How often `-v` was given.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.0.verbosity
    }

    /// Columns of the output.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.width
    }

    /// The result of a command, in the format that the user asked for.
    pub fn print(&self, value: &impl Viewable) -> io::Result<()> {
        let text = match self.0.format {
            Format::Human => self.human(&value.view(), self.0.out.palette),
            Format::Json => json::render(value).map_err(io::Error::other)?,
            Format::Yaml => yaml::render(value).map_err(io::Error::other)?,
        };
        self.write_out(&text)
    }

    /// What a person must see before a question, such as a plan. Under `-o json` and `yaml` it goes to standard error,
    /// because standard output then holds exactly one document.
    pub fn show(&self, blocks: &[Block]) -> io::Result<()> {
        if self.0.format == Format::Human {
            self.write_out(&self.human(blocks, self.0.out.palette))
        } else {
            let text = self.human(blocks, self.0.err.palette);
            self.write_err(&text);
            Ok(())
        }
    }

    /// A line about what goes on, on standard error.
    pub fn note(&self, sentence: &str) {
        self.say(&[Block::line(sentence)]);
    }

    /// A warning, as the stock CLI prints it.
    pub fn warn(&self, sentence: &str) {
        self.note(&format!("[WARN] {sentence}"));
    }

    /// Blocks about what goes on, on standard error.
    pub fn say(&self, blocks: &[Block]) {
        let text = self.human(blocks, self.0.err.palette);
        self.write_err(&text);
    }

    /// An error, on standard error.
    pub fn problem(&self, problem: &Problem) {
        let palette = self.0.err.palette;
        self.write_err(&super::error::render(problem, self.0.width, palette));
    }

    /// Whoever shows the work that follows. What it shows ends when it is dropped.
    #[must_use]
    pub fn progress(&self) -> Arc<dyn Listener> {
        match self.0.progress {
            Progress::Lines => Arc::new(Lines { ui: self.clone() }),
            Progress::Bars => {
                let bars = Arc::new(Bars::new(self.0.err.palette));
                *lock(&self.0.bars) = Arc::downgrade(&bars);
                bars
            }
        }
    }

    /// Asks `question` as the stock CLI does (dossier `native-cli.md` §4.6), also when the answer comes through a pipe.
    /// `flag` is the flag that would have answered it.
    pub fn confirm(&self, question: &str, flag: &'static str) -> Result<bool, PromptError> {
        let answer = self.ask(&format!("{question} (y/n): "), flag)?;
        match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err(PromptError::Unreadable),
        }
    }

    /// Asks for `wanted` to be typed, for what cannot be undone.
    pub fn confirm_by_typing(&self, question: &str, wanted: &str, flag: &'static str) -> Result<(), PromptError> {
        let typed = self.ask(&format!("{question} Type \"{wanted}\" to go on: "), flag)?;
        if typed == wanted {
            return Ok(());
        }
        Err(PromptError::Mismatch {
            typed,
            wanted: wanted.to_owned(),
        })
    }

    fn ask(&self, prompt: &str, flag: &'static str) -> Result<String, PromptError> {
        let prompt = super::escape::escape(prompt);
        // The stock CLI asks on standard output; where that holds a document, the question may not be part of it.
        if self.0.format == Format::Human {
            self.write_out(&prompt).map_err(|_| PromptError::Unreadable)?;
        } else {
            self.write_err(&prompt);
        }
        let mut line = String::new();
        let read = lock(&self.0.input).read_line(&mut line);
        if !self.0.input_is_terminal {
            // Nobody pressed enter, so the line is still open.
            self.write_out_or_err("\n");
        }
        match read {
            Ok(0) if !self.0.input_is_terminal => Err(PromptError::NobodyToAsk { flag }),
            Ok(0) | Err(_) => Err(PromptError::Unreadable),
            Ok(_) => Ok(line.trim().to_owned()),
        }
    }

    fn write_out_or_err(&self, text: &str) {
        if self.0.format == Format::Human {
            // The prompt before it was written or dropped; this is no more important.
            drop(self.write_out(text));
        } else {
            self.write_err(text);
        }
    }

    fn human(&self, blocks: &[Block], palette: Palette) -> String {
        human::render(blocks, self.0.width, palette)
    }

    fn write_out(&self, text: &str) -> io::Result<()> {
        self.above_bars(|| self.0.out.write(text))
    }

    /// A line about what goes on that is already text.
    pub(super) fn status(&self, line: &str) {
        self.write_err(&format!("{}\n", super::escape::escape(line)));
    }

    fn write_err(&self, text: &str) {
        // When standard error is gone, there is nobody left to tell.
        drop(self.above_bars(|| self.0.err.write(text)));
    }

    fn above_bars<T>(&self, write: impl FnOnce() -> T) -> T {
        let bars = lock(&self.0.bars).upgrade();
        match bars {
            Some(bars) => bars.multi().suspend(write),
            None => write(),
        }
    }
}

impl Stream {
    fn new(palette: Palette, writer: impl Write + Send + 'static) -> Self {
        Self {
            palette,
            writer: Mutex::new(Some(Box::new(writer))),
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
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

/// What a captured `Ui` was told.
#[derive(Clone, Default)]
pub struct Captured {
    out: Buffer,
    err: Buffer,
}

impl Captured {
    /// Everything on standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.out.text()
    }

    /// Everything on standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.err.text()
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A panic elsewhere must not take the output away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
