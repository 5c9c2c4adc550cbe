//! Global flags, accepted at any position after `ebs`.

use clap::{ArgAction, Args, ValueEnum};

use crate::{
    model::{ClusterId, DepartmentCode, EnvironmentId},
    render::Format,
    session::Options,
};

/// Values of the global flags.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global Flags")]
pub struct GlobalArgs {
    /// Specify the output format as "human", "json", or "yaml".
    #[arg(short, long, global = true, value_enum, value_name = "string", default_value_t)]
    pub output: OutputFormat,
    /// Set the environment by its ID.
    #[arg(long, global = true, value_name = "string")]
    pub environment: Option<EnvironmentId>,
    /// Set the Kafka cluster by its ID.
    #[arg(long, global = true, value_name = "string")]
    pub cluster: Option<ClusterId>,
    /// Select a stage of ebs.toml by its name.
    #[arg(long, global = true, value_name = "string")]
    pub stage: Option<String>,
    /// Act for a department by its code.
    #[arg(long, global = true, value_name = "string")]
    pub department: Option<DepartmentCode>,
    /// Use a profile, by name or as a file (a value with a path separator or the ending ".toml").
    #[arg(long, global = true, value_name = "string")]
    pub profile: Option<String>,
    /// Use the sandbox, an embedded Confluent Cloud, without network access.
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Act in the sandbox as "admin" or as DEPARTMENT/PERSONA.
    #[arg(long, global = true, value_name = "string")]
    pub sandbox_as: Option<String>,
    /// Allow sending API keys to this host outside of Confluent's domain.
    #[arg(long, global = true, value_name = "string")]
    pub trust_endpoint: Option<String>,
    /// Answer all confirmation prompts with yes.
    #[arg(long, global = true)]
    pub yes: bool,
    /// Equivalent to -vvvv, but also log HTTP requests and responses which might contain plaintext secrets.
    #[arg(long, global = true)]
    pub unsafe_trace: bool,
    /// Increase verbosity (-v for warn, -vv for info, -vvv for debug, -vvvv for trace).
    #[arg(short, long = "verbose", global = true, value_name = "count", action = ArgAction::Count)]
    pub verbose: u8,
    /// Show help for this command.
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
}

impl GlobalArgs {
    /// Log level: 0 logs nothing, 4 logs everything.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        if self.unsafe_trace { 4 } else { self.verbose.min(4) }
    }

    /// Returns the run options that the flags set.
    pub(super) fn to_options(&self) -> Options {
        Options {
            profile: self.profile.clone(),
            stage: self.stage.clone(),
            environment: self.environment.clone(),
            cluster: self.cluster.clone(),
            department: self.department.clone(),
            sandbox: self.sandbox,
            sandbox_as: self.sandbox_as.clone(),
            trusted_hosts: self.trust_endpoint.iter().cloned().collect(),
            unsafe_trace: self.unsafe_trace,
            verbosity: self.verbosity(),
        }
    }
}

/// Value of `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables and sentences.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// One JSON document per line, in commands that support it.
    #[value(hide = true)]
    Ndjson,
    /// Comma-separated values, in commands that support them.
    #[value(hide = true)]
    Csv,
    /// HTML page, in commands that support it.
    #[value(hide = true)]
    Html,
    /// SARIF 2.1.0 for code scanners, in commands that support it.
    #[value(hide = true)]
    Sarif,
    /// Annotations of GitHub Actions, in commands that support them.
    #[value(hide = true)]
    Github,
    /// Code Quality report of GitLab, in commands that support it.
    #[value(hide = true)]
    Gitlab,
    /// JUnit report, in commands that support it.
    #[value(hide = true)]
    Junit,
    /// Markdown for a comment or a summary, in commands that support it.
    #[value(hide = true)]
    Markdown,
}

impl OutputFormat {
    /// Returns whether every command supports the format.
    #[must_use]
    pub fn is_common(self) -> bool {
        matches!(self, Self::Human | Self::Json | Self::Yaml)
    }
}

impl From<OutputFormat> for Format {
    fn from(output: OutputFormat) -> Self {
        match output {
            OutputFormat::Json => Self::Json,
            OutputFormat::Yaml => Self::Yaml,
            OutputFormat::Ndjson => Self::Ndjson,
            // Commands print the other formats as plain text.
            _ => Self::Human,
        }
    }
}
