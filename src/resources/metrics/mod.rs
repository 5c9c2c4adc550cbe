//! Connector metrics: reading and analysis.
//!
//! - [`read_metrics`]: reads all metrics with one query per metric; [`read_lags`]: reads only the lag of sinks
//! - [`series`]: values over time, in which a missing value is not zero; pure
//! - [`states`]: states of connectors and tasks over time; pure
//! - [`anomalies`]: anomalies of connectors that seem to run; pure

pub mod series;
pub mod anomalies;
pub mod states;

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

pub use anomalies::{Anomaly, find_anomalies};
pub use series::{MetricSeries, TimeBuckets};
pub use states::{StateInterval, StateSeries};

use super::connector::LiveConnector;
use crate::{
    api::metrics::{CONNECTOR_ID, Metric, MetricKind, QueryMetrics, QuerySeries, STATUS, TASK},
    client::{ClientError, MetricsClient},
    model::ConnectorState,
};

/// Metrics to read in display order; which ones exist depends on the direction of the connector.
pub const CONNECTOR_METRICS: [&str; 9] = [
    "sent_records",
    "sent_bytes",
    "received_records",
    "received_bytes",
    "dead_letter_queue_records",
    "records_lag_max",
    "sink_task_put_batch_max_time_milliseconds",
    "connector_status",
    "connector_task_status",
];

/// Maximum number of concurrent queries.
const CONCURRENCY: usize = 4;

/// Metrics of one connector over a time range.
#[derive(Clone, Debug)]
pub struct ConnectorMetrics {
    /// Values by metric suffix, for all metrics of the connector's direction that could be read, even without values.
    pub series: BTreeMap<&'static str, MetricSeries>,
    /// States of the connector.
    pub states: StateSeries,
    /// States of its tasks by number.
    pub tasks: BTreeMap<u32, StateSeries>,
}

impl ConnectorMetrics {
    fn empty(buckets: TimeBuckets, observed: &LiveConnector) -> Self {
        let metrics = CONNECTOR_METRICS.into_iter().filter_map(Metric::by_suffix);
        let curves = metrics
            .filter(|metric| metric.kind != MetricKind::State && metric.direction.includes_type(observed.direction()));
        Self {
            series: curves
                .map(|metric| (metric.suffix, MetricSeries::unknown(buckets)))
                .collect(),
            states: StateSeries::unknown(buckets),
            tasks: BTreeMap::new(),
        }
    }

    /// Returns the values of a metric if the connector has it.
    #[must_use]
    pub fn metric_series(&self, suffix: &str) -> Option<&MetricSeries> {
        self.series.get(suffix)
    }

    /// Adds one group of a response.
    fn add_group(&mut self, metric: &Metric, group: &QuerySeries) {
        match metric.suffix {
            "connector_status" => {
                if let Some(state) = group.label(STATUS) {
                    self.states.add(&state.into(), &group.sorted_points());
                }
            }
            "connector_task_status" => {
                let task = group.label(TASK).and_then(task_number);
                if let (Some(state), Some(task)) = (group.label(STATUS), task) {
                    let unknown = || StateSeries::unknown(self.states.buckets());
                    let states = self.tasks.entry(task).or_insert_with(unknown);
                    states.add(&state.into(), &group.sorted_points());
                }
            }
            suffix => {
                if let Some(curve) = self.series.get_mut(suffix) {
                    curve.add(&group.sorted_points());
                }
            }
        }
    }

    /// Returns the number of running tasks per bucket; unknown where no task has a state.
    #[must_use]
    pub fn tasks_running(&self) -> MetricSeries {
        let mut series = MetricSeries::unknown(self.states.buckets());
        for bucket in 0..series.values().len() {
            let states: Vec<&ConnectorState> = self.tasks.values().filter_map(|task| task.at(bucket)).collect();
            if !states.is_empty() {
                let running = states.iter().filter(|state| state.is_running()).count();
                series.set(bucket, f64::from(u32::try_from(running).unwrap_or(u32::MAX)));
            }
        }
        series
    }
}

/// Parses the task number from any form of its label: `0`, `task-0`, `lcc-8kq2zm-0`.
fn task_number(label: &str) -> Option<u32> {
    label.rsplit('-').next()?.parse().ok()
}

