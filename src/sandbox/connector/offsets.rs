//! Offsets of a connector and requests to change them, one at a time (docs/reference/connect.md#offsets).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    config::{ConnectorConfig, value},
    evaluation::ConnectorEvaluation,
    plugins::SandboxPlugin,
};
use crate::{api::connect::OffsetItem, catalog::topics::connector_topics, sandbox::state::ConnectorRecord};

/// Stored offsets of a connector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct StoredOffsets {
    /// Last known offsets with their time; `None` if the connector started with the initial offsets.
    #[serde(default)]
    pub(crate) base: Option<(Timestamp, Vec<OffsetItem>)>,
    /// Last request to change offsets.
    #[serde(default)]
    pub(crate) request: Option<OffsetsChangeRequest>,
    /// Whether the offsets contain values of the wrong type, which stop a source (pattern 31).
    #[serde(default)]
    pub(crate) has_wrong_type: bool,
}

/// Request to change offsets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OffsetsChangeRequest {
    /// `PATCH` or `DELETE`.
    pub(crate) kind: String,
    pub(crate) offsets: Option<Vec<OffsetItem>>,
    pub(crate) at: Timestamp,
    /// Time at which the request is applied.
    pub(crate) due: Timestamp,
    /// Offsets before the change.
    pub(crate) previous: Vec<OffsetItem>,
}

impl StoredOffsets {
    /// Returns the request if it is still pending.
    pub(crate) fn pending(&self, now: Timestamp) -> Option<&OffsetsChangeRequest> {
        self.request.as_ref().filter(|change| now < change.due)
    }

    /// Stores the current offsets before an action on the connector. A pending request contains them already.
    pub(crate) fn freeze(&mut self, position: Vec<OffsetItem>, now: Timestamp) {
        if self.pending(now).is_none() {
            self.base = Some((now, position));
        }
    }
}

/// Records per second of every connector.
const RECORDS_PER_SECOND: u64 = 10;

/// Returns the current offsets of a connector.
pub(crate) fn current_offsets(
    connector: &ConnectorRecord,
    evaluation: &ConnectorEvaluation,
    now: Timestamp,
) -> Vec<OffsetItem> {
    let memory = &connector.offsets;
    // Until a request is applied, the connector keeps its previous offsets.
    if let Some(change) = memory.pending(now) {
        return change.previous.clone();
    }
    let worked = |from: Timestamp| Duration::try_from(evaluation.ran_until.duration_since(from)).unwrap_or_default();
    let moved = |from| worked(from).as_secs() * RECORDS_PER_SECOND;
    match &memory.base {
        Some((at, offsets)) => offsets.iter().map(|item| advance(item, moved(*at))).collect(),
        None => initial_offsets(&evaluation.plugin, &connector.config)
            .iter()
            .map(|item| advance(item, moved(connector.lifetime.created)))
            .collect(),
    }
}

/// Returns the offsets of a sink after a change of its topics: new topics get initial offsets, removed topics
/// disappear.
pub(crate) fn carry_over(
    position: Vec<OffsetItem>,
    plugin: &SandboxPlugin,
    config: &ConnectorConfig,
) -> Vec<OffsetItem> {
    if !plugin.is_sink() {
        return position;
    }
    let begun = initial_offsets(plugin, config);
    let topic = |item: &OffsetItem| item.partition["kafka_topic"].clone();
    let (kept, _): (Vec<_>, Vec<_>) = position
        .into_iter()
        .partition(|item| begun.iter().any(|new| topic(new) == topic(item)));
    let new = begun
        .into_iter()
        .filter(|new| !kept.iter().any(|old| topic(old) == topic(new)));
    let new: Vec<_> = new.collect();
    kept.into_iter().chain(new).collect()
}

