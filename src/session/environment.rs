//! Environment and options of a run as values, collected once and passed to every operation, so that tests and other
//! programs can supply their own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_util::sync::CancellationToken;

use crate::{
    apply::event::{Reporter, RunEvent},
    clock::Clock,
    config::{StandardDirs, dirs::NoHomeDir},
    env::{self, VariableKind},
    error::{Error, ResultExt},
    hint,
    model::{ClusterId, DepartmentCode, EnvironmentId},
    redact::SecretRegistry,
};

/// Process environment that operations may use.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Environment variables with valid text.
    pub variables: BTreeMap<String, String>,
    /// Current directory, if it exists.
    pub working_dir: Option<PathBuf>,
    /// State and profile directories of the user.
    pub dirs: Result<StandardDirs, NoHomeDir>,
    /// Home directory of the user.
    pub home: Option<PathBuf>,
    /// Path of the executable.
    pub executable: Option<PathBuf>,
    /// Clock that determines the current time of the run.
    pub clock: Clock,
    /// Secret values of this process, which every writer redacts.
    pub secrets: SecretRegistry,
}

impl Environment {
    /// Returns the value of a variable, unless it is unset or empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Registers the values of the variables that are marked as secret.
    pub fn register_secret_variables(&self) {
        let secrets = env::ALL.iter().filter(|variable| variable.kind == VariableKind::Secret);
        for value in secrets.filter_map(|variable| self.variable(variable.name)) {
            self.secrets.add(&value);
        }
    }

    /// Returns names and values of all variables.
    pub fn variable_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter();
        variables.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the current directory.
    ///
    /// # Errors
    /// Fails if the process has none, for example because it was deleted.
    pub fn working_dir(&self) -> Result<&Path, Error> {
        self.working_dir
            .as_deref()
            .ok_or_else(|| Error::failed("cannot determine the current directory"))
    }

    /// Returns the state and profile directories of the user.
    ///
    /// # Errors
    /// Fails if the home directory is unknown.
    pub fn dirs(&self) -> Result<&StandardDirs, Error> {
        self.dirs
            .as_ref()
            .map_err(Clone::clone)
            .context("cannot determine the state directory")
    }
}

/// Options that select the organization, the stage and the identity: the global flags as values.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Profile: a name or a file.
    pub profile: Option<String>,
    /// Stage of the platform.
    pub stage: Option<String>,
    /// Environment id that replaces the one of the stage.
    pub environment: Option<EnvironmentId>,
    /// Cluster id that replaces the one of the stage.
    pub cluster: Option<ClusterId>,
    /// Code of the department.
    pub department: Option<DepartmentCode>,
    /// Whether the sandbox replaces Confluent Cloud.
    pub sandbox: bool,
    /// Identity in the sandbox: `admin` or `DEPARTMENT/PERSONA`.
    pub sandbox_as: Option<String>,
    /// Hosts outside of Confluent's domain that may receive a key.
    pub trusted_hosts: Vec<String>,
    /// Whether requests and responses are logged.
    pub unsafe_trace: bool,
    /// Log level: 0 logs nothing, 4 logs everything.
    pub verbosity: u8,
}

impl Options {
    /// Returns whether the sandbox replaces Confluent Cloud.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.sandbox || self.sandbox_as.is_some()
    }

    /// Returns department and persona of `--sandbox-as DEPARTMENT/PERSONA`.
    #[must_use]
    pub fn impersonated_persona(&self) -> Option<(&str, &str)> {
        self.sandbox_as.as_deref()?.split_once('/')
    }

    /// Returns a command to paste that selects the same organization, stage and identity as this run.
    #[must_use]
    pub fn suggest(&self, command: &str) -> String {
        format!("confluent ebs {command}{}", self.to_flags())
    }

    /// Returns the flags that select organization, stage and identity, for suggested commands.
    #[must_use]
    pub fn to_flags(&self) -> String {
        self.to_missing_flags(|_| false)
    }

    /// Returns the flags of [`Self::to_flags`] that a command does not have.
    pub(super) fn to_missing_flags(&self, has_flag: impl Fn(&str) -> bool) -> String {
        let values = [
            ("profile", self.profile.clone()),
            ("sandbox-as", self.sandbox_as.clone()),
            ("department", self.department.as_ref().map(ToString::to_string)),
            ("stage", self.stage.clone()),
            ("environment", self.environment.as_ref().map(ToString::to_string)),
            ("cluster", self.cluster.as_ref().map(ToString::to_string)),
        ];
        let mut flags: String = values
            .into_iter()
            .filter(|(flag, _)| !has_flag(flag))
            .filter_map(|(flag, value)| Some(format!(" --{flag} {}", hint::shell_quote(&value?))))
            .collect();
        if self.sandbox && !has_flag("sandbox") {
            flags.push_str(" --sandbox");
        }
        flags
    }
}

/// Context of every application operation: environment, options, reporter and cancellation.
#[derive(Clone)]
pub struct RunContext {
    /// Variables, directories, clock and secrets of the process.
    pub environment: Arc<Environment>,
    /// Values of the flags that all commands share.
    pub options: Options,
    /// Receiver of events.
    pub reporter: Arc<dyn Reporter>,
    /// Cancellation of the run.
    pub cancel: CancellationToken,
}

impl RunContext {
    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.environment.clock
    }

    /// Sends `text` to the reporter as information about the progress.
    pub fn info(&self, text: impl Into<String>) {
        self.reporter.on_event(&RunEvent::Info { text: text.into() });
    }

    /// Reports a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.reporter.on_event(&RunEvent::Warning { text: text.into() });
    }

    /// Returns the value of an environment variable, unless it is unset or empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name)
    }

    /// Returns the directory that `CONFLUENT_EBS_PLATFORM` sets.
    #[must_use]
    pub fn platform_dir(&self) -> Option<PathBuf> {
        self.variable(env::CONFLUENT_EBS_PLATFORM).map(PathBuf::from)
    }
}
