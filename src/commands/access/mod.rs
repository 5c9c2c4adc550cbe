//! `confluent ebs access`: which principal is allowed which operation, and by which grant.

mod audit;
mod can_i;
mod matrix;
mod source_args;
mod test;
mod who_can;

use clap::Subcommand;

use super::{Ctx, command_output, finding_document::is_finding_format, global_args::OutputFormat};
use crate::exit::ExitCode;

/// Query and audit access
///
/// Answers come from the current role bindings and ACLs, from a saved snapshot, or from the platform files ("ebs.toml",
/// departments and templates). If data is missing, the answer is "unknown", never "no".
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct AccessArgs {
    #[command(subcommand)]
    command: AccessCommand,
}

#[derive(Debug, Subcommand)]
enum AccessCommand {
    Audit(audit::AccessAuditArgs),
    #[command(name = "can-i")]
    CanI(can_i::AccessCanIArgs),
    Matrix(matrix::AccessMatrixArgs),
    Test(test::AccessTestArgs),
    #[command(name = "who-can")]
    WhoCan(who_can::AccessWhoCanArgs),
}

impl AccessArgs {
    /// Whether the command supports an output format.
    pub(super) fn supports_output(&self, output: OutputFormat) -> bool {
        output.is_common()
            || match self.command {
                AccessCommand::Matrix(_) => output == OutputFormat::Csv,
                AccessCommand::Audit(_) => output == OutputFormat::Sarif,
                AccessCommand::Test(_) => is_finding_format(output),
                _ => false,
            }
    }

    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            AccessCommand::Audit(command) => command_output::finish(command.run(ctx), ctx),
            AccessCommand::CanI(command) => command_output::finish(command.run(ctx), ctx),
            AccessCommand::Matrix(command) => command_output::finish(command.run(ctx), ctx),
            AccessCommand::Test(command) => command_output::finish(command.run(ctx), ctx),
            AccessCommand::WhoCan(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}
