//! The one error of the application layer and of the edge.
//!
//! Which error type belongs where:
//!
//! - **Modules** (`model` … `apply`) have small typed errors, made with `thiserror`. They say what went wrong in terms
//!   of their own subject and know nothing about exit codes or terminals; some know what to do next
//!   ([`Advice`](crate::hint::Advice)).
//! - **Files that people write** are not errors but [`Finding`]s, so that all problems of a run are told at once.
//! - **The application** (`session` … `commands`) returns this [`Error`]: a kind, which decides the exit code; a chain of causes; hints, added where the
//!   knowledge is; findings. Every typed error becomes one through `?`; [`classify`] is the only place that decides
//!   which kind it is and what it advises.
//! - **`main`** shows it as a `render::Problem` and ends the process with its exit code.

use std::{borrow::Cow, error::Error as StdError, fmt};

use crate::{
    apply::StepError,
    client::ClientError,
    config::{CredentialsError, EndpointError, SaveError, SettingsError, SnapshotError, git::GitError},
    diag::Finding,
    exit::ExitCode,
    handover::{AgeError, ProfileStoreError},
    hint::{Advice, Hint},
    plan::ObserveError,
    resources::{
        ResourceError,
        connector::wait::{WaitError, WaitFailure},
    },
};

/// What an error is to a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something failed, or a file is invalid.
    Failed,
    /// Differences were found, and the user asked to be told so.
    Differences,
    /// A part was applied.
    Partial,
    /// Not authenticated or not authorised.
    Denied,
    /// Refused by a policy, a naming rule or a quota.
    Refused,
    /// Something that was looked at is unhealthy.
    Unhealthy,
    /// The command was called wrongly.
    Usage,
    /// Interrupted before the first write.
    Interrupted,
}

impl From<ErrorKind> for ExitCode {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Failed => Self::Failed,
            ErrorKind::Differences => Self::Differences,
            ErrorKind::Partial => Self::Partial,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Unhealthy => Self::Unhealthy,
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Interrupted => Self::Interrupted,
        }
    }
}

/// Why a command did not do what it was asked to do.
///
/// It is not a [`std::error::Error`] itself, so that every type that is one can become this through `?`.
#[derive(Debug)]
pub struct Error {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// What happened, with its causes.
    pub source: anyhow::Error,
    /// What to do next.
    pub hints: Vec<Hint>,
    /// Places in files that must be changed.
    pub findings: Vec<Finding>,
    /// How the command is called; only after a mistake in its arguments.
    pub usage: Option<String>,
}

impl Error {
    /// An error of `kind`; the message begins lower case and has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::wrap(anyhow::Error::msg(message.into())).with_kind(kind)
    }

    /// Something failed.
    pub fn failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Not authenticated or not authorised.
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }

    /// Refused by a policy, a naming rule or a quota.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// Called wrongly.
    pub fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// An error from findings; `message` says what they are about.
    pub fn findings(message: impl Into<Cow<'static, str>>, findings: Vec<Finding>) -> Self {
        let mut error = Self::failed(message);
        error.findings = findings;
        error
    }

    /// An error from a chain of causes: its kind and hints come from the typed errors in it.
    pub fn wrap(source: anyhow::Error) -> Self {
        let (kind, hints) = classify(&source);
        Self {
            kind,
            source,
            hints,
            findings: Vec::new(),
            usage: None,
        }
    }

    /// An error with the advice it has about itself, for types that [`classify`] cannot know: the sandbox's.
    pub fn with_advice(error: impl Advice + StdError + Send + Sync + 'static) -> Self {
        let hints = error.hints();
        let mut edge = Self::from(error);
        edge.hints = hints;
        edge
    }

    /// The same error as another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same error with one more hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same error as the cause of `message`.
    #[must_use]
    pub fn context(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.source = self.source.context(message.into());
        self
    }

    /// The code with which the process ends.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.kind.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#}", self.source)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::wrap(error.into())
    }
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The answer was neither yes nor no, or the input ended: the stock CLI's words.
    #[error("failed to read input")]
    Unreadable,
    /// There is no terminal, and nothing was piped in.
    #[error("cannot ask for confirmation: standard input is not a terminal and holds no answer")]
    NotInteractive {
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
            Self::NotInteractive { flag } => vec![format!("Pass `{flag}` to answer without being asked.").into()],
            Self::Mismatch { .. } => Vec::new(),
        }
    }
}

/// What the typed errors in a chain of causes mean at the edge: the first that is known decides.
fn classify(error: &anyhow::Error) -> (ErrorKind, Vec<Hint>) {
    error
        .chain()
        .find_map(classify_cause)
        .unwrap_or((ErrorKind::Failed, Vec::new()))
}

