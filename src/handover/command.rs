//! Giving finished profiles to a command of the user's: one that puts them into a vault, or mails them.
//!
//! The command is started without a shell: it is split into words as a shell would, and that is all, so that it means the
//! same on every system and nothing in a name can become a second command. Who wants a shell names one
//! (`sh -c '…'`). The profile is on its standard input, what it is about in variables (`env::FOR_HANDOVER`), nothing of
//! it in the arguments. That it took the profile is said by its exit code and nothing else.
//!
//! What the command prints is read, so that it never waits for a reader, and shown only when it fails: the end of it,
//! without the secrets of the profile.

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
    config::Profile,
    env,
    hint::{Advice, Hint},
    model::{ApiKeyId, KeyKind},
};

/// How much of what a command printed is kept, from the end.
const MAX_OUTPUT_BYTES: usize = 16 * 1024;

/// How many of its last lines are shown.
const SHOWN_LINES: usize = 5;

/// How long output is read once the command has ended: what it started may hold the pipes open for ever.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// The variables that the command does not get: the key of whoever onboards is none of its business.
const REMOVED_VARIABLES: [&str; 2] = [env::CONFLUENT_CLOUD_API_KEY, env::CONFLUENT_CLOUD_API_SECRET];

/// Why a profile was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The finished file cannot be read.
    #[error("`{file}` cannot be read")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("`{program}` cannot be started")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program did not end.
    #[error("`{program}` did not end within {} s", after.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it was waited for.
        after: Duration,
        /// The end of what it printed.
        output: String,
    },
    /// The program says that it did not take it.
    #[error("`{program}` {exit}")]
    Refused {
        /// The program.
        program: String,
        /// How it ended.
        exit: String,
        /// The end of what it printed.
        output: String,
    },
}

impl Advice for HandoverError {
    fn hints(&self) -> Vec<Hint> {
        let said = |said: &str| (!said.is_empty()).then(|| Hint::new(format!("It said: {said}")));
        match self {
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                vec!["It is started without a shell, as a program on the `PATH` or by its path.".into()]
            }
            Self::File { .. } | Self::Start { .. } => Vec::new(),
            Self::TimedOut { output: text, .. } => {
                let mut hints = vec![Hint::new("`--handover-timeout` gives it more time.")];
                hints.extend(said(text));
                hints
            }
            Self::Refused { output: text, .. } => said(text).into_iter().collect(),
        }
    }
}

/// A command that takes finished profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverCommand {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

/// A finished profile.
#[derive(Clone, Copy, Debug)]
pub struct HandoverRequest<'a> {
    /// Which one.
    pub profile: &'a ProfileId,
    /// The stage, also when it is the default one.
    pub stage: &'a str,
    /// The service account.
    pub account: &'a str,
    /// The public halves of the keys in it.
    pub keys: &'a [ApiKeyId],
    /// The file.
    pub path: &'a Path,
}

impl HandoverCommand {
    /// The command that `text` says, which may take as long as `timeout`.
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

    /// The program, without its arguments.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Gives a finished profile to the command, and waits for it in real time: what it does is outside of any sandbox.
    ///
    /// # Errors
    /// When the command did not say that it took it. The file is as it was.
    pub async fn run(&self, request: HandoverRequest<'_>) -> Result<(), HandoverError> {
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
        let mut child = self.build_command(request).spawn().map_err(start)?;
        let (mut out, mut err) = (OutputTail::default(), OutputTail::default());
        let ended = tokio::time::timeout(self.timeout, communicate(&mut child, &bytes, &mut out, &mut err)).await;
        let said = || {
            let text = if err.is_blank() { &out } else { &err };
            text.redacted_lines(&profile_secrets(request.path, &bytes))
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
                // It may have ended meanwhile.
                let _ = child.kill().await;
                Err(HandoverError::TimedOut {
                    program: self.program.clone(),
                    after: self.timeout,
                    output: said(),
                })
            }
        }
    }

    fn build_command(&self, request: HandoverRequest<'_>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in REMOVED_VARIABLES {
            command.env_remove(name);
        }
        let keys: Vec<&str> = request.keys.iter().map(ApiKeyId::as_str).collect();
        let file = request.path.file_name().unwrap_or_default();
        command
            .env(env::HANDOVER_DEPARTMENT, request.profile.department.as_str())
            .env(env::HANDOVER_PERSONA, &request.profile.persona)
            .env(env::HANDOVER_STAGE, request.stage)
            .env(env::HANDOVER_ACCOUNT, request.account)
            .env(env::HANDOVER_API_KEYS, keys.join(" "))
            .env(env::HANDOVER_FILE, file);
        command
    }
}

/// Writes, reads and waits at the same time: whichever stands still must not hold up the others.
async fn communicate(
    child: &mut Child,
    bytes: &[u8],
    out: &mut OutputTail,
    err: &mut OutputTail,
) -> io::Result<ExitStatus> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // Who does not want all of it says with the exit code whether that was enough. The end of this block closes it.
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
        return format!("was ended by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("ended with code {code}"),
        None => "was ended".to_owned(),
    }
}

/// The secrets of a profile in clear: whatever reads it may print it.
fn profile_secrets(path: &Path, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (_, keys, _) = Profile::parse(path, text, &[]);
    [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry]
        .into_iter()
        .filter_map(|kind| keys.get(kind).map(|pair| pair.secret.expose().to_owned()))
        .filter(|secret| !secret.is_empty())
        .collect()
}

/// The end of an output.
#[derive(Default)]
struct OutputTail(VecDeque<u8>);

impl OutputTail {
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut piece).await {
            self.0.extend(&piece[..length]);
            let surplus = self.0.len().saturating_sub(MAX_OUTPUT_BYTES);
            self.0.drain(..surplus);
        }
    }

    fn is_blank(&self) -> bool {
        self.0.iter().all(u8::is_ascii_whitespace)
    }

    /// The last lines in one, with every secret covered. The first line that was kept may be cut, and a secret in it with
    /// it, so it is left out.
    fn redacted_lines(&self, secrets: &[String]) -> String {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if self.0.len() == MAX_OUTPUT_BYTES {
            text = text
                .split_once('\n')
                .map_or_else(String::new, |(_, rest)| rest.to_owned());
        }
        for secret in secrets {
            text = text.replace(secret, "****");
        }
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join(" / ")
    }
}

#[cfg(all(test, unix))]
#[path = "command_tests.rs"]
mod tests;
