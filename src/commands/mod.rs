//! The commands, one file each: its arguments (whose doc comment is the help text), the type of its result, and `run`.
//!
//! A command returns a [`Report`] and prints nothing; while it runs it speaks only through [`Ctx::ui`]. To add one,
//! write `commands/<noun>/<verb>.rs` and add two lines to its list: the variant and the arm that runs it.

mod access;
mod completion;
mod connector;
mod context;
mod department;
mod doctor;
mod duration;
mod estate;
mod fleet;
mod globals;
mod help;
mod init;
mod keys;
mod man;
mod offboard;
mod onboard;
mod profile;
mod quota;
mod report;
mod sandbox;
mod session;
mod signals;
mod status;
mod usage;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

pub use context::Ctx;
pub use globals::Globals;
pub use help::reference;
pub use report::Report;

use crate::{
    client::trace::subscriber,
    error::Error,
    exit::ExitCode,
    render::{Format, Ui},
};
use globals::Output;
use usage::Stop;

/// Onboard departments to a shared Confluent Cloud organization, and run their connectors with one restricted key.
///
/// The platform team onboards a department in one command: service accounts, role bindings on the department's name
/// prefix, API keys and quotas. Departments then run their connectors with one restricted key.
#[derive(Debug, Parser)]
#[command(
    name = "confluent-ebs",
    bin_name = "confluent ebs",
    version,
    disable_version_flag = true,
    disable_help_flag = true,
    arg_required_else_help = true,
    after_help = "\
Show what a command does and which flags it has.

  $ confluent ebs help completion"
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    /// Show the version.
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
enum Command {
    Access(access::Access),
    Completion(completion::Completion),
    Connector(connector::Connector),
    Department(department::Department),
    Doctor(doctor::Doctor),
    Init(init::Init),
    Keys(keys::Keys),
    Man(man::Man),
    Offboard(offboard::Offboard),
    Onboard(onboard::Onboard),
    Profile(profile::ProfileCommand),
    Quota(quota::Quota),
    Sandbox(sandbox::Sandbox),
    Status(status::Status),
}

impl Command {
    /// Whether it can answer in a format that not every command knows.
    fn offers(&self, output: Output) -> bool {
        match self {
            Self::Access(command) => command.offers(output),
            Self::Connector(command) => command.offers(output),
            Self::Quota(command) => command.offers(output),
            _ => output.is_common(),
        }
    }

    fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self {
            Self::Access(command) => command.run(ctx),
            Self::Completion(command) => report::finish(command.run(ctx), ctx),
            Self::Connector(command) => command.run(ctx),
            Self::Department(command) => command.run(ctx),
            Self::Doctor(command) => report::finish(command.run(ctx), ctx),
            Self::Init(command) => report::finish(command.run(ctx), ctx),
            Self::Keys(command) => command.run(ctx),
            Self::Man(command) => report::finish(command.run(ctx), ctx),
            Self::Offboard(command) => report::finish(command.run(ctx), ctx),
            Self::Onboard(command) => report::finish(command.run(ctx), ctx),
            Self::Profile(command) => command.run(ctx),
            Self::Quota(command) => command.run(ctx),
            Self::Sandbox(command) => command.run(ctx),
            Self::Status(command) => report::finish(command.run(ctx), ctx),
        }
    }
}

/// The whole tree of commands, for whatever describes them.
#[must_use]
pub fn tree() -> clap::Command {
    Cli::command()
}

/// Runs the command that `args` (the program's name first) ask for, and says how the process ends.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = usage::arguments(args);
    match usage::parse(&args) {
        Ok(cli) => {
            let ui = Ui::new(cli.globals.output.into(), cli.globals.verbosity());
            if !cli.command.offers(cli.globals.output) {
                let word = cli.globals.output.to_possible_value();
                let word = word.as_ref().map_or("", |value| value.get_name());
                let taken = Output::value_variants()
                    .iter()
                    .filter(|output| cli.command.offers(**output));
                let taken: Vec<String> = taken
                    .filter_map(ValueEnum::to_possible_value)
                    .map(|value| value.get_name().to_owned())
                    .collect();
                let error = Error::usage(format!(
                    "invalid value \"{word}\" for --output: this command takes {}",
                    taken.join(", ")
                ));
                ui.problem(&error.problem());
                return error.exit_code();
            }
            start_log(&ui);
            let mut ctx = Ctx::new(ui, cli.globals);
            cli.command.run(&mut ctx)
        }
        Err(Stop::Answer(text)) => {
            let ui = Ui::new(Format::Human, 0);
            report::finish_text(&ui, ui.answer(&text))
        }
        Err(Stop::Wrong(error)) => {
            Ui::new(Format::Human, 0).problem(&error.problem());
            error.exit_code()
        }
    }
}

/// Starts to write log lines. Fails only when somebody listens already, as a test may.
fn start_log(ui: &Ui) {
    let log = ui.clone();
    let lines = subscriber(ui.verbosity(), move || log.log());
    drop(tracing::subscriber::set_global_default(lines));
}
