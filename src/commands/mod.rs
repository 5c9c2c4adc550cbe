//! Commands, one file each: arguments (whose doc comment is the help text), the type of the result, and `run`.
//!
//! A command returns a [`CommandOutput`] and prints nothing; while it runs, it reports through [`Ctx::ui`]. To add a
//! command, write `commands/<noun>/<verb>.rs` and add two lines to its list: the variant and the match arm that runs
//! it.

mod access;
mod completion;
mod config;
mod connector;
mod context;
mod department;
mod doctor;
mod duration;
mod finding_document;
mod provisioning;
mod global_args;
mod gitops;
mod help;
mod init;
mod keys;
mod man;
mod offboard;
mod onboard;
mod profile;
mod quota;
mod command_output;
mod sandbox;
mod schema;
mod signals;
mod status;
mod cli_parser;

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

pub use command_output::CommandOutput;
pub use context::Ctx;
pub use global_args::GlobalArgs;
pub use help::render_reference;

use crate::{
    clock::Clock,
    config::StandardDirs,
    env,
    error::Error,
    exit::ExitCode,
    redact::SecretRegistry,
    render::{Format, Ui},
    session::{CommandFlags, Environment, start_log},
};
use cli_parser::ParseExit;
use global_args::OutputFormat;

/// Onboard departments to a shared Confluent Cloud and run their connectors
///
/// The platform team onboards a department with one command: service accounts, role bindings on the department's name
/// prefix, API keys and quotas. The department then runs its connectors with one restricted key.
#[derive(Debug, Parser)]
#[command(
    name = "confluent-ebs",
    bin_name = "confluent ebs",
    version,
    disable_version_flag = true,
    disable_help_flag = true,
    arg_required_else_help = true,
    after_help = "\
Show the help of a command.

  $ confluent ebs help completion"
)]
struct Cli {
    #[command(flatten)]
    globals: GlobalArgs,
    /// Print the version.
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: RootCommand,
}

/// Top-level commands.
#[derive(Debug, Subcommand)]
enum RootCommand {
    Access(access::AccessArgs),
    Completion(completion::CompletionArgs),
    Config(config::ConfigArgs),
    Connector(connector::ConnectorArgs),
    Department(department::DepartmentArgs),
    Doctor(doctor::DoctorArgs),
    Gitops(gitops::GitopsArgs),
    Init(init::InitArgs),
    Keys(keys::KeysArgs),
    Man(man::ManArgs),
    Offboard(offboard::OffboardArgs),
    Onboard(onboard::OnboardArgs),
    Profile(profile::ProfileArgs),
    Quota(quota::QuotaArgs),
    Sandbox(sandbox::SandboxArgs),
    Schema(schema::SchemaArgs),
    Status(status::StatusArgs),
}

impl RootCommand {
    /// Returns whether the command supports this output format; every command supports human, JSON and YAML.
    fn supports_output(&self, output: OutputFormat) -> bool {
        match self {
            Self::Access(command) => command.supports_output(output),
            Self::Connector(command) => command.supports_output(output),
            Self::Department(command) => command.supports_output(output),
            Self::Gitops(command) => command.supports_output(output),
            Self::Onboard(command) => command.supports_output(output),
            Self::Quota(command) => command.supports_output(output),
            _ => output.is_common(),
        }
    }

