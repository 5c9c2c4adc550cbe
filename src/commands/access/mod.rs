//! `confluent ebs access`: who may do what, and why.

mod audit;
mod can_i;
mod matrix;
mod question;
mod source;
mod test;
mod who_can;

use clap::Subcommand;

use super::{Ctx, globals::Output, report, session};
use crate::exit::ExitCode;

/// Ask who may do what, and prove it.
///
/// The answers come from the role bindings that there are, from a snapshot of them, or from what the platform's files
/// would give. What could not be looked at is said, and is never taken for a "no".
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Access {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::AuditAccess),
    #[command(name = "can-i")]
    CanI(can_i::CanI),
    Matrix(matrix::ShowMatrix),
    Test(test::Test),
    #[command(name = "who-can")]
    WhoCan(who_can::WhoCan),
}

impl Access {
    /// Whether the command that is called can answer in a format that not every command knows.
    pub(super) fn offers(&self, output: Output) -> bool {
        output.is_common() || (output == Output::Csv && matches!(self.command, Command::Matrix(_)))
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Audit(command) => report::finish(command.run(ctx), ctx),
            Command::CanI(command) => report::finish(command.run(ctx), ctx),
            Command::Matrix(command) => report::finish(command.run(ctx), ctx),
            Command::Test(command) => report::finish(command.run(ctx), ctx),
            Command::WhoCan(command) => report::finish(command.run(ctx), ctx),
        }
    }
}
