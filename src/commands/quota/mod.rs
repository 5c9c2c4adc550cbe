//! `confluent ebs quota`: what departments use of what they may use.

mod audit;
mod check;
mod describe;
mod list;
mod state;

use clap::Subcommand;

use super::{Ctx, globals::Output, report, session::DepartmentSession};
use crate::exit::ExitCode;

/// Show quotas and what is used of them.
///
/// Confluent Cloud enforces none of these limits: they are the platform's agreement with its departments, kept by this
/// program and by who holds the right to create.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Quota {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::AuditQuotas),
    Check(check::Check),
    Describe(describe::Describe),
    List(list::ListQuotas),
}

impl Quota {
    /// Whether the command that is called can answer in a format that not every command knows.
    pub(super) fn offers(&self, output: Output) -> bool {
        output.is_common()
            || match self.command {
                Command::Audit(_) => matches!(output, Output::Csv | Output::Html),
                _ => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Audit(_) => report::finish(audit::AuditQuotas::run(ctx), ctx),
            Command::Check(command) => report::finish(command.run(ctx), ctx),
            Command::Describe(_) => report::finish(describe::Describe::run(ctx), ctx),
            Command::List(_) => report::finish(list::ListQuotas::run(ctx), ctx),
        }
    }
}

/// Where the limits are from, and how old they are there.
fn source(session: &DepartmentSession) -> String {
    let Some(issued) = session.tenant.as_ref().and_then(|tenant| tenant.issued) else {
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
