//! Metrics of a connector as labelled values per minute.

use std::collections::BTreeMap;

use super::super::connect::with_current_history;
use crate::{
    api::metrics::{CONNECTOR_ID, HISTORY, Metric, STATUS, TASK},
    model::{ConnectorState, Crn, ResourceKind},
    sandbox::{
        connector::{
            lifecycle::ConnectorDelays,
            metrics_sim::{MetricsSimulator, MinuteMetrics, minute_number},
        },
        state::ConnectorRecord,
        tx::Tx,
    },
};

/// Labels of a value.
pub(super) type MetricLabels = BTreeMap<&'static str, String>;

/// Connector of a metrics request.
pub(super) struct MeteredConnector {
    pub(super) connector: ConnectorRecord,
    pub(super) crn: Crn,
    times: ConnectorDelays,
}

/// Returns the connector with this id, after updating its history.
pub(super) fn find_connector(tx: &mut Tx<'_>, id: &str) -> Option<MeteredConnector> {
    let mut all = tx.state.connectors.values();
    let connector = all.find(|found| found.id == id && found.lifetime.exists())?;
    let cluster = tx.state.clusters.get(&connector.cluster)?;
    let crn = tx
        .state
        .address(cluster)
        .resource(ResourceKind::Connector, &connector.name)?;
    let (connector, times) = with_current_history(tx, cluster, connector);
    Some(MeteredConnector { connector, crn, times })
}

/// Returns the values of a metric in the minutes from `from` until `to`. Minutes without events are absent
/// (docs/reference/metrics.md#connector-metrics: absence is no error).
pub(super) fn metric_values(
    tx: &Tx<'_>,
    found: &MeteredConnector,
    metric: &Metric,
    from: i64,
    to: i64,
) -> Vec<(MetricLabels, i64, f64)> {
    let oldest = tx.now.saturating_sub(HISTORY).unwrap_or(tx.now);
    let from = from.max(minute_number(oldest));
    let connector = &found.connector;
    let intervals = connector.history.intervals(&found.times, oldest, tx.now);
    let sink = intervals.last().is_some_and(|interval| interval.phase.is_sink());
    let kind = if sink { "sink" } else { "source" };
    if !metric.direction.includes_type(kind) {
        return Vec::new();
    }
    let simulator = MetricsSimulator {
        ids: tx.ids(),
        id: &connector.id,
        sink,
        byte_limit: tx.client_quota_of(connector, sink),
    };
    let own: MetricLabels = [(CONNECTOR_ID, connector.id.clone())].into();
    let mut values = Vec::new();
    for minute in simulator.minutes(&intervals, from, to) {
        let mut add = |more: &[(&'static str, &str)], value: f64| {
            let mut labels = own.clone();
            labels.extend(more.iter().map(|(label, value)| (*label, (*value).to_owned())));
            values.push((labels, minute.number, value));
        };
        match metric.suffix {
            "connector_status" => add(&[(STATUS, ConnectorState::from(minute.state).as_str())], 1.0),
            "connector_task_status" => {
                for (task, state) in minute.tasks.iter().enumerate() {
                    add(&[(STATUS, state.as_str()), (TASK, &task.to_string())], 1.0);
                }
            }
            suffix => match minute_value(&minute, suffix) {
                Some(value) if value > 0.0 || suffix == "records_lag_max" => add(&[], value),
                _ => {}
            },
        }
    }
    values
}

fn minute_value(minute: &MinuteMetrics, suffix: &str) -> Option<f64> {
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
