//! Error type of the application rooms and of the commands.
//!
//! Error types by layer:
//!
//! - **Modules** (`model` … `apply`) have small typed errors made with `thiserror`. They describe the failure in their
//!   own terms and do not know exit codes or terminals; some provide hints ([`Advice`]).
//! - **Files written by people** produce [`Finding`]s instead of errors, so that one run reports all problems.
//! - **The application** (`checks` … `commands`) returns this [`Error`]: a kind, which determines the exit code; a chain of causes; hints; and
//!   findings. `?` converts every typed error; only `classify` determines its kind and hints.
//! - **`main`** prints it with `render::Problem` and exits with its code.

use std::{borrow::Cow, error::Error as StdError, fmt};

use serde::Serialize;

use crate::{
    apply::StepError,
    client::ClientError,
    config::{CredentialsError, EndpointError, SaveError, SnapshotError, git::GitError},
    diag::Finding,
    exit::ExitCode,
    handover::{AgeError, ProfileStoreError},
    hint::{Advice, Hint},
    model::PlatformTeam,
    plan::ObserveError,
    resources::{
        ResourceError,
        connector::wait::{WaitError, WaitFailure},
    },
};

/// Kind of an error, which determines the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Failure, or an invalid file.
    Failed,
    /// Differences exist, and `--detailed-exitcode` is set.
    Differences,
    /// Partly applied.
    Partial,
    /// Not authenticated or not authorized.
    Denied,
    /// Refused by a policy, a naming rule or a quota.
    Refused,
    /// An observed resource is unhealthy.
    Unhealthy,
    /// The approved plan is stale.
    Stale,
    /// Invalid arguments.
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
            ErrorKind::Stale => Self::Stale,
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Interrupted => Self::Interrupted,
        }
    }
}

/// Error of a command.
///
/// It does not implement [`std::error::Error`], so that `?` can convert every type that does.
#[derive(Debug)]
pub struct Error {
    /// Kind, which determines the exit code.
    pub kind: ErrorKind,
    /// Message and chain of causes.
    pub source: anyhow::Error,
    /// Hints.
    pub hints: Vec<Hint>,
    /// Findings in files.
    pub findings: Vec<Finding>,
    /// Usage line, only for invalid arguments.
    pub usage: Option<String>,
}

impl Error {
    /// Creates an error of `kind`; the message starts in lower case and has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::wrap(anyhow::Error::msg(message.into())).with_kind(kind)
    }

    /// Creates a failure.
    pub fn failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Creates an error for missing authentication or authorization.
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }

    /// Creates an error for a refused operation.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// Creates an error for invalid arguments.
    pub fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Creates an error with findings; `message` names their subject.
    pub fn findings(message: impl Into<Cow<'static, str>>, findings: Vec<Finding>) -> Self {
        let mut error = Self::failed(message);
        error.findings = findings;
        error
    }

    /// Creates an error from a chain of causes, whose typed errors determine kind and hints.
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

    /// Creates an error with its own hints, for types that `classify` does not know, such as those of the sandbox.
    pub fn with_advice(error: impl Advice + StdError + Send + Sync + 'static) -> Self {
        let hints = error.hints();
        let mut edge = Self::from(error);
        edge.hints = hints;
        edge
    }

    /// Returns the error with another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns the error with the configured name of the platform team in its hints.
    #[must_use]
    pub fn for_platform_team(mut self, team: &PlatformTeam) -> Self {
        let name = team.to_string();
        self.hints = self
            .hints
            .into_iter()
            .map(|hint| hint.for_platform_team(&name))
            .collect();
        self
    }

    /// Returns the error with an additional hint, unless it has the hint already.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Returns an error with `message`, caused by this one.
    #[must_use]
    pub fn context(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.source = self.source.context(message.into());
        self
    }

    /// Returns the exit code of the process.
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

/// Error of a prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The answer is neither yes nor no, or the input ended. Same text as the Confluent CLI.
    #[error("failed to read input")]
    Unreadable,
    /// Standard input is no terminal and holds no answer.
    #[error("cannot ask for confirmation: standard input is not a terminal and holds no answer")]
    NotInteractive {
        /// Flag that answers the question.
        flag: &'static str,
    },
    /// The typed text differs from the expected one.
    #[error("not confirmed: expected `{wanted}`, got `{typed}`")]
    Mismatch {
        /// Typed text.
        typed: String,
        /// Expected text.
        wanted: String,
    },
}

impl Advice for PromptError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Unreadable => vec!["Answer with `y` or `n`.".into()],
            Self::NotInteractive { flag } => vec![format!("Pass `{flag}` to skip the prompt.").into()],
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
        WaitFailure::Paused | WaitFailure::Gone | WaitFailure::TimedOut => ErrorKind::Failed,
        WaitFailure::Interrupted => ErrorKind::Interrupted,
    }
}

/// Determines the kind of a client error.
fn classify_client_error(error: &ClientError) -> ErrorKind {
    if error.is_quota_exceeded() {
        ErrorKind::Refused
    } else if error.is_unauthorized() || error.is_forbidden() {
        ErrorKind::Denied
    } else {
        ErrorKind::Failed
    }
}

/// Extensions of `Result` for commands.
pub trait ResultExt<T>: Sized {
    /// Wraps the error in a message: the attempted operation and its object.
    fn context(self, message: impl Into<Cow<'static, str>>) -> Result<T, Error>;
    /// Like [`ResultExt::context`], with a message that is created only for an error.
    fn with_context<M: Into<Cow<'static, str>>>(self, message: impl FnOnce() -> M) -> Result<T, Error>;
    /// Adds a hint to the error.
    fn hint(self, hint: impl Into<Hint>) -> Result<T, Error>;
    /// Sets the kind of the error.
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
            ErrorKind::Stale,
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
        assert_eq!(error.hints[0].as_str(), "Pass `--yes` to skip the prompt.");
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