fn classify_cause(cause: &(dyn StdError + 'static)) -> Option<(ErrorKind, Vec<Hint>)> {
    fn classify_as<E: Advice + StdError + 'static>(
        cause: &(dyn StdError + 'static),
        kind: fn(&E) -> ErrorKind,
    ) -> Option<(ErrorKind, Vec<Hint>)> {
        cause.downcast_ref::<E>().map(|error| (kind(error), error.hints()))
    }
    classify_as::<ClientError>(cause, classify_client_error)
        .or_else(|| classify_as::<ResourceError>(cause, classify_resource_error))
        .or_else(|| classify_as::<WaitError>(cause, classify_wait_error))
        .or_else(|| {
            classify_as::<StepError>(cause, |error| match error {
                StepError::Resource(error) => classify_resource_error(error),
                StepError::Wait(error) => classify_wait_error(error),
                StepError::Save(_)
                | StepError::ProfileStore(_)
                | StepError::Delivery(_)
                | StepError::Journal(_)
                | StepError::ProbeFailed(_)
                | StepError::MissingInput(_) => ErrorKind::Failed,
            })
        })
        .or_else(|| {
            classify_as::<ObserveError>(cause, |error| match error {
                ObserveError::Client(error) => classify_client_error(error),
                ObserveError::NotAServiceAccount { .. } | ObserveError::UnknownKeyOwner(_) => ErrorKind::Denied,
                ObserveError::OtherOrganization { .. }
                | ObserveError::NoOrganization
                | ObserveError::OtherRegistry { .. } => ErrorKind::Failed,
            })
        })
        .or_else(|| classify_as::<CredentialsError>(cause, |_| ErrorKind::Denied))
        .or_else(|| {
            classify_as::<EndpointError>(cause, |error| match error {
                EndpointError::UntrustedHost(_) | EndpointError::NotHttps(_) | EndpointError::HasUserInfo => {
                    ErrorKind::Refused
                }
                EndpointError::Malformed(_) => ErrorKind::Failed,
            })
        })
        .or_else(|| classify_as::<GitError>(cause, |_| ErrorKind::Refused))
        .or_else(|| classify_as::<SaveError>(cause, |_| ErrorKind::Failed))
        .or_else(|| classify_as::<AgeError>(cause, |_| ErrorKind::Failed))
        .or_else(|| classify_as::<ProfileStoreError>(cause, |_| ErrorKind::Failed))
        .or_else(|| classify_as::<SettingsError>(cause, |_| ErrorKind::Failed))
        .or_else(|| classify_as::<SnapshotError>(cause, |_| ErrorKind::Failed))
        .or_else(|| {
            classify_as::<PromptError>(cause, |error| match error {
                PromptError::NotInteractive { .. } => ErrorKind::Usage,
                PromptError::Unreadable | PromptError::Mismatch { .. } => ErrorKind::Failed,
            })
        })
}

fn classify_resource_error(error: &ResourceError) -> ErrorKind {
    match error {
        ResourceError::Client(error) => classify_client_error(error),
        ResourceError::Stale { .. } | ResourceError::Conflict(_) | ResourceError::ConcurrentKey { .. } => {
            ErrorKind::Failed
        }
    }
}

fn classify_wait_error(error: &WaitError) -> ErrorKind {
    match error.failure() {
        WaitFailure::Failed | WaitFailure::Rejected => ErrorKind::Unhealthy,
        WaitFailure::Gone | WaitFailure::TimedOut => ErrorKind::Failed,
        WaitFailure::Interrupted => ErrorKind::Interrupted,
    }
}

/// What an answer of the service means.
fn classify_client_error(error: &ClientError) -> ErrorKind {
    if error.is_quota_exceeded() {
        ErrorKind::Refused
    } else if error.is_unauthorized() || error.is_forbidden() {
        ErrorKind::Denied
    } else {
        ErrorKind::Failed
    }
}

/// What every result in a command can do.
pub trait ResultExt<T>: Sized {
    /// The error as the cause of a message: what was being done, on what.
    fn context(self, message: impl Into<Cow<'static, str>>) -> Result<T, Error>;
    /// [`ResultExt::context`] with a message that is only made when it is needed.
    fn with_context<M: Into<Cow<'static, str>>>(self, message: impl FnOnce() -> M) -> Result<T, Error>;
    /// The error with one more hint.
    fn hint(self, hint: impl Into<Hint>) -> Result<T, Error>;
    /// The error as another kind.
    fn kind(self, kind: ErrorKind) -> Result<T, Error>;
}

impl<T, E: Into<Error>> ResultExt<T> for Result<T, E> {
    fn context(self, message: impl Into<Cow<'static, str>>) -> Result<T, Error> {
        self.map_err(|error| error.into().context(message))
    }

    fn with_context<M: Into<Cow<'static, str>>>(self, message: impl FnOnce() -> M) -> Result<T, Error> {
        self.map_err(|error| error.into().context(message()))
    }

    fn hint(self, hint: impl Into<Hint>) -> Result<T, Error> {
        self.map_err(|error| error.into().with_hint(hint))
    }

    fn kind(self, kind: ErrorKind) -> Result<T, Error> {
        self.map_err(|error| error.into().with_kind(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_except_ok_has_exactly_one_error_kind() {
        let kinds = [
            ErrorKind::Failed,
            ErrorKind::Differences,
            ErrorKind::Partial,
            ErrorKind::Denied,
            ErrorKind::Refused,
            ErrorKind::Unhealthy,
            ErrorKind::Usage,
            ErrorKind::Interrupted,
        ];
        let codes = kinds.map(ExitCode::from);
        for (code, _) in ExitCode::ALL {
            let expected = usize::from(code != ExitCode::Ok);
            assert_eq!(codes.iter().filter(|c| **c == code).count(), expected, "{code:?}");
        }
    }

    #[test]
    fn a_typed_error_keeps_its_kind_below_a_context() {
        let asked: Result<bool, PromptError> = Err(PromptError::NotInteractive { flag: "--yes" });
        let error = asked.context("could not onboard `claims`").unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Usage);
        assert_eq!(error.hints[0].as_str(), "Pass `--yes` to answer without being asked.");
        let chain: Vec<String> = error.source.chain().map(ToString::to_string).collect();
        assert_eq!(chain[0], "could not onboard `claims`");
        assert_eq!(chain.len(), 2);
    }

    #[test]
    fn hints_survive_an_added_context() {
        let error = Err::<(), _>(CredentialsError::NotFound)
            .context("could not onboard `claims`")
            .unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Denied);
        assert_eq!(error.hints, CredentialsError::NotFound.hints());
        assert!(!error.hints.is_empty());
        let error = Error::from(EndpointError::UntrustedHost("example.com".into()));
        assert_eq!(error.exit_code(), ExitCode::Refused);
    }
}
