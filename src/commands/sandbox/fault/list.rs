//! `confluent ebs sandbox fault list`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx, sandbox::open_default_sandbox},
    error::Error,
    render::{Cell, RowList, TableRow},
    sandbox::{ArmedConnectorFault, ArmedFault},
};

/// List faults of requests and of connectors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List faults.

  $ confluent ebs sandbox fault list")]
pub(super) struct SandboxFaultListArgs {}

impl SandboxFaultListArgs {
    pub(super) fn run(ctx: &Ctx) -> Result<CommandOutput<RowList<FaultRow>>, Error> {
        let sandbox = open_default_sandbox(ctx)?;
        let requests = sandbox.faults()?.into_iter().map(FaultRow::Requests);
        let connectors = sandbox.connector_faults()?.into_iter().map(FaultRow::Connector);
        Ok(CommandOutput::new(RowList::in_order(requests.chain(connectors))))
    }
}

/// Fault of requests, which has a number, or of a connector, which has a name.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum FaultRow {
    Requests(ArmedFault),
    Connector(ArmedConnectorFault),
}

impl TableRow for FaultRow {
    const COLUMNS: &'static [&'static str] = &["ID", "Kind", "Method", "Path", "Principal", "Skip", "Times"];

    fn cells(&self) -> Vec<Cell> {
        let any = |text: &Option<String>| Cell::from(text.as_deref().unwrap_or("any"));
        let nothing = || Cell::from("");
        match self {
            Self::Requests(ArmedFault { id, fault }) => vec![
                (*id).into(),
                Cell::from(fault.kind.name()),
                any(&fault.method),
                any(&fault.path),
                any(&fault.principal),
                fault.skip.into(),
                Cell::Text(fault.times.map_or_else(|| "all".to_owned(), |times| times.to_string())),
            ],
            Self::Connector(armed) => vec![
                Cell::from(armed.connector.as_str()),
                Cell::from(armed.kind.name()),
                nothing(),
                nothing(),
                nothing(),
                nothing(),
                nothing(),
            ],
        }
    }
}
