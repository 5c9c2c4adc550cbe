//! The flags that every command has, in any position after `ebs`.

use clap::{ArgAction, Args, ValueEnum};

use crate::{
    model::{ClusterId, DepartmentCode, EnvironmentId},
    render::Format,
    session::Options,
};

/// The values of the global flags.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global Flags")]
pub struct GlobalArgs {
    /// Specify the output format as "human", "json", or "yaml".
    #[arg(short, long, global = true, value_enum, value_name = "string", default_value_t)]
    pub output: OutputFormat,
    /// Environment ID.
    #[arg(long, global = true, value_name = "string")]
    pub environment: Option<EnvironmentId>,
    /// Kafka cluster ID.
    #[arg(long, global = true, value_name = "string")]
    pub cluster: Option<ClusterId>,
    /// Stage of the platform, as named in ebs.toml.
    #[arg(long, global = true, value_name = "string")]
    pub stage: Option<String>,
    /// Department, by its code.
    #[arg(long, global = true, value_name = "string")]
    pub department: Option<DepartmentCode>,
    /// Profile to act with: a name, or a file if it holds a path separator or ends in ".toml".
    #[arg(long, global = true, value_name = "string")]
    pub profile: Option<String>,
    /// Act on the embedded Confluent Cloud; nothing but this computer is contacted.
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Act on the embedded Confluent Cloud as "admin" or as DEPARTMENT/PERSONA.
    #[arg(long, global = true, value_name = "string")]
    pub sandbox_as: Option<String>,
    /// Trust this host, outside Confluent's domain, with the key of a profile.
    #[arg(long, global = true, value_name = "string")]
    pub trust_endpoint: Option<String>,
    /// Answer yes to every question.
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
    /// How much is logged: 0 for nothing, 4 for everything.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        if self.unsafe_trace { 4 } else { self.verbose.min(4) }
    }

    /// The options of a run that the flags give.
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

/// `--output`, as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables and sentences.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// One line of JSON per result; only where a command says so.
    #[value(hide = true)]
    Ndjson,
    /// Comma-separated values; only where a command says so.
    #[value(hide = true)]
    Csv,
    /// A page for a browser; only where a command says so.
    #[value(hide = true)]
    Html,
    /// SARIF 2.1.0, as code scanners read it; only where a command says so.
    #[value(hide = true)]
    Sarif,
}

impl OutputFormat {
    /// Whether every command knows it.
    #[must_use]
    pub fn is_common(self) -> bool {
        matches!(self, Self::Human | Self::Json | Self::Yaml)
    }
}

impl From<OutputFormat> for Format {
    fn from(output: OutputFormat) -> Self {
        match output {
            // Whoever offers the last three writes them as text.
            OutputFormat::Human | OutputFormat::Csv | OutputFormat::Html | OutputFormat::Sarif => Self::Human,
            OutputFormat::Json => Self::Json,
            OutputFormat::Yaml => Self::Yaml,
            OutputFormat::Ndjson => Self::Ndjson,
        }
    }
}