/// Metrics of several connectors.
#[derive(Debug)]
pub struct MetricsResult {
    /// Metrics by connector name.
    pub connectors: BTreeMap<String, ConnectorMetrics>,
    /// Metrics that could not be read, with the error.
    pub failures: Vec<(&'static Metric, ClientError)>,
}

/// Reads all metrics of `connectors` with one query per metric. Values of other connectors are dropped.
///
/// # Errors
/// When the key is not allowed to read metrics, or no query succeeds.
pub async fn read_metrics(
    metrics: &MetricsClient,
    connectors: &[LiveConnector],
    buckets: TimeBuckets,
) -> Result<MetricsResult, ClientError> {
    let mut measured: BTreeMap<String, ConnectorMetrics> = BTreeMap::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for seen in connectors {
        names.insert(seen.id(), &seen.name);
        measured.insert(seen.name.clone(), ConnectorMetrics::empty(buckets, seen));
    }
    let queries = CONNECTOR_METRICS
        .into_iter()
        .filter_map(Metric::by_suffix)
        .filter_map(|metric| {
            let have = connectors
                .iter()
                .filter(|seen| metric.direction.includes_type(seen.direction()));
            let ids: Vec<String> = have.map(|seen| seen.id().to_owned()).collect();
            (!ids.is_empty()).then(|| (metric, build_query(metric, ids, buckets)))
        });
    let ask = |(metric, query)| async move { (metric, metrics.query(query).await) };
    let mut answers = stream::iter(queries).map(ask).buffered(CONCURRENCY);
    let mut failures = Vec::new();
    let mut some = false;
    while let Some((metric, answer)) = answers.next().await {
        match answer {
            Ok(groups) => {
                some = true;
                for group in groups {
                    let name = group.label(CONNECTOR_ID).and_then(|id| names.get(id).copied());
                    if let Some(measured) = name.and_then(|name| measured.get_mut(name)) {
                        measured.add_group(metric, &group);
                    }
                }
            }
            // All other queries would fail, too.
            Err(error) if error.is_forbidden() || error.is_unauthorized() => return Err(error),
            Err(error) => {
                // A failed query does not mean that there are no values.
                for measured in measured.values_mut() {
                    measured.series.remove(metric.suffix);
                }
                failures.push((metric, error));
            }
        }
    }
    match failures.pop() {
        Some((_, error)) if !some => Err(error),
        last => {
            failures.extend(last);
            Ok(MetricsResult {
                connectors: measured,
                failures,
            })
        }
    }
}

/// Reads the latest lag of `sinks` by id with a single query. A connector without a value is omitted, because missing
/// is not zero.
///
/// # Errors
/// When the query fails.
pub async fn read_lags(
    metrics: &MetricsClient,
    sinks: Vec<String>,
    buckets: TimeBuckets,
) -> Result<BTreeMap<String, f64>, ClientError> {
    let Some(metric) = Metric::by_suffix("records_lag_max").filter(|_| !sinks.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let groups = metrics.query(build_query(metric, sinks.clone(), buckets)).await?;
    let mut lags = BTreeMap::new();
    for group in groups {
        let id = group
            .label(CONNECTOR_ID)
            .filter(|id| sinks.iter().any(|sink| sink == id));
        let mut series = MetricSeries::unknown(buckets);
        series.add(&group.sorted_points());
        // Values arrive late, some later than others.
        let latest = series.points().last();
        if let (Some(id), Some(latest)) = (id, latest) {
            lags.insert(id.to_owned(), latest.value);
        }
    }
    Ok(lags)
}

fn build_query(metric: &Metric, connectors: Vec<String>, buckets: TimeBuckets) -> QueryMetrics {
    let by = match metric.suffix {
        "connector_status" => vec![STATUS],
        "connector_task_status" => vec![TASK, STATUS],
        _ => Vec::new(),
    };
    QueryMetrics {
        metric: metric.name(),
        connectors,
        by,
        from: buckets.start(),
        to: buckets.end(),
        granularity: buckets.granularity(),
        page: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_numbers_are_parsed_from_every_label_format() {
        let numbers = ["0", "task-12", "lcc-8kq2zm-3", "", "x", "task-"].map(task_number);
        assert_eq!(numbers, [Some(0), Some(12), Some(3), None, None, None]);
    }

    #[test]
    fn every_metric_that_is_read_is_in_the_catalog() {
        for suffix in CONNECTOR_METRICS {
            assert!(Metric::by_suffix(suffix).is_some(), "{suffix}");
        }
    }
}