/// Increases the first numeric field of an offset.
fn advance(item: &OffsetItem, by: u64) -> OffsetItem {
    let mut item = item.clone();
    let fields = item.offset.as_object_mut();
    let number = fields.and_then(|fields| fields.values_mut().find(|value| value.is_u64()));
    if let Some(number) = number {
        *number = json!(number.as_u64().unwrap_or(0).saturating_add(by));
    }
    item
}

/// Returns the initial offsets in the format of the plugin (docs `connectors/offsets`).
pub(crate) fn initial_offsets(plugin: &SandboxPlugin, config: &ConnectorConfig) -> Vec<OffsetItem> {
    let item = |partition: Value, offset: Value| OffsetItem { partition, offset };
    if plugin.is_sink() {
        let read = connector_topics(plugin.class(), config, "").read;
        return read
            .iter()
            .map(|topic| {
                item(
                    json!({ "kafka_topic": topic, "kafka_partition": 0 }),
                    json!({ "kafka_offset": 0 }),
                )
            })
            .collect();
    }
    let server = value(config, "topic.prefix").unwrap_or("server");
    let database = value(config, "db.name").unwrap_or("database");
    match plugin.class() {
        class if class.contains("PostgresCdc") => vec![item(
            json!({ "server": server }),
            json!({ "lsn": 22_000_000, "txId": 500, "ts_usec": 1_700_000_000_000_000_u64 }),
        )],
        class if class.contains("MySqlCdc") => vec![item(
            json!({ "server": server }),
            json!({ "pos": 4, "file": "mysql-bin.000001", "ts_sec": 1_700_000_000 }),
        )],
        "PostgresSource" | "MySqlSource" | "MicrosoftSqlServerSource" | "OracleDatabaseSource" => {
            let table = value(config, "table.include.list").or_else(|| value(config, "table.whitelist"));
            let table = format!(
                "{database}.{}",
                table.unwrap_or("table").split(',').next().unwrap_or("table")
            );
            vec![item(
                json!({ "protocol": "1", "table": table }),
                json!({ "incrementing": 0 }),
            )]
        }
        _ => vec![item(
            json!({ "task.id": 0 }),
            json!({ "current.iteration": 0, "task.generation": 0 }),
        )],
    }
}

/// Returns the validation error of requested offsets.
pub(crate) fn offsets_error(plugin: &SandboxPlugin, offsets: &[OffsetItem]) -> Option<String> {
    for item in offsets {
        if !item.partition.is_object() || !item.offset.is_object() {
            return Some("offsets: partition and offset must be objects".into());
        }
        let (partition, offset) = (&item.partition, &item.offset);
        let whole = partition["kafka_topic"].is_string()
            && partition["kafka_partition"].is_u64()
            && offset["kafka_offset"].is_u64();
        if plugin.is_sink() && !whole {
            return Some(
                "offsets: a sink requires kafka_topic, kafka_partition and kafka_offset; the latter two must be numbers"
                    .into(),
            );
        }
    }
    None
}

/// Returns whether a number was sent as a text, which makes a source fail (pattern 31).
pub(crate) fn has_wrong_type(plugin: &SandboxPlugin, config: &ConnectorConfig, offsets: &[OffsetItem]) -> bool {
    let known = initial_offsets(plugin, config);
    let numbers = known.first().and_then(|item| item.offset.as_object());
    let is_number = |key: &String| numbers.is_some_and(|fields| fields.get(key).is_some_and(Value::is_number));
    let fields = offsets.iter().filter_map(|item| item.offset.as_object()).flatten();
    fields
        .into_iter()
        .any(|(key, value)| value.is_string() && is_number(key))
}

/// Applies a PATCH to offsets: only the partitions in the patch change.
pub(crate) fn apply_patch(mut all: Vec<OffsetItem>, patch: &[OffsetItem]) -> Vec<OffsetItem> {
    for item in patch {
        match all.iter_mut().find(|known| known.partition == item.partition) {
            Some(known) => known.offset = item.offset.clone(),
            None => all.push(item.clone()),
        }
    }
    all
}
