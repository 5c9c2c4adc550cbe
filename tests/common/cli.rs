//! The binary in a sealed environment: independent of the user's home, settings, terminal and clock, with reproducible
//! output.

use std::{
    ffi::{OsStr, OsString},
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{PROFILES_DIR, SANDBOX_START, list_files, normalize_whitespace, sandbox_start_text};

/// Variables of libfaketime, passed to the binary so that it has the same time as its test.
const FAKETIME_VARIABLES: [&str; 4] = [
    "LD_PRELOAD",
    "FAKETIME",
    "FAKETIME_SHARED",
    "FAKETIME_DONT_FAKE_MONOTONIC",
];

/// Text of an `ebs.toml` with the stage `prod` of the example.
pub(crate) const EBS_TOML: &str = r#"default_stage = "prod"
[organization]
id = "11111111-2222-3333-4444-555555555555"
[stages.prod]
environment = "env-prod01"
cluster = "lkc-prod01"
schema_registry = "lsrc-prod01"
"#;

/// The binary with a home folder of its own, which is also the current directory of every command.
pub(crate) struct Cli {
    home: TempDir,
}

impl Cli {
    /// Creates an empty home.
    pub(crate) fn new() -> Self {
        Self {
            home: TempDir::new().expect("a temporary folder"),
        }
    }

    /// Creates a home with these departments onboarded in its sandbox, separated by blanks.
    #[track_caller]
    pub(crate) fn onboarded(departments: &str) -> Self {
        let cli = Self::new();
        cli.run(&format!("onboard {departments} --sandbox --yes"))
            .expect_success();
        cli
    }

    /// Creates a home whose sandbox has other settings: `flags` of `sandbox reset`.
    #[track_caller]
    pub(crate) fn with_sandbox(flags: &str) -> Self {
        let cli = Self::new();
        cli.run(&format!("sandbox reset --yes {flags}")).expect_success();
        cli
    }

    /// Creates a home with platform files: [`EBS_TOML`] and departments, each with its code and text.
    pub(crate) fn with_platform<'a, T: AsRef<[u8]>>(departments: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let cli = Self::new();
        cli.write("ebs.toml", EBS_TOML);
        for (code, text) in departments {
            cli.write(format!("departments/{code}.toml"), text);
        }
        cli
    }

    /// Creates a byte-for-byte copy of this home.
    pub(crate) fn duplicate(&self) -> Self {
        let copy = Self::new();
        let root = self.path("");
        for path in list_files(&root) {
            let to = copy.path(path.strip_prefix(&root).expect("a file of the home"));
            fs::create_dir_all(to.parent().expect("a file has a parent folder")).expect("a folder");
            fs::copy(&path, &to).expect("a copy");
            // The state folder and its files contain their path.
            if let Ok(text) = fs::read_to_string(&to) {
                let moved = text.replace(&*root.to_string_lossy(), &copy.path("").to_string_lossy());
                if moved != text {
                    fs::write(&to, moved).expect("a file");
                }
            }
        }
        copy
    }

    /// Path of a file or folder in the home.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.home.path().join(relative)
    }

    /// Writes a file in the home and creates its parent folders.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a file has a parent folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Text of a file in the home.
    #[track_caller]
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> String {
        let path = self.path(relative);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Command for the binary in this home, started as `confluent-ebs`. Further variables can be set on it.
    pub(crate) fn command(&self) -> assert_cmd::Command {
        self.command_at(env!("CARGO_BIN_EXE_confluent-ebs"))
    }

    /// The binary with another path.
    pub(crate) fn command_at(&self, program: impl AsRef<OsStr>) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.process(program))
    }

    /// The same as a plain process, for tests and benchmarks that watch it while it runs.
    pub(crate) fn process(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
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
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("USERPROFILE", self.home.path())
            .env("APPDATA", self.path(".config"))
            .env("LOCALAPPDATA", self.path(".local"))
            .env("XDG_CONFIG_HOME", self.path(".config"))
            .env("XDG_STATE_HOME", self.path(".state"))
            .env("XDG_CACHE_HOME", self.path(".cache"))
            .env("XDG_DATA_HOME", self.path(".data"))
            .env("TMPDIR", self.home.path())
            .env("COLUMNS", "80")
            .env("NO_COLOR", "1")
            .env(SANDBOX_START.0, sandbox_start_text())
            .env("TZ", "UTC");
        command
    }

    /// Runs `confluent-ebs` with `args` (separated by blanks) and an empty standard input.
    pub(crate) fn run(&self, args: &str) -> CliOutput {
        self.run_command(self.command().args(args.split_whitespace()))
    }

    /// Like [`Cli::run`], with the key of a profile that onboarding wrote: `claims-operator`.
    pub(crate) fn run_as(&self, profile: &str, args: &str) -> CliOutput {
        self.run(&format!("{args} --profile {PROFILES_DIR}/{profile}.toml"))
    }

    /// Like [`Cli::run`], with environment variables.
    pub(crate) fn run_with_env(&self, args: &str, variables: &[(&str, &str)]) -> CliOutput {
        let mut command = self.command();
        command.args(args.split_whitespace()).envs(variables.iter().copied());
        self.run_command(&mut command)
    }

    /// Like [`Cli::run`], with `input` on standard input, as from a pipe.
    pub(crate) fn run_with_input(&self, args: &str, input: &str) -> CliOutput {
        self.run_command(self.command().args(args.split_whitespace()).write_stdin(input))
    }

    /// Runs Git in this home with `args` (separated by blanks).
    #[track_caller]
    pub(crate) fn git(&self, args: &str) {
        let output = Command::new("git")
            .current_dir(self.home.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=ci", "-c", "user.email=ci@example.com"])
            .args(args.split_whitespace())
            .output()
            .expect("git starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args}: {errors}");
    }

    /// Runs a command and returns its output.
    pub(crate) fn run_command(&self, command: &mut assert_cmd::Command) -> CliOutput {
        let output = command.output().expect("the binary starts");
        let text = |bytes: &[u8]| self.redact(&String::from_utf8_lossy(bytes));
        CliOutput {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            args: command.get_args().map(OsStr::to_owned).collect(),
        }
    }

    /// `text` with this home's path as `[HOME]` and times as `2026-01-02T03:04:05Z`, which has the same width.
    fn redact(&self, text: &str) -> String {
        let root = self.home.path().display().to_string();
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
#[derive(Clone, Debug)]
pub(crate) struct CliOutput {
    /// Exit code; `None` if a signal ended the process.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    args: Vec<OsString>,
}

impl CliOutput {
    /// The output, if the command exited with `code`.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        if self.code != Some(code) {
            let args: Vec<_> = self.args.iter().map(|arg| arg.to_string_lossy()).collect();
            panic!(
                "expected exit code {code} of `confluent-ebs {}`:\n{self}",
                args.join(" ")
            );
        }
        self
    }

    /// The output, if the command exited with 0.
    #[track_caller]
    pub(crate) fn expect_success(self) -> Self {
        self.expect_code(0)
    }

    /// Standard output as a JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Standard output without line breaks.
    pub(crate) fn stdout_line(&self) -> String {
        normalize_whitespace(&self.stdout)
    }

    /// Standard error without line breaks.
    pub(crate) fn stderr_line(&self) -> String {
        normalize_whitespace(&self.stderr)
    }
}

/// Two outputs are equal whatever their commands.
impl PartialEq for CliOutput {
    fn eq(&self, other: &Self) -> bool {
        (self.code, &self.stdout, &self.stderr) == (other.code, &other.stdout, &other.stderr)
    }
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