    /// Returns the first word of the command.
    const fn name(&self) -> &'static str {
        match self {
            Self::Access(_) => "access",
            Self::Completion(_) => "completion",
            Self::Config(_) => "config",
            Self::Connector(_) => "connector",
            Self::Department(_) => "department",
            Self::Doctor(_) => "doctor",
            Self::Gitops(_) => "gitops",
            Self::Init(_) => "init",
            Self::Keys(_) => "keys",
            Self::Man(_) => "man",
            Self::Offboard(_) => "offboard",
            Self::Onboard(_) => "onboard",
            Self::Profile(_) => "profile",
            Self::Quota(_) => "quota",
            Self::Sandbox(_) => "sandbox",
            Self::Schema(_) => "schema",
            Self::Status(_) => "status",
        }
    }

    fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self {
            Self::Access(command) => command.run(ctx),
            Self::Completion(command) => command_output::finish(command.run(ctx), ctx),
            Self::Config(command) => command.run(ctx),
            Self::Connector(command) => command.run(ctx),
            Self::Department(command) => command.run(ctx),
            Self::Doctor(command) => command_output::finish(command.run(ctx), ctx),
            Self::Gitops(command) => command.run(ctx),
            Self::Init(command) => command_output::finish(command.run(ctx), ctx),
            Self::Keys(command) => command.run(ctx),
            Self::Man(command) => command_output::finish(command.run(ctx), ctx),
            Self::Offboard(command) => command_output::finish(command.run(ctx), ctx),
            Self::Onboard(command) => command_output::finish(command.run(ctx), ctx),
            Self::Profile(command) => command.run(ctx),
            Self::Quota(command) => command.run(ctx),
            Self::Sandbox(command) => command.run(ctx),
            Self::Schema(command) => command_output::finish(command.run(ctx), ctx),
            Self::Status(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

/// Returns the complete command tree, for help, manual pages, completion and tests.
#[must_use]
pub fn command_tree() -> clap::Command {
    Cli::command()
}

/// Runs the command that `args` name and returns its exit code. The first item of `args` is the program name.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = cli_parser::normalize_args(args);
    match cli_parser::parse(&args) {
        Ok(cli) => {
            let environment = process_environment();
            let ui = Ui::new(
                cli.globals.output.into(),
                cli.globals.verbosity(),
                environment.secrets.clone(),
            );
            if !cli.command.supports_output(cli.globals.output) {
                let word = cli.globals.output.to_possible_value();
                let word = word.as_ref().map_or("", |value| value.get_name());
                let taken = OutputFormat::value_variants()
                    .iter()
                    .filter(|output| cli.command.supports_output(**output));
                let taken: Vec<String> = taken
                    .filter_map(ValueEnum::to_possible_value)
                    .map(|value| value.get_name().to_owned())
                    .collect();
                let error = Error::usage(format!(
                    "invalid value `{word}` for --output: this command takes {}",
                    taken.join(", ")
                ));
                ui.print_failure(&error);
                return error.exit_code();
            }
            let log = ui.clone();
            start_log(ui.verbosity(), environment.secrets.clone(), move || log.log_writer());
            warn_of_misspelt_variables(&ui, &environment);
            let mut ctx = Ctx::new(ui, cli.globals, environment);
            ctx.ui
                .set_command_flags(CommandFlags::new(&ctx.run.options, cli.command.name()));
            cli.command.run(&mut ctx)
        }
        Err(ParseExit::Text(text)) => {
            let ui = Ui::new(Format::Human, 0, SecretRegistry::default());
            command_output::finish_text(&ui, ui.print_text(&text))
        }
        Err(ParseExit::UsageError(error)) => {
            // The arguments may repeat a variable with a secret.
            let secrets = process_environment().secrets;
            Ui::new(cli_parser::requested_format(&args), 0, secrets).print_failure(&error);
            error.exit_code()
        }
    }
}

fn warn_of_misspelt_variables(ui: &Ui, environment: &Environment) {
    let set = environment.variables.iter().filter(|(_, value)| !value.is_empty());
    for (name, meant) in env::misspelt_variables(set.map(|(name, _)| name.as_str())) {
        ui.warn(&format!(
            "no command reads the variable `{name}`; did you mean `{meant}`?"
        ));
    }
}

/// Returns the environment of this process.
fn process_environment() -> Environment {
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let state_dir = variables
        .get(env::CONFLUENT_EBS_STATE_DIR)
        .filter(|value| !value.is_empty());
    let environment = Environment {
        dirs: StandardDirs::discover(state_dir.map(PathBuf::from)),
        working_dir: std::env::current_dir().ok(),
        home: etcetera::home_dir().ok(),
        executable: std::env::current_exe().ok(),
        clock: Clock::system(),
        variables,
        secrets: SecretRegistry::default(),
    };
    environment.register_secret_variables();
    environment
}
