//! Everything a run takes from the process and the command line, as values: filled once at the edge, passed to every
//! operation, so that a test or another program can run an operation with an environment of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    apply::event::{Reporter, RunEvent},
    cancel::CancelToken,
    clock::Clock,
    config::{StandardDirs, dirs::NoHomeDir},
    env,
    error::{Error, ResultExt},
    hint,
    model::{ClusterId, DepartmentCode, EnvironmentId},
};

/// The part of the process that operations may see.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Environment variables whose names and values are text.
    pub variables: BTreeMap<String, String>,
    /// The current directory, where the process has one.
    pub working_dir: Option<PathBuf>,
    /// State and profile folders of the user.
    pub dirs: Result<StandardDirs, NoHomeDir>,
    /// Home folder of the user.
    pub home: Option<PathBuf>,
    /// The program's own file.
    pub executable: Option<PathBuf>,
    /// Time.
    pub clock: Clock,
}

impl Environment {
    /// The value of a variable, unless it is unset or empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The current directory.
    ///
    /// # Errors
    /// The process has none, for example because it was deleted.
    pub fn working_dir(&self) -> Result<&Path, Error> {
        self.working_dir
            .as_deref()
            .ok_or_else(|| Error::failed("cannot determine the current directory"))
    }

    /// State and profile folders of the user.
    ///
    /// # Errors
    /// The home folder is not known.
    pub fn dirs(&self) -> Result<&StandardDirs, Error> {
        self.dirs.as_ref().map_err(Clone::clone).context("no state folder")
    }
}

/// Which organization, stage and identity a run acts on: the global flags as values.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Profile: a name or a file.
    pub profile: Option<String>,
    /// Stage of the platform.
    pub stage: Option<String>,
    /// Environment id that replaces the stage's.
    pub environment: Option<EnvironmentId>,
    /// Cluster id that replaces the stage's.
    pub cluster: Option<ClusterId>,
    /// Department by its code.
    pub department: Option<DepartmentCode>,
    /// Whether the sandbox replaces Confluent Cloud.
    pub sandbox: bool,
    /// Identity in the sandbox: `admin` or `DEPARTMENT/PERSONA`.
    pub sandbox_as: Option<String>,
    /// Hosts outside Confluent's domain that a key may be sent to.
    pub trusted_hosts: Vec<String>,
    /// Whether requests and responses are logged.
    pub unsafe_trace: bool,
    /// How much is logged: 0 for nothing, 4 for everything.
    pub verbosity: u8,
}

impl Options {
    /// Whether the sandbox replaces Confluent Cloud.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.sandbox || self.sandbox_as.is_some()
    }

    /// Department and persona of `--sandbox-as DEPARTMENT/PERSONA`.
    #[must_use]
    pub fn impersonated_persona(&self) -> Option<(&str, &str)> {
        self.sandbox_as.as_deref()?.split_once('/')
    }

    /// The flags that select organization, stage and identity, for commands that a message suggests.
    #[must_use]
    pub fn to_flags(&self) -> String {
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
            .filter_map(|(flag, value)| Some(format!(" --{flag} {}", hint::shell_quote(&value?))))
            .collect();
        if self.sandbox {
            flags.push_str(" --sandbox");
        }
        flags
    }
}

/// What every operation of the application gets: environment, options, where to report, and when to stop.
#[derive(Clone)]
pub struct RunContext {
    /// The part of the process that operations may see.
    pub environment: Arc<Environment>,
    /// The global options.
    pub options: Options,
    /// Receives events.
    pub reporter: Arc<dyn Reporter>,
    /// Cancellation of the run.
    pub cancel: CancelToken,
}

impl RunContext {
    /// Time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.environment.clock
    }

    /// Reports a sentence about the progress of the run.
    pub fn info(&self, text: impl Into<String>) {
        self.reporter.on_event(&RunEvent::Info { text: text.into() });
    }

    /// Reports a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.reporter.on_event(&RunEvent::Warning { text: text.into() });
    }

    /// The value of an environment variable, unless it is unset or empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name)
    }

    /// The folder that `CONFLUENT_EBS_PLATFORM` names.
    #[must_use]
    pub fn platform_dir(&self) -> Option<PathBuf> {
        self.variable(env::CONFLUENT_EBS_PLATFORM).map(PathBuf::from)
    }
}
