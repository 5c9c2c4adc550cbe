//! Shared output of `offset update` and `offset delete`.

use serde::Serialize;
use serde_json::Value;

use crate::{
    commands::connector::show,
    connectors::offsets::{OffsetChange, OffsetRequestStatus},
    render::{Block, Cell, Table, Viewable},
};

/// Result of an offset command.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::commands::connector) enum OffsetChangeOutput {
    /// Planned change, of a dry run or without a difference.
    Planned(OffsetChange),
    /// Status of the applied change.
    Applied(OffsetRequestStatus),
}

/// Returns the table of changes.
pub(super) fn move_table(change: &OffsetChange) -> Block {
    let mut table = Table::new(["Partition", "Now", "Then"]);
    for partition in &change.offsets {
        let text = |value: &Option<Value>, none: &str| value.as_ref().map_or(none.to_owned(), format_fields);
        table.push([
            Cell::Text(format_fields(&partition.partition)),
            Cell::Text(text(&partition.now, "(unknown)")),
            Cell::Text(text(&partition.then, "(beginning)")),
        ]);
    }
    Block::Table(table)
}

/// Formats an object as `kafka_topic=orders kafka_partition=0`; lines break between fields.
fn format_fields(value: &Value) -> String {
    let Some(fields) = value.as_object() else {
        return value.to_string();
    };
    let fields = fields.iter().map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    });
    fields.collect::<Vec<_>>().join(" ")
}

impl Viewable for OffsetChangeOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Applied(status) => status.view(),
            Self::Planned(change) if change.offsets.is_empty() => {
                vec![Block::line(format!(
                    "The offsets of connector `{}` are up to date.",
                    change.shown_name
                ))]
            }
            Self::Planned(change) => vec![
                show::dry_run(&format!(
                    "The offsets of connector `{}` would be changed.",
                    change.shown_name
                )),
                move_table(change),
            ],
        }
    }
}
