//! `confluent ebs connector offset describe`.

use serde::Serialize;
use serde_json::Value;

use super::connector;
use crate::{
    api::connect::{GetOffsets, OffsetItem},
    commands::{Ctx, Report, session::DepartmentSession},
    error::Error,
    render::{Block, Record, Viewable},
};

/// Describe the offsets of a connector.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the offsets of a connector.

  $ confluent ebs connector offset describe lcc-123456")]
pub(in crate::commands::connector) struct Describe {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl Describe {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<Report<Described>, Error> {
        let session = DepartmentSession::open(ctx)?;
        ctx.block_on(async {
            let seen = connector(&session, &self.connector).await?;
            let request = GetOffsets {
                place: session.connectors.place.clone(),
                name: seen.name.clone(),
            };
            let offsets = session.connectors.client.send(&request).await?.value;
            Ok(Report::new(Described {
                id: seen.id().to_owned(),
                name: seen.name,
                offsets: offsets.offsets,
                metadata: offsets.metadata,
            }))
        })
    }
}

/// Where the connector is.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct Described {
    id: String,
    name: String,
    offsets: Vec<OffsetItem>,
    metadata: Value,
}

impl Viewable for Described {
    fn view(&self) -> Vec<Block> {
        let record = Record::new()
            .field("ID", self.id.clone())
            .field("Name", self.name.clone())
            .field("Offsets", lines(&self.offsets))
            .field("Metadata", self.metadata.to_string());
        vec![Block::Record(record)]
    }
}

/// One partition a line.
pub(super) fn lines(offsets: &[OffsetItem]) -> crate::render::Cell {
    let lines: Vec<String> = offsets
        .iter()
        .map(|item| format!("{} {}", item.partition, item.offset))
        .collect();
    crate::render::Cell::Multiline(lines.join("\n"))
}
