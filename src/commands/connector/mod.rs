//! `confluent ebs connector`: the stock CLI's `connect` commands for whoever holds one restricted key, and what it lacks:
//! restart, wait, validate, names besides ids, quota and ownership before a write.

mod create;
mod delete;
mod describe;
mod explain;
mod file;
mod lifecycle;
mod lint;
mod list;
mod logs;
mod metrics;
mod names;
mod offset;
mod pause;
mod plugin;
mod prepare;
mod restart;
mod resume;
mod run;
mod saving;
mod show;
mod update;
mod validate;
mod wait;
mod waiting;
mod when;

use clap::Subcommand;

pub(super) use prepare::refused;
pub(super) use run::run as run_plan;
pub(super) use saving::{SaveArgs, Saved};

use super::{
    Ctx,
    globals::Output,
    report,
    session::{DepartmentSession, Tenant},
};
use crate::exit::ExitCode;

/// Manage connectors.
///
/// Connectors are named by ID or by name. A department acts with its profile; as the platform team, name the department
/// with --department.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Connector {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    Delete(delete::Delete),
    Describe(describe::Describe),
    Explain(explain::Explain),
    Lint(lint::Lint),
    List(list::ListConnectors),
    Logs(logs::Logs),
    Metrics(metrics::Metrics),
    Offset(offset::Offset),
    Pause(pause::Pause),
    Plugin(plugin::Plugin),
    Restart(restart::Restart),
    Resume(resume::Resume),
    Update(update::Update),
    Validate(validate::Validate),
    Wait(wait::Wait),
}

impl Connector {
    /// Whether the command that is called can answer in a format that not every command knows.
    pub(super) fn offers(&self, output: Output) -> bool {
        output.is_common()
            || match self.command {
                Command::Lint(_) => output == Output::Sarif,
                Command::Logs(_) => output == Output::Ndjson,
                Command::Metrics(_) => matches!(output, Output::Ndjson | Output::Csv),
                _ => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Create(command) => report::finish(command.run(ctx), ctx),
            Command::Delete(command) => report::finish(command.run(ctx), ctx),
            Command::Describe(command) => report::finish(command.run(ctx), ctx),
            Command::Explain(command) => report::finish(command.run(ctx), ctx),
            Command::Lint(command) => report::finish(command.run(ctx), ctx),
            Command::List(command) => report::finish(command.run(ctx), ctx),
            Command::Logs(command) => report::finish(command.run(ctx), ctx),
            Command::Metrics(command) => report::finish(command.run(ctx), ctx),
            Command::Offset(command) => command.run(ctx),
            Command::Pause(command) => report::finish(command.run(ctx), ctx),
            Command::Plugin(command) => command.run(ctx),
            Command::Restart(command) => report::finish(command.run(ctx), ctx),
            Command::Resume(command) => report::finish(command.run(ctx), ctx),
            Command::Update(command) => report::finish(command.run(ctx), ctx),
            Command::Validate(command) => report::finish(command.run(ctx), ctx),
            Command::Wait(command) => report::finish(command.run(ctx), ctx),
        }
    }
}
