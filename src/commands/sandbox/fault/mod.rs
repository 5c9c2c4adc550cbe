//! `confluent ebs sandbox fault`.

mod list;

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::open_default_sandbox;
use crate::{
    commands::{CommandOutput, Ctx, command_output, duration::parse_duration},
    error::Error,
    exit::ExitCode,
    render::{Block, Viewable},
    sandbox::{ConnectorFault, Fault as Planned, FaultKind},
    text::count_noun,
};

/// Inject faults into the sandbox
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct SandboxFaultArgs {
    #[command(subcommand)]
    command: SandboxFaultCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxFaultCommand {
    Add(SandboxFaultAddArgs),
    List(list::SandboxFaultListArgs),
    Clear(SandboxFaultClearArgs),
    Connector(SandboxFaultConnectorArgs),
}

/// Add a fault for future requests
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Respond to the next three requests with 429.

  $ confluent ebs sandbox fault add too-many-requests --retry-after 5 --times 3

Lose the response to the second created API key.

  $ confluent ebs sandbox fault add lost-after --method POST --path /iam/v2/api-keys --skip 1

Delay all responses by 50 ms until the fault is cleared.

  $ confluent ebs sandbox fault add slow --delay 50ms --forever")]
struct SandboxFaultAddArgs {
    /// Kind of fault: "too-many-requests", "server-error", "lost-before", "lost-after", "slow", "list-lag",
    /// "kill-before" or "kill-after".
    #[arg(value_enum, value_name = "kind", hide_possible_values = true)]
    kind: FaultKindArg,
    /// Match only requests with this HTTP method.
    #[arg(long, value_name = "string")]
    method: Option<String>,
    /// Match only requests with this path: "*" matches within a segment, "**" across segments.
    #[arg(long, value_name = "string")]
    path: Option<String>,
    /// Match only requests of this service account or user.
    #[arg(long, value_name = "string")]
    principal: Option<String>,
    /// Skip this number of matching requests first.
    #[arg(long, value_name = "int", default_value_t = 0)]
    skip: u32,
    /// Hit this number of requests.
    #[arg(long, value_name = "int", default_value_t = 1)]
    times: u32,
    /// Hit every matching request until the fault is cleared.
    #[arg(long, conflicts_with = "times")]
    forever: bool,
    /// Seconds that a 429 response asks the caller to wait.
    #[arg(long, value_name = "int", default_value_t = 5)]
    retry_after: u32,
    /// Delay of a slow response, or lag of a list.
    #[arg(long, value_name = "duration", default_value = "2s", value_parser = parse_duration)]
    delay: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FaultKindArg {
    TooManyRequests,
    ServerError,
    LostBefore,
    LostAfter,
    Slow,
    ListLag,
    KillBefore,
    KillAfter,
}

/// Clear one fault or all faults
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Clear all faults.

  $ confluent ebs sandbox fault clear")]
struct SandboxFaultClearArgs {
    /// Number of the fault, or name of the failing connector. Default: all faults.
    #[arg(value_name = "id")]
    id: Option<String>,
}

/// Make a connector fail or recover
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Make the database reject the password of connector \"claims-orders\".

  $ confluent ebs sandbox fault connector claims-orders wrong-password

Make the connector recover.

  $ confluent ebs sandbox fault connector claims-orders --clear")]
struct SandboxFaultConnectorArgs {
    /// Name of the connector; it need not exist yet.
    #[arg(value_name = "name")]
    name: String,
    /// Kind of failure, such as "wrong-password", "unknown-host" or "topic-denied"; an unknown kind lists all of them.
    #[arg(value_name = "kind", required_unless_present = "clear", conflicts_with = "clear")]
    kind: Option<String>,
    /// Make the connector recover.
    #[arg(long)]
    clear: bool,
}

impl SandboxFaultConnectorArgs {
    fn run(&self, ctx: &Ctx) -> Result<CommandOutput<SandboxFaultChangeOutput>, Error> {
        let kind = match &self.kind {
            None => None,
            Some(written) => Some(written.parse::<ConnectorFault>().map_err(|error| {
                let known = ConnectorFault::ALL
                    .iter()
                    .map(|kind| format!("{}: {}", kind.name(), kind.description()));
                known.fold(Error::usage(error.to_string()), Error::with_hint)
            })?),
        };
        let changed = open_default_sandbox(ctx)?.set_connector_fault(&self.name, kind)?;
        let name = &self.name;
        let text = match (kind, changed) {
            (Some(kind), _) => format!("Connector `{name}` fails: {}.", kind.description()),
            (None, true) => format!("Connector `{name}` recovers."),
            (None, false) => format!("Connector `{name}` had no fault."),
        };
        Ok(CommandOutput::new(SandboxFaultChangeOutput {
            text,
            ..SandboxFaultChangeOutput::default()
        }))
    }
}

impl SandboxFaultArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            SandboxFaultCommand::Add(command) => command_output::finish(command.run(ctx), ctx),
            SandboxFaultCommand::List(_) => command_output::finish(list::SandboxFaultListArgs::run(ctx), ctx),
            SandboxFaultCommand::Clear(command) => command_output::finish(command.run(ctx), ctx),
            SandboxFaultCommand::Connector(command) => command_output::finish(command.run(ctx), ctx),
        }
    }
}

