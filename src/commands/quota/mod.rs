//! `confluent ebs quota`: quotas of departments and their usage.

mod audit;
mod check;
mod describe;
mod list;

use clap::Subcommand;

use super::{Ctx, command_output, global_args::OutputFormat};
use crate::{exit::ExitCode, fleet::quota_usage::limits_source, session::ConnectorSession};

/// Show quotas and their usage
///
/// Confluent Cloud does not enforce these limits. The commands of a department follow the quota and the plugins in its
/// profile, which the department can edit: there they are advice. What enforces them is the platform team's repository
/// with its pipeline; `quota audit` and `access audit` detect the rest.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct QuotaArgs {
    #[command(subcommand)]
    command: QuotaCommand,
}

#[derive(Debug, Subcommand)]
enum QuotaCommand {
    Audit(audit::QuotaAuditArgs),
    Check(check::QuotaCheckArgs),
    Describe(describe::QuotaDescribeArgs),
    List(list::QuotaListArgs),
}

impl QuotaArgs {
    /// Returns whether the selected command supports this output format; every command supports human, JSON and YAML.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common()
            || match self.command {
                QuotaCommand::Audit(_) => {
                    matches!(output, OutputFormat::Csv | OutputFormat::Html | OutputFormat::Sarif)
                }
                _ => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            QuotaCommand::Audit(_) => command_output::finish(audit::QuotaAuditArgs::run(ctx), ctx),
            QuotaCommand::Check(command) => command_output::finish(command.run(ctx), ctx),
            QuotaCommand::Describe(_) => command_output::finish(describe::QuotaDescribeArgs::run(ctx), ctx),
            QuotaCommand::List(_) => command_output::finish(list::QuotaListArgs::run(ctx), ctx),
        }
    }
}
