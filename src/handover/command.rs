//! Execution of a user's command that delivers finished profiles, for example to a vault or by mail.
//!
//! The command is split into words like a shell does, but without expansion, and is started without a shell. It behaves
//! the same on every system, and a name cannot inject a second command. Users who need a shell specify one (`sh -c
//! '…'`). The profile is passed on standard input and its metadata in variables (`env::FOR_HANDOVER`), never in
//! arguments. Exit code 0 means that the profile was delivered.
//!
//! The command's output is always read, so that the command never blocks. Its last lines are shown only on failure,
//! with the secrets of the profile redacted.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

use super::{
    ProfileId,
    shell_split::{ShellSplitError, split},
};
use crate::{
    child,
    config::Profile,
    env,
    hint::{Advice, Hint},
    model::ApiKeyId,
    redact::SecretRegistry,
};

/// Number of bytes kept from the end of the output.
const MAX_OUTPUT_BYTES: usize = 16 * 1024;

/// Number of lines shown from the end of the output.
const SHOWN_LINES: usize = 5;

/// Time to read output after the command has exited, because a background child may keep the pipes open.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// Reason why a profile was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The profile cannot be read.
    #[error("cannot read `{file}`")]
    File {
        /// Path of the profile.
        file: String,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// Program.
        program: String,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The program timed out.
    #[error("`{program}` timed out after {} s", after.as_secs())]
    TimedOut {
        /// Program.
        program: String,
        /// Timeout.
        after: Duration,
        /// Last lines of its output.
        output: String,
    },
    /// The program exited with a failure.
    #[error("`{program}` {exit}")]
    Refused {
        /// Program.
        program: String,
        /// Description of its exit.
        exit: String,
        /// Last lines of its output.
        output: String,
    },
}

impl Advice for HandoverError {
    fn hints(&self) -> Vec<Hint> {
        let said = |said: &str| (!said.is_empty()).then(|| Hint::new(format!("Its output ends with: {said}")));
        match self {
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                vec!["Specify a program on the `PATH` or its path; it is started without a shell.".into()]
            }
            Self::File { .. } | Self::Start { .. } => Vec::new(),
            Self::TimedOut { output: text, .. } => {
                let mut hints = vec![Hint::new("Allow more time with `--handover-timeout`.")];
                hints.extend(said(text));
                hints
            }
            Self::Refused { output: text, .. } => said(text).into_iter().collect(),
        }
    }
}

/// Command that receives finished profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverCommand {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

/// Finished profile to deliver.
#[derive(Clone, Copy, Debug)]
pub struct HandoverRequest<'a> {
    /// Profile id.
    pub profile: &'a ProfileId,
    /// Stage name, even for the default stage.
    pub stage: &'a str,
    /// Service account name.
    pub account: &'a str,
    /// Ids of the keys in the profile; none if it was reissued because its other content changed.
    pub keys: &'a [ApiKeyId],
    /// Path of the profile.
    pub path: &'a Path,
}

impl HandoverCommand {
    /// Parses a command line.
    ///
    /// # Errors
    /// When it is empty, or a quote is not closed.
    pub fn parse(text: &str, timeout: Duration) -> Result<Self, ShellSplitError> {
        let mut words = split(text)?.into_iter();
        Ok(Self {
            program: words.next().ok_or(ShellSplitError::Empty)?,
            arguments: words.collect(),
            timeout,
        })
    }

