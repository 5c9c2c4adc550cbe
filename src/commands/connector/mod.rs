//! `confluent ebs connector`: the `connect` commands of the Confluent CLI for holders of a restricted key, plus
//! restart, wait, validate, selection by name, quota checks and ownership checks.

pub(super) mod args;
mod create;
mod dead_letters;
mod delete;
mod describe;
mod explain;
mod lifecycle;
mod lint;
mod list;
mod logs;
mod metrics;
mod offset;
mod pause;
mod plugin;
mod restart;
mod resume;
mod show;
mod update;
mod validate;
mod wait;
mod time_arg;

use clap::Subcommand;

pub(super) use args::BackupArgs;

use super::{CommandOutput, Ctx, command_output, global_args::OutputFormat};
use crate::{connectors::PartialResult, exit::ExitCode};

impl<T> From<PartialResult<T>> for CommandOutput<T> {
    fn from(result: PartialResult<T>) -> Self {
        Self {
            value: result.value,
            exit_code: ExitCode::Ok,
            error: result.error,
        }
    }
}

/// Manage connectors
///
/// Select connectors by ID or by name. A department acts with its profile; the platform team selects a department with
/// --department.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ConnectorArgs {
    #[command(subcommand)]
    command: ConnectorCommand,
}

#[derive(Debug, Subcommand)]
enum ConnectorCommand {
    Create(create::ConnectorCreateArgs),
    DeadLetters(dead_letters::ConnectorDeadLettersArgs),
    Delete(delete::ConnectorDeleteArgs),
    Describe(describe::ConnectorDescribeArgs),
    Explain(explain::ConnectorExplainArgs),
    Lint(lint::ConnectorLintArgs),
    List(list::ConnectorListArgs),
    Logs(logs::ConnectorLogsArgs),
    Metrics(metrics::ConnectorMetricsArgs),
    Offset(offset::OffsetArgs),
    Pause(pause::ConnectorPauseArgs),
    Plugin(plugin::PluginArgs),
    Restart(restart::ConnectorRestartArgs),
    Resume(resume::ConnectorResumeArgs),
    Update(update::ConnectorUpdateArgs),
    Validate(validate::ConnectorValidateArgs),
    Wait(wait::ConnectorWaitArgs),
}

impl ConnectorArgs {
    /// Returns whether the selected command supports this output format; every command supports human, JSON and YAML.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common()
            || match self.command {
                ConnectorCommand::Lint(_) => output == OutputFormat::Sarif,
                ConnectorCommand::Logs(_) => output == OutputFormat::Ndjson,
                ConnectorCommand::Metrics(_) => matches!(output, OutputFormat::Ndjson | OutputFormat::Csv),
                _ => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            ConnectorCommand::Create(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::DeadLetters(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Delete(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Describe(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Explain(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Lint(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::List(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Logs(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Metrics(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Offset(command) => command.run(ctx),
            ConnectorCommand::Pause(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Plugin(command) => command.run(ctx),
            ConnectorCommand::Restart(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Resume(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Update(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Validate(command) => command_output::finish(command.run(ctx), ctx),
            ConnectorCommand::Wait(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}
