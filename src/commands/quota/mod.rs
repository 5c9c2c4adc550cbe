//! `confluent ebs quota`: what departments use of what they may use.

mod audit;
mod check;
mod describe;
mod list;

use clap::Subcommand;

use super::{Ctx, command_output, global_args::OutputFormat};
use crate::{exit::ExitCode, session::ConnectorSession};

/// Show quotas and what is used of them.
///
/// Confluent Cloud enforces none of these limits: they are the platform's agreement with its departments, kept by this
/// program and by who holds the right to create.
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
    /// Whether the command that is called can answer in a format that not every command knows.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common()
            || match self.command {
                QuotaCommand::Audit(_) => matches!(output, OutputFormat::Csv | OutputFormat::Html),
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

/// Where the limits are from, and how old they are there.
fn limits_source(session: &ConnectorSession) -> String {
    let Some(issued) = session
        .department
        .as_ref()
        .and_then(|department| department.quota_issued)
    else {
        return "the platform's files".to_owned();
    };
    let today = session.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let age = match (today - issued).get_days() {
        ..=0 => "today".to_owned(),
        1 => "1 day old".to_owned(),
        days => format!("{days} days old"),
    };
    format!("the profile of {issued} ({age})")
}
