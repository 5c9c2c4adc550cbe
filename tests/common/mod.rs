//! A sealed environment for the binary: independent of the user's home, settings, terminal and clock, with reproducible
//! output.

#![allow(
    clippy::allow_attributes,
    dead_code,
    reason = "each test file uses a part of this module"
)]

use std::{
    ffi::OsStr,
    fmt, fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Variable and default value of the start time of every sandbox in a test. The clock moves only by waits and advances, so
/// that no test depends on the time of day.
const SANDBOX_START: (&str, &str) = ("CONFLUENT_EBS_SANDBOX_START", "2026-11-22T10:00:00Z");

/// Returns the start time for sandboxes that a test opens itself.
pub(crate) fn sandbox_start() -> jiff::Timestamp {
    let named = std::env::var(SANDBOX_START.0);
    named
        .as_deref()
        .unwrap_or(SANDBOX_START.1)
        .parse()
        .expect("a timestamp")
}

/// Variables of libfaketime, passed to the binary so that it has the same time as its test.
const FAKETIME_VARIABLES: [&str; 4] = [
    "LD_PRELOAD",
    "FAKETIME",
    "FAKETIME_SHARED",
    "FAKETIME_DONT_FAKE_MONOTONIC",
];

/// A new, empty home folder. It is also the current directory of every command.
pub(crate) struct CliFixture {
    root: TempDir,
}

impl CliFixture {
    /// Creates an empty home.
    pub(crate) fn new() -> Self {
        Self {
            root: TempDir::new().expect("a temporary folder"),
        }
    }

    /// Path of a file or folder in the home.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file in the home and creates its parent folders.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a file has a parent folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Text of a file in the home.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(relative)).expect("a text file")
    }

    /// Command for the binary in this home, started as `confluent-ebs`. Further variables can be set on it.
    pub(crate) fn command(&self) -> assert_cmd::Command {
        self.command_at(env!("CARGO_BIN_EXE_confluent-ebs"))
    }

    /// The binary with another path.
    pub(crate) fn command_at(&self, program: impl AsRef<OsStr>) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(program);
        command.env_clear();
        // On Windows no program starts without it.
        if let Some(root) = std::env::var_os("SYSTEMROOT") {
            command.env("SYSTEMROOT", root);
        }
        if std::env::var_os("FAKETIME_DONT_FAKE_MONOTONIC").is_some() {
            for name in FAKETIME_VARIABLES {
                command.envs(std::env::var_os(name).map(|value| (name, value)));
            }
        }
        command
            .current_dir(self.root.path())
            .env("HOME", self.root.path())
            .env("USERPROFILE", self.root.path())
            .env("APPDATA", self.path(".config"))
            .env("LOCALAPPDATA", self.path(".local"))
            .env("XDG_CONFIG_HOME", self.path(".config"))
            .env("XDG_STATE_HOME", self.path(".state"))
            .env("XDG_CACHE_HOME", self.path(".cache"))
            .env("XDG_DATA_HOME", self.path(".data"))
            .env("TMPDIR", self.root.path())
            .env("COLUMNS", "80")
            .env("NO_COLOR", "1")
            .env(
                SANDBOX_START.0,
                std::env::var(SANDBOX_START.0).as_deref().unwrap_or(SANDBOX_START.1),
            )
            .env("TZ", "UTC");
        command
    }

    /// Runs `confluent-ebs` with `args` (separated by blanks) and an empty standard input.
    pub(crate) fn run(&self, args: &str) -> CliOutput {
        self.run_command(self.command().args(args.split_whitespace()))
    }

    /// Like [`CliFixture::run`], with `input` on standard input, as from a pipe.
    pub(crate) fn run_with_input(&self, args: &str, input: &str) -> CliOutput {
        self.run_command(self.command().args(args.split_whitespace()).write_stdin(input))
    }

    /// Runs a command and returns its output.
    pub(crate) fn run_command(&self, command: &mut assert_cmd::Command) -> CliOutput {
        let output = command.output().expect("the binary starts");
        let text = |bytes: &[u8]| self.redact(&String::from_utf8_lossy(bytes));
        CliOutput {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// `text` with this home's path as `[HOME]` and times as `2026-01-02T03:04:05Z`, which has the same width.
    fn redact(&self, text: &str) -> String {
        let root = self.root.path().display().to_string();
        let text = text.replace(&root, "[HOME]").replace("\r\n", "\n");
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            if is_timestamp(after) {
                out.push_str("2026-01-02T03:04:05Z");
                // Fractions of a second are removed.
                let end = after.find('Z').map_or(after.len(), |end| end + 1);
                rest = &after[end..];
            } else {
                let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
                out.push_str(&after[..digits]);
                rest = &after[digits..];
            }
        }
        out + rest
    }
}

fn is_timestamp(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd";
    let begins = text.len() > shape.len()
        && text
            .chars()
            .zip(shape.chars())
            .all(|(c, s)| if s == 'd' { c.is_ascii_digit() } else { c == s });
    begins
        && text[shape.len()..]
            .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit())
            .starts_with('Z')
}

/// Output of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CliOutput {
    /// Exit code; `None` if a signal ended the process.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Format of snapshots: the exit code, then the text of each stream.
impl fmt::Display for CliOutput {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(out, "exit {code}")?,
            None => writeln!(out, "ended by a signal")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(out, "----- {name} -----\n{text}")?;
            }
        }
        Ok(())
    }
}