impl SandboxFaultAddArgs {
    fn run(self, ctx: &Ctx) -> Result<CommandOutput<SandboxFaultChangeOutput>, Error> {
        let milliseconds = u32::try_from(self.delay.as_millis()).map_err(|_| Error::usage("the delay is too long"))?;
        let kind = match self.kind {
            FaultKindArg::TooManyRequests => FaultKind::TooManyRequests {
                retry_after: self.retry_after,
            },
            FaultKindArg::ServerError => FaultKind::ServerError,
            FaultKindArg::LostBefore => FaultKind::LostBefore,
            FaultKindArg::LostAfter => FaultKind::LostAfter,
            FaultKindArg::Slow => FaultKind::Slow { milliseconds },
            FaultKindArg::ListLag => FaultKind::ListLag {
                seconds: milliseconds.div_ceil(1000),
            },
            FaultKindArg::KillBefore => FaultKind::KillBefore,
            FaultKindArg::KillAfter => FaultKind::KillAfter,
        };
        let fault = Planned {
            kind,
            method: self.method.map(|method| method.to_uppercase()),
            path: self.path,
            principal: self.principal,
            skip: self.skip,
            times: (!self.forever).then_some(self.times),
        };
        let id = open_default_sandbox(ctx)?.add_fault(fault)?;
        Ok(CommandOutput::new(SandboxFaultChangeOutput {
            id: Some(id),
            text: format!("Added fault `{id}`."),
            ..SandboxFaultChangeOutput::default()
        }))
    }
}

impl SandboxFaultClearArgs {
    fn run(&self, ctx: &Ctx) -> Result<CommandOutput<SandboxFaultChangeOutput>, Error> {
        let sandbox = open_default_sandbox(ctx)?;
        let number = self.id.as_deref().and_then(|id| id.parse().ok());
        let cleared = match (&self.id, number) {
            (Some(connector), None) => usize::from(sandbox.set_connector_fault(connector, None)?),
            (_, number) => sandbox.clear_faults(number)?,
        };
        let text = match (&self.id, cleared) {
            (Some(id), 0) => {
                return Err(Error::failed(format!("no fault `{id}`"))
                    .with_hint("List faults with `confluent ebs sandbox fault list`."));
            }
            (Some(id), _) => format!("Cleared fault `{id}`."),
            (None, 0) => "There were no faults.".to_owned(),
            (None, cleared) => format!("Cleared {}.", count_noun(cleared, "fault")),
        };
        Ok(CommandOutput::new(SandboxFaultChangeOutput {
            id: number,
            cleared: Some(cleared),
            text,
        }))
    }
}

#[derive(Debug, Default, Serialize)]
struct SandboxFaultChangeOutput {
    id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared: Option<usize>,
    #[serde(skip)]
    text: String,
}

impl Viewable for SandboxFaultChangeOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(self.text.clone())]
    }
}
