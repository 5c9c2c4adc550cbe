//! What a connector measured, as labelled values per minute.

use std::collections::BTreeMap;

use super::super::connect::chronicled;
use crate::{
    api::metrics::{CONNECTOR_ID, HISTORY, Metric, STATUS, TASK},
    model::{Crn, ResourceKind},
    sandbox::{
        connector::{
            curves::{Curves, Minute, minute_of},
            life::Times,
        },
        state::Connector,
        tx::Tx,
    },
};

/// The labels of a value.
pub(super) type Labels = BTreeMap<&'static str, String>;

/// A connector that metrics are asked of.
pub(super) struct Found {
    pub(super) connector: Connector,
    pub(super) crn: Crn,
    times: Times,
}

/// The connector of an id, with what it has been through written down.
pub(super) fn found(tx: &mut Tx<'_>, id: &str) -> Option<Found> {
    let mut all = tx.state.connectors.values();
    let connector = all.find(|found| found.id == id && found.life.exists())?;
    let cluster = tx.state.clusters.get(&connector.cluster)?;
    let crn = tx
        .state
        .address(cluster)
        .resource(ResourceKind::Connector, &connector.name)?;
    let (connector, times) = chronicled(tx, cluster, connector);
    Some(Found { connector, crn, times })
}

/// The values of a metric in the minutes from `from` until `to`. Nothing is said of minutes in which nothing was counted
/// (dossier `metrics.md` §2: absence is no error).
pub(super) fn values(tx: &Tx<'_>, found: &Found, metric: &Metric, from: i64, to: i64) -> Vec<(Labels, i64, f64)> {
    let oldest = tx.now.saturating_sub(HISTORY).unwrap_or(tx.now);
    let from = from.max(minute_of(oldest));
    let connector = &found.connector;
    let spans = connector.chronicle.spans(&found.times, oldest, tx.now);
    let sink = spans.last().is_some_and(|span| span.episode.is_sink());
    let kind = if sink { "sink" } else { "source" };
    if !metric.direction.includes(kind) {
        return Vec::new();
    }
    let curves = Curves {
        ids: tx.ids(),
        id: &connector.id,
        sink,
    };
    let own: Labels = [(CONNECTOR_ID, connector.id.clone())].into();
    let mut values = Vec::new();
    for minute in curves.minutes(&spans, from, to) {
        let mut add = |more: &[(&'static str, &str)], value: f64| {
            let mut labels = own.clone();
            labels.extend(more.iter().map(|(label, value)| (*label, (*value).to_owned())));
            values.push((labels, minute.number, value));
        };
        match metric.suffix {
            "connector_status" => add(&[(STATUS, minute.state.as_str())], 1.0),
            "connector_task_status" => {
                for (task, state) in minute.tasks.iter().enumerate() {
                    add(&[(STATUS, state), (TASK, &task.to_string())], 1.0);
                }
            }
            suffix => match measured(&minute, suffix) {
                Some(value) if value > 0.0 || suffix == "records_lag_max" => add(&[], value),
                _ => {}
            },
        }
    }
    values
}

fn measured(minute: &Minute, suffix: &str) -> Option<f64> {
    Some(match suffix {
        "sent_records" | "received_records" => minute.records,
        "sent_bytes" | "received_bytes" => minute.bytes,
        "dead_letter_queue_records" => minute.dead_letters,
        "records_lag_max" => minute.lag,
        "connector_task_batch_size_avg" => minute.batch,
        "sink_task_put_batch_max_time_milliseconds" => minute.put_milliseconds,
        _ => return None,
    })
}
