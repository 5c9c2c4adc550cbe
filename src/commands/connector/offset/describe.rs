//! `confluent ebs connector offset describe`.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{DEFAULT_TIMEOUT, parse_seconds, select_connector};
use crate::{
    api::connect::OffsetItem,
    commands::{CommandOutput, Ctx},
    error::{Error, ErrorKind},
    render::{Block, Cell, Record, Viewable},
    resources::connector::offsets::OffsetWaitOptions,
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
    pub(in crate::commands::connector) fn run(
        self,
        ctx: &mut Ctx,
    ) -> Result<CommandOutput<OffsetDescribeOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let watch = OffsetWaitOptions {
            timeout: self.timeout,
            interrupt: ctx.run.cancel.clone(),
        };
        let (live, observed) = ctx.block_on(async {
            let live = select_connector(&session, &self.connector).await?;
            let observed = session
                .connectors
                .observe_offsets(&live, self.staleness_threshold, &watch)
                .await?;
            Ok((live, observed))
        })?;
        let report = CommandOutput::new(OffsetDescribeOutput {
            id: live.id().to_owned(),
            name: live.name.clone(),
            offsets: observed.offsets.offsets,
            metadata: observed.offsets.metadata,
        });
        let Some(age) = observed.age.filter(|age| *age > self.staleness_threshold) else {
            return Ok(report);
        };
        let kind = match ctx.run.cancel.is_cancelled() {
            true => ErrorKind::Interrupted,
            false => ErrorKind::Failed,
        };
        let message = format!(
            "the offsets of connector `{}` are {} s old, which exceeds {} s",
            live.id(),
            age.as_secs(),
            self.staleness_threshold.as_secs()
        );
        Ok(report.with_error(
            Error::new(kind, message)
                .with_hint("Confluent Cloud updates the offsets while the connector runs; retry later.")
                .with_hint("Accept older offsets with `--staleness-threshold`."),
        ))
    }
}

/// Offsets of a connector with the fields of the Confluent CLI.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct OffsetDescribeOutput {
    id: String,
    name: String,
    offsets: Vec<OffsetItem>,
    metadata: Value,
}

impl Viewable for OffsetDescribeOutput {
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
