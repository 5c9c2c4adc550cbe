//! `confluent ebs access`: who may do what, and why.

mod audit;

use clap::Subcommand;

use super::{Ctx, report};
use crate::exit::ExitCode;

/// Find out who may do what.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Access {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::AuditAccess),
}

impl Access {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Audit(command) => report::finish(command.run(ctx), ctx),
        }
    }
}
