//! Output of the program. Results go to standard output, all other text to standard error; callers do not deal with
//! streams, widths or colours.

use std::{
    borrow::Cow,
    io::{self, BufRead, IsTerminal},
    sync::{Arc, Mutex, OnceLock, Weak},
};

use serde::Serialize;
use serde_json::Value;

use super::{
    Format,
    error::{ErrorDocument, Problem},
    html::redact_page,
    human, json,
    progress::{BarProgress, LineProgress, SIGN_OF_LIFE},
    redaction,
    stream::{Captured, Stream, lock},
    style::{Palette, uses_colour},
    suggestions::{complete_blocks, complete_problem, complete_value},
    view::{Block, Viewable},
    yaml,
};
use crate::{apply::event::EventListener, env, error::Error, redact::SecretRegistry, session::CommandFlags};

/// Width if the terminal does not report one.
const DEFAULT_WIDTH: usize = 80;

/// Returns the output width: `COLUMNS`, else the terminal's.
pub(crate) fn width() -> usize {
    env::var(env::COLUMNS)
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns > 0)
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(DEFAULT_WIDTH)
}

/// Returns whether Unicode drawing characters are likely to display. The Linux console has no font for them.
fn supports_unicode() -> bool {
    let locale = [env::LC_ALL, env::LC_CTYPE, env::LANG].into_iter().find_map(env::var);
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let terminal = env::var(env::TERM).unwrap_or_default();
    let poor = matches!(terminal.as_str(), "linux" | "dumb");
    cfg!(windows) || (!poor && (locale.contains("utf-8") || locale.contains("utf8")))
}

/// Output of the program. Cheap to clone; all clones write to the same streams.
#[derive(Clone)]
pub struct Ui(pub(super) Arc<UiState>);

pub(super) struct UiState {
    pub(super) format: Format,
    verbosity: u8,
    width: usize,
    pub(super) out: Stream,
    pub(super) out_is_terminal: bool,
    err: Stream,
    /// In full-screen mode, the last message, which is not written to standard error.
    pub(super) pending_message: Mutex<Option<String>>,
    /// In full-screen mode, the saved terminal settings.
    pub(super) saved_terminal: Mutex<Option<super::screen::SavedKeyMode>>,
    pub(super) input: Mutex<Box<dyn BufRead + Send>>,
    pub(super) input_is_terminal: bool,
    progress: ProgressMode,
    /// Flags that suggested commands repeat.
    command_flags: OnceLock<CommandFlags>,
    /// Values that are redacted before anything is written.
    secrets: SecretRegistry,
    /// Current progress bars, if any.
    bars: Mutex<Weak<BarProgress>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ProgressMode {
    Bars,
    Lines,
}

impl Ui {
    /// Creates the output on the streams of the process, which redacts `secrets`.
    #[must_use]
    pub fn new(format: Format, verbosity: u8, secrets: SecretRegistry) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let unicode = supports_unicode();
        // Nothing reads a pipe at a width, and `grep` needs whole rows.
        let unlimited_width = !out.is_terminal() && env::var(env::COLUMNS).is_none();
        let palette = |colour| Palette {
            colour,
            unicode,
            unlimited_width,
        };
        // Log lines and bars would overwrite each other.
        let progress = if err.is_terminal() && verbosity == 0 {
            ProgressMode::Bars
        } else {
            ProgressMode::Lines
        };
        let palettes = (palette(uses_colour(&out)), palette(uses_colour(&err)));
        Self(Arc::new(UiState {
            format,
            verbosity,
            width: width(),
            pending_message: Mutex::default(),
            saved_terminal: Mutex::default(),
            // `always` only translates colours for old Windows consoles; the palettes above decide whether colours are
            // used.
            out_is_terminal: out.is_terminal(),
            out: Stream::new(palettes.0, anstream::AutoStream::always(out)),
            err: Stream::new(palettes.1, anstream::AutoStream::always(err)),
            input: Mutex::new(Box::new(io::BufReader::new(io::stdin()))),
            input_is_terminal: io::stdin().is_terminal(),
            progress,
            command_flags: OnceLock::new(),
            secrets,
            bars: Mutex::default(),
        }))
    }

    /// Creates an output that captures its text and reads answers from `input`, like from a pipe. For tests.
    #[must_use]
    pub fn captured(format: Format, width: usize, input: &str) -> (Self, Captured) {
        Self::captured_redacting(format, width, input, SecretRegistry::default())
    }

