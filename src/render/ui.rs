//! The one object that decides where text goes. Data goes to standard output, everything else to standard error; who
//! has a `Ui` never asks which stream, how wide, or whether colours are wanted.

use std::{
    io::{self, BufRead, IsTerminal},
    sync::{Arc, Mutex, Weak},
};

use super::{
    Format,
    error::Problem,
    human, json,
    progress::{BarProgress, LineProgress},
    stream::{Captured, Stream, lock},
    style::Palette,
    view::{Block, Viewable},
    yaml,
};
use crate::{apply::event::EventListener, env};

/// Width when nobody says how wide the output is.
const DEFAULT_WIDTH: usize = 80;

/// Columns of the output: `COLUMNS`, else the terminal's.
pub(crate) fn width() -> usize {
    env::var(env::COLUMNS)
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns > 0)
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(DEFAULT_WIDTH)
}

/// Whether characters that draw can be expected to show. The console of Linux has no font for them.
fn supports_unicode() -> bool {
    let locale = [env::LC_ALL, env::LC_CTYPE, env::LANG].into_iter().find_map(env::var);
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let terminal = env::var(env::TERM).unwrap_or_default();
    let poor = matches!(terminal.as_str(), "linux" | "dumb");
    cfg!(windows) || (!poor && (locale.contains("utf-8") || locale.contains("utf8")))
}

/// Where text goes. Cheap to clone; all clones write to the same place.
#[derive(Clone)]
pub struct Ui(pub(super) Arc<UiState>);

