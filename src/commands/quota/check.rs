//! `confluent ebs quota check`.

use serde::Serialize;

use super::{ConnectorSession, limits_source};
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::quota_check::decide_request,
    error::Error,
    quota::{ADVISORY, QuotaDecision},
    render::{Block, Cell, Table, TextLine, Viewable},
};

/// Check whether the quota allows another or a larger connector
///
/// Uses one request and the same calculation as "connector create" and "connector update".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check a new connector with two tasks.

  $ confluent ebs quota check --plugin DatagenSource --tasks 2

Check an increase of an existing connector to four tasks.

  $ confluent ebs quota check --connector claims-orders --tasks 4")]
pub(super) struct QuotaCheckArgs {
    /// Plugin of the new connector.
    #[arg(long, value_name = "string", required_unless_present = "connector")]
    plugin: Option<String>,
    /// ID or name of the connector to change.
    #[arg(long, value_name = "string")]
    connector: Option<String>,
    /// Number of tasks.
    #[arg(long, value_name = "int", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    tasks: u32,
}

impl QuotaCheckArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<QuotaCheckOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let (plugin, connector) = (self.plugin.as_deref(), self.connector.as_deref());
        let result = ctx.block_on_reading(decide_request(&session, plugin, connector, self.tasks))?;
        let source = limits_source(&session);
        Ok(result.map(|decision| QuotaCheckOutput { decision, source }).into())
    }
}

/// Result of the check.
#[derive(Debug, Serialize)]
pub(super) struct QuotaCheckOutput {
    #[serde(flatten)]
    decision: QuotaDecision,
    /// Source of the limits.
    source: String,
}

impl Viewable for QuotaCheckOutput {
    fn view(&self) -> Vec<Block> {
        let decision = &self.decision;
        let mut table = Table::new(["Quota", "Used", "Requested", "Limit", "Left"]);
        for room in &decision.limits {
            let known = |number: Option<u32>| number.map_or("unknown".to_owned(), |number| number.to_string());
            table.push([
                Cell::text(room.dimension.label()),
                Cell::Text(known(room.used)),
                Cell::Integer(room.requested),
                room.limit.into(),
                Cell::Text(known(room.available())),
            ]);
        }
        let answer = match (decision.allowed, decision.max_allowed_tasks) {
            (true, Some(fits)) => format!("Within the quota, which allows up to {fits} tasks."),
            (true, None) => "Within the quota.".to_owned(),
            (false, _) => "Over the quota.".to_owned(),
        };
        let mut lines = vec![TextLine::from(answer)];
        lines.extend(decision.notes.iter().map(|note| TextLine::from(note.as_str())));
        for room in &decision.limits {
            if let Some(reserved) = room.reserved.filter(|reserved| *reserved > 0) {
                lines.push(
                    format!(
                        "The cluster supports {} tasks; {reserved} of them are reserved.",
                        u64::from(room.limit) + u64::from(reserved)
                    )
                    .into(),
                );
            }
        }
        lines.push(format!("Source of the limits: {}. {ADVISORY}", self.source).into());
        vec![Block::Table(table), Block::Lines(lines)]
    }
}
