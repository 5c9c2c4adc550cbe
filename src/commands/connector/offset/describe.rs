//! `confluent ebs connector offset describe`.

use std::time::Duration;

use super::{DEFAULT_TIMEOUT, parse_seconds};
use crate::{
    api::connect::OffsetItem,
    commands::{CommandOutput, Ctx},
    connectors::offsets::{OffsetSnapshot, read_offsets},
    error::Error,
    render::{Block, Cell, Record, Viewable},
    session::ConnectorSession,
};

/// Describe the offsets of a connector
///
/// Confluent Cloud takes a snapshot of the offsets at intervals. The command polls every second until the snapshot is
/// recent enough.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the offsets of a connector.

  $ confluent ebs connector offset describe lcc-123456

Require offsets that are at most 10 seconds old, and wait up to a minute for them.

  $ confluent ebs connector offset describe lcc-123456 --staleness-threshold 10 --timeout 60")]
pub(in crate::commands::connector) struct OffsetDescribeArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// Maximum age of the offsets in seconds, at least 5.
    #[arg(long, value_name = "seconds", default_value = "120", value_parser = parse_threshold)]
    staleness_threshold: Duration,
    /// Timeout in seconds.
    #[arg(long, value_name = "seconds", default_value = DEFAULT_TIMEOUT, value_parser = parse_seconds)]
    timeout: Duration,
}

/// Smallest threshold of the Confluent CLI (docs/reference/connect.md#offsets).
const MIN_STALENESS: Duration = Duration::from_secs(5);

fn parse_threshold(text: &str) -> Result<Duration, String> {
    match parse_seconds(text)? {
        least if least < MIN_STALENESS => Err("must be at least 5 seconds".to_owned()),
        enough => Ok(enough),
    }
}

impl OffsetDescribeArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffsetSnapshot>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let (threshold, timeout) = (self.staleness_threshold, self.timeout);
        let result = ctx.block_on_reading(read_offsets(&ctx.run, &session, &self.connector, threshold, timeout))?;
        Ok(result.into())
    }
}

impl Viewable for OffsetSnapshot {
    fn view(&self) -> Vec<Block> {
        let record = Record::new()
            .field("ID", self.id.clone())
            .field("Name", self.name.clone())
            .field("Offsets", offset_lines(&self.offsets))
            .field("Metadata", self.metadata.to_string());
        vec![Block::Record(record)]
    }
}

/// Formats the offsets, one line per partition.
pub(super) fn offset_lines(offsets: &[OffsetItem]) -> Cell {
    let lines: Vec<String> = offsets
        .iter()
        .map(|item| format!("{} {}", item.partition, item.offset))
        .collect();
    Cell::Multiline(lines.join("\n"))
}