    /// Creates an output like [`Ui::captured`] that redacts `secrets`.
    #[must_use]
    pub fn captured_redacting(format: Format, width: usize, input: &str, secrets: SecretRegistry) -> (Self, Captured) {
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
            command_flags: OnceLock::new(),
            secrets,
            bars: Mutex::default(),
        };
        (Self(Arc::new(inner)), captured)
    }

    /// Sets the flags that are added to all suggested commands from now on.
    pub fn set_command_flags(&self, flags: CommandFlags) {
        // A process runs one command.
        let _ = self.0.command_flags.set(flags);
    }

    /// Returns the output format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.0.format
    }

    /// Returns the number of `-v` flags.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.0.verbosity
    }

    /// Returns the output width in columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.width
    }

    /// Prints the result of a command in the selected format.
    pub fn print_result(&self, value: &impl Viewable) -> io::Result<()> {
        let text = match self.0.format {
            Format::Human => self.render_view(value),
            Format::Json => json::render(&self.to_document(value)?).map_err(io::Error::other)?,
            Format::Yaml => yaml::render(&self.to_document(value)?)?,
            Format::Ndjson => json::render_lines(&self.to_document(value)?).map_err(io::Error::other)?,
        };
        self.write_out(&text)
    }

    /// Prints one result of a stream. With `-o json` and `yaml`, standard output contains one document and cannot be a
    /// stream, so items are printed as with `ndjson`.
    pub fn print_item(&self, value: &impl Viewable) -> io::Result<()> {
        let text = match self.0.format {
            Format::Human => self.render_view(value),
            Format::Json | Format::Yaml | Format::Ndjson => {
                json::render_lines(&self.to_document(value)?).map_err(io::Error::other)?
            }
        };
        self.write_out(&text)
    }

    /// Prints blocks before a prompt, such as a plan, and an empty line. With `-o json` and `yaml` they go to standard
    /// error, because standard output contains exactly one document.
    pub fn print_preview(&self, blocks: &[Block]) -> io::Result<()> {
        if self.0.format == Format::Human {
            self.write_out(&(self.render_human(blocks, self.0.out.palette) + "\n"))
        } else {
            self.write_err(&(self.render_human(blocks, self.0.err.palette) + "\n"));
            Ok(())
        }
    }

    /// Prints text that is not a result: help or the version.
    pub fn print_text(&self, text: &str) -> io::Result<()> {
        self.write_out(text)
    }

    /// Prints an informational line on standard error.
    pub fn info(&self, sentence: &str) {
        self.print_message(&[Block::line(sentence)]);
    }

    /// Prints a warning on standard error, like the Confluent CLI.
    pub fn warn(&self, sentence: &str) {
        self.info(&format!("[WARN] {sentence}"));
    }

    /// Prints informational blocks on standard error.
    pub fn print_message(&self, blocks: &[Block]) {
        let text = self.render_human(blocks, self.0.err.palette);
        self.write_err(&text);
    }

    /// Prints an error on standard error.
    pub fn print_error(&self, problem: &Problem) {
        let palette = self.0.err.palette;
        let completed = match self.0.command_flags.get() {
            Some(flags) => &complete_problem(flags, problem),
            None => problem,
        };
        let problem = redaction::redact_problem(&self.0.secrets, completed);
        self.write_err(&super::error::render_problem(&problem, self.0.width, palette));
    }

    /// Returns an HTML page without secrets, to be written to a file.
    #[must_use]
    pub fn redact_page(&self, page: &str) -> String {
        redact_page(&self.0.secrets, page)
    }

    /// Prints the error of a command that has no result: on standard error and, with `-o json`, `yaml` or `ndjson`, as a
    /// document on standard output, which is otherwise empty.
    pub fn print_failure(&self, error: &Error) {
        self.print_error(&Problem::from(error));
        if self.0.format != Format::Human {
            // The exit code of the error matters more than that of a closed pipe.
            drop(self.print_result(&ErrorDocument::from(error)));
        }
    }

    /// Starts a progress display. It ends when the listener is dropped.
    #[must_use]
    pub fn start_progress(&self) -> Arc<dyn EventListener> {
        match self.0.progress {
            ProgressMode::Lines => Arc::new(LineProgress::new(self.clone(), SIGN_OF_LIFE)),
            ProgressMode::Bars => {
                let bars = Arc::new(BarProgress::new(self.clone()));
                *lock(&self.0.bars) = Arc::downgrade(&bars);
                bars
            }
        }
    }

    /// Returns the view of a result as text.
    fn render_view(&self, value: &impl Viewable) -> String {
        match value.shows_secrets() {
            true => human::render(&self.complete(&value.view()), self.0.width, self.0.out.palette),
            false => self.render_human(&value.view(), self.0.out.palette),
        }
    }

    /// Returns a result as JSON with complete commands, whose strings contain no secret.
    fn to_document(&self, value: &impl Viewable) -> io::Result<Value> {
        let mut document = self.complete_value(value)?;
        if !value.shows_secrets() {
            self.0.secrets.redact_json(&mut document);
        }
        Ok(document)
    }

    fn complete_value(&self, value: &impl Serialize) -> io::Result<Value> {
        match self.0.command_flags.get() {
            Some(flags) => Ok(complete_value(flags, value)?),
            None => Ok(serde_json::to_value(value)?),
        }
    }

    /// Returns blocks whose suggested commands carry the flags of the run.
    fn complete<'a>(&self, blocks: &'a [Block]) -> Cow<'a, [Block]> {
        let Some(flags) = self.0.command_flags.get() else {
            return Cow::Borrowed(blocks);
        };
        let mut blocks = blocks.to_vec();
        complete_blocks(flags, &mut blocks);
        Cow::Owned(blocks)
    }

    fn render_human(&self, blocks: &[Block], palette: Palette) -> String {
        self.render_redacted(&self.complete(blocks), self.0.width, palette)
    }

    /// Renders blocks without secrets.
    pub(super) fn render_redacted(&self, blocks: &[Block], width: usize, palette: Palette) -> String {
        human::render(&redaction::redact_blocks(&self.0.secrets, blocks), width, palette)
    }

    pub(super) fn write_out(&self, text: &str) -> io::Result<()> {
        self.above_bars(|| self.0.out.write(text))
    }

    /// Returns a text without secrets.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.secrets.redact(text)
    }

    /// Returns the palette of messages.
    pub(super) fn palette(&self) -> Palette {
        self.0.err.palette
    }

    /// Prints a status line.
    pub(super) fn status(&self, line: &str) {
        self.write_err(&format!("{}\n", super::escape::escape(&self.redact(line))));
    }

    pub(super) fn write_err(&self, text: &str) {
        if let Some(held) = lock(&self.0.pending_message).as_mut() {
            text.clone_into(held);
            return;
        }
        // If standard error is closed, the message is lost.
        drop(self.above_bars(|| self.0.err.write(text)));
    }

    /// Returns a writer for log lines: standard error, above the progress bars.
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