pub(super) struct UiState {
    pub(super) format: Format,
    verbosity: u8,
    width: usize,
    pub(super) out: Stream,
    pub(super) out_is_terminal: bool,
    err: Stream,
    /// While a screen is painted, the last message instead of standard error.
    pub(super) pending_message: Mutex<Option<String>>,
    /// While the terminal is taken, what it was like before.
    pub(super) saved_terminal: Mutex<Option<super::screen::SavedKeyMode>>,
    pub(super) input: Mutex<Box<dyn BufRead + Send>>,
    pub(super) input_is_terminal: bool,
    progress: ProgressMode,
    /// The bars that stand on the terminal now, if any.
    bars: Mutex<Weak<BarProgress>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ProgressMode {
    Bars,
    Lines,
}

impl Ui {
    /// The process's own streams.
    #[must_use]
    pub fn new(format: Format, verbosity: u8) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let unicode = supports_unicode();
        let colour = |choice| Palette {
            colour: choice != anstream::ColorChoice::Never,
            unicode,
        };
        // Log lines and bars would overwrite each other.
        let progress = if err.is_terminal() && verbosity == 0 {
            ProgressMode::Bars
        } else {
            ProgressMode::Lines
        };
        let palettes = (
            colour(anstream::AutoStream::choice(&out)),
            colour(anstream::AutoStream::choice(&err)),
        );
        Self(Arc::new(UiState {
            format,
            verbosity,
            width: width(),
            pending_message: Mutex::default(),
            saved_terminal: Mutex::default(),
            // These translate colours for old Windows consoles; whether there are any was decided above.
            out_is_terminal: out.is_terminal(),
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
        let inner = UiState {
            format,
            verbosity: 0,
            width,
            pending_message: Mutex::default(),
            saved_terminal: Mutex::default(),
            out: Stream::new(Palette::PLAIN, captured.out.clone()),
            out_is_terminal: false,
            err: Stream::new(Palette::PLAIN, captured.err.clone()),
            input: Mutex::new(Box::new(io::Cursor::new(input.to_owned()))),
            input_is_terminal: false,
            progress: ProgressMode::Lines,
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
    pub fn print_result(&self, value: &impl Viewable) -> io::Result<()> {
        let text = match self.0.format {
            Format::Human => self.render_human(&value.view(), self.0.out.palette),
            Format::Json => json::render(value).map_err(io::Error::other)?,
            Format::Yaml => yaml::render(value)?,
            Format::Ndjson => json::render_lines(value).map_err(io::Error::other)?,
        };
        self.write_out(&text)
    }

    /// One of many results that come bit by bit, while the command goes on. Under `-o json` and `yaml` standard output holds
    /// one document, so that nothing can come bit by bit; there it is written as under `ndjson`.
    pub fn print_item(&self, value: &impl Viewable) -> io::Result<()> {
        let text = match self.0.format {
            Format::Human => self.render_human(&value.view(), self.0.out.palette),
            Format::Json | Format::Yaml | Format::Ndjson => json::render_lines(value).map_err(io::Error::other)?,
        };
        self.write_out(&text)
    }

    /// What a person must see before a question, such as a plan, and an empty line. Under `-o json` and `yaml` it goes to
    /// standard error, because standard output then holds exactly one document.
    pub fn print_preview(&self, blocks: &[Block]) -> io::Result<()> {
        if self.0.format == Format::Human {
            self.write_out(&(self.render_human(blocks, self.0.out.palette) + "\n"))
        } else {
            self.write_err(&(self.render_human(blocks, self.0.err.palette) + "\n"));
            Ok(())
        }
    }

    /// Text that was asked for and is no result of a command: help, the version.
    pub fn print_text(&self, text: &str) -> io::Result<()> {
        self.write_out(text)
    }

    /// A line about what goes on, on standard error.
    pub fn info(&self, sentence: &str) {
        self.print_message(&[Block::line(sentence)]);
    }

    /// A warning, as the stock CLI prints it.
    pub fn warn(&self, sentence: &str) {
        self.info(&format!("[WARN] {sentence}"));
    }

    /// Blocks about what goes on, on standard error.
    pub fn print_message(&self, blocks: &[Block]) {
        let text = self.render_human(blocks, self.0.err.palette);
        self.write_err(&text);
    }

    /// An error, on standard error.
    pub fn print_error(&self, problem: &Problem) {
        let palette = self.0.err.palette;
        self.write_err(&super::error::render_problem(problem, self.0.width, palette));
    }

    /// Whoever shows the work that follows. What it shows ends when it is dropped.
    #[must_use]
    pub fn start_progress(&self) -> Arc<dyn EventListener> {
        match self.0.progress {
            ProgressMode::Lines => Arc::new(LineProgress { ui: self.clone() }),
            ProgressMode::Bars => {
                let bars = Arc::new(BarProgress::new(self.clone()));
                *lock(&self.0.bars) = Arc::downgrade(&bars);
                bars
            }
        }
    }

    fn render_human(&self, blocks: &[Block], palette: Palette) -> String {
        human::render(blocks, self.0.width, palette)
    }

    pub(super) fn write_out(&self, text: &str) -> io::Result<()> {
        self.above_bars(|| self.0.out.write(text))
    }

    /// How messages are coloured.
    pub(super) fn palette(&self) -> Palette {
        self.0.err.palette
    }

    /// A line about what goes on that is already text.
    pub(super) fn status(&self, line: &str) {
        self.write_err(&format!("{}\n", super::escape::escape(line)));
    }

    pub(super) fn write_err(&self, text: &str) {
        if let Some(held) = lock(&self.0.pending_message).as_mut() {
            text.clone_into(held);
            return;
        }
        // When standard error is gone, there is nobody left to tell.
        drop(self.above_bars(|| self.0.err.write(text)));
    }

    /// Where log lines go: standard error, above the bars.
    pub fn log_writer(&self) -> impl io::Write + use<> {
        UiWriter(self.clone())
    }

    fn above_bars<T>(&self, write: impl FnOnce() -> T) -> T {
        let bars = lock(&self.0.bars).upgrade();
        match bars {
            Some(bars) => bars.multi().suspend(write),
            None => write(),
        }
    }
}

struct UiWriter(Ui);

impl io::Write for UiWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_err(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Serialize;

    use super::*;
    use crate::apply::RunEvent;

    #[derive(Serialize)]
    struct Greeting {
        whom: &'static str,
    }

    impl Viewable for Greeting {
        fn view(&self) -> Vec<Block> {
            vec![Block::line(format!("Hello {}.", self.whom))]
        }
    }

    #[test]
    fn a_result_is_printed_to_stdout_in_the_requested_format() {
        for (format, expected) in [
            (Format::Human, "Hello world.\n"),
            (Format::Json, "{\n  \"whom\": \"world\"\n}\n"),
            (Format::Yaml, "whom: world\n"),
        ] {
            let (ui, captured) = Ui::captured(format, 80, "");
            ui.print_result(&Greeting { whom: "world" }).unwrap();
            ui.warn("careful");
            assert_eq!(captured.stdout(), expected);
            assert_eq!(captured.stderr(), "[WARN] careful\n");
        }
    }

    #[test]
    fn line_progress_prints_phases_and_problems_only() {
        let (ui, captured) = Ui::captured(Format::Human, 80, "");
        let progress = ui.start_progress();
        let label = || "create service account ebs-prod-claims-operator".to_owned();
        for event in [
            RunEvent::Phase {
                name: "Apply",
                total: 2,
            },
            RunEvent::Started {
                label: label(),
                department: Some("claims".into()),
            },
            RunEvent::Retrying {
                label: label(),
                reason: "429 Too Many Requests".into(),
                wait: Duration::from_secs(3),
            },
            RunEvent::Done {
                label: label(),
                department: Some("claims".into()),
            },
            RunEvent::Failed {
                label: label(),
                department: None,
                reason: "403 \u{1b}[31m".into(),
            },
            RunEvent::Skipped {
                label: label(),
                department: None,
                because: "create API key".into(),
            },
        ] {
            progress.on_event(&event);
        }
        insta::assert_snapshot!(captured.stderr(), @r"
        Apply (2) …
          wait  create service account ebs-prod-claims-operator: 429 Too Many Requests, again in 3 s
          FAIL  create service account ebs-prod-claims-operator: 403 \u{1b}[31m
          skip  create service account ebs-prod-claims-operator: needs `create API key`
        ");
        assert_eq!(captured.stdout(), "");
    }
}