    /// Returns the program without its arguments.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Runs the command with a finished profile and waits in real time, because the command is outside of any sandbox. Its
    /// output is shown without `secrets`.
    ///
    /// # Errors
    /// When the command fails. The file is unchanged.
    pub async fn run(&self, request: HandoverRequest<'_>, secrets: &SecretRegistry) -> Result<(), HandoverError> {
        let bytes = tokio::fs::read(request.path)
            .await
            .map_err(|source| HandoverError::File {
                file: request.path.display().to_string(),
                source,
            })?;
        let start = |source| HandoverError::Start {
            program: self.program.clone(),
            source,
        };
        register_profile(request.path, &bytes, secrets);
        let mut child = self.build_command(request, secrets).spawn().map_err(start)?;
        // A secret at the beginning of the kept part is complete.
        let capacity = MAX_OUTPUT_BYTES + secrets.longest();
        let (mut out, mut err) = (OutputTail::new(capacity), OutputTail::new(capacity));
        let ended = tokio::time::timeout(self.timeout, communicate(&mut child, &bytes, &mut out, &mut err)).await;
        let said = || {
            let text = if err.is_blank() { &out } else { &err };
            text.redacted_lines(secrets)
        };
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(HandoverError::Refused {
                program: self.program.clone(),
                exit: describe_exit(status),
                output: said(),
            }),
            Ok(Err(source)) => Err(start(source)),
            Err(_) => {
                // It may have exited meanwhile.
                let _ = child.kill().await;
                Err(HandoverError::TimedOut {
                    program: self.program.clone(),
                    after: self.timeout,
                    output: said(),
                })
            }
        }
    }

    fn build_command(&self, request: HandoverRequest<'_>, secrets: &SecretRegistry) -> Command {
        let mut command = Command::from(child::command(&self.program, secrets));
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let keys: Vec<&str> = request.keys.iter().map(ApiKeyId::as_str).collect();
        let file = request.path.file_name().unwrap_or_default();
        command
            .env(env::HANDOVER_DEPARTMENT, request.profile.department.as_str())
            .env(env::HANDOVER_PERSONA, &request.profile.persona)
            .env(env::HANDOVER_STAGE, request.stage)
            .env(env::HANDOVER_ACCOUNT, request.account)
            .env(env::HANDOVER_API_KEYS, keys.join(" "))
            .env(env::HANDOVER_KIND, if keys.is_empty() { "reissued" } else { "new" })
            .env(env::HANDOVER_FILE, file);
        command
    }
}

/// Writes input, reads output and waits concurrently, so that none of them blocks the others.
async fn communicate(
    child: &mut Child,
    bytes: &[u8],
    out: &mut OutputTail,
    err: &mut OutputTail,
) -> io::Result<ExitStatus> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // The command may close its input early; its exit code decides. The end of this block closes the pipe.
            let _ = stdin.write_all(bytes).await;
            let _ = stdin.shutdown().await;
        }
    };
    let mut pipes = std::pin::pin!(async { tokio::join!(feed, out.read(stdout), err.read(stderr)) });
    tokio::select! {
        _ = &mut pipes => child.wait().await,
        status = child.wait() => {
            let _ = tokio::time::timeout(OUTPUT_GRACE, &mut pipes).await;
            status
        }
    }
}

fn describe_exit(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("was terminated by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => "was terminated".to_owned(),
    }
}

/// Registers the secrets of a plaintext profile, which the command may print.
fn register_profile(path: &Path, bytes: &[u8], secrets: &SecretRegistry) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (_, keys, _) = Profile::parse(path, text, &[]);
    keys.register(secrets);
}

/// End of an output stream.
struct OutputTail {
    bytes: VecDeque<u8>,
    capacity: usize,
}

impl OutputTail {
    fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            capacity,
        }
    }

    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut piece).await {
            self.bytes.extend(&piece[..length]);
            let surplus = self.bytes.len().saturating_sub(self.capacity);
            self.bytes.drain(..surplus);
        }
    }

    fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// Returns the last lines, joined and with secrets redacted. If output was dropped, the beginning may be a part of a
    /// secret, so as much as the longest secret is omitted, and the rest of its line.
    fn redacted_lines(&self, secrets: &SecretRegistry) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let redacted = secrets.redact(&text);
        let mut text = &*redacted;
        if self.bytes.len() == self.capacity {
            let part = text.floor_char_boundary(self.capacity - MAX_OUTPUT_BYTES);
            text = text[part..].split_once('\n').map_or("", |(_, rest)| rest);
        }
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join(" / ")
    }
}

#[cfg(all(test, unix))]
#[path = "command_tests.rs"]
mod tests;
