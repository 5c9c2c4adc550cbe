//! Metrics of connectors as data.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    api::metrics::{Metric, MetricKind},
    model::{ConnectorState, DepartmentCode},
    quota::tasks_max,
    resources::{
        connector::LiveConnector,
        metrics::{
            Anomaly, CONNECTOR_METRICS, ConnectorMetrics, MetricSeries, StateInterval, TimeBuckets, find_anomalies,
        },
    },
};

/// Common metrics that Confluent Cloud does not provide (docs/reference/metrics.md#connector-metrics).
const NOT_MEASURED: [&str; 2] = ["cpu", "memory"];

/// Metrics of connectors in a time window.
#[derive(Debug, Serialize)]
pub struct MetricsReport {
    /// Start of the window.
    pub from: Timestamp,
    /// End of the window, which is excluded.
    pub to: Timestamp,
    /// Length of a time bucket in seconds.
    pub bucket_seconds: u64,
    /// Department of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// Connectors with their metrics.
    pub connectors: Vec<MetricsConnectorRow>,
    /// Metrics that Confluent Cloud does not provide.
    pub not_measured: [&'static str; 2],
}

/// Metrics of one connector.
#[derive(Debug, Serialize)]
pub struct MetricsConnectorRow {
    /// Id of the connector.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// State of the connector now, not at the end of the metrics.
    pub status: ConnectorState,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Number of tasks that run now.
    pub tasks_running: usize,
    /// Limit of tasks, if the configuration is readable.
    pub tasks_max: Option<u32>,
    /// Metrics of the connector's direction that could be read.
    pub metrics: Vec<MetricRow>,
    /// States of the connector over time.
    pub states: Vec<StateInterval>,
    /// States of the tasks over time.
    pub tasks: Vec<MetricsTaskRow>,
    /// Anomalies of a connector that seems to run.
    pub anomalies: Vec<AnomalyRow>,
    /// Number of running tasks over time.
    #[serde(skip)]
    pub running_tasks: MetricSeries,
}

/// Values of one metric.
#[derive(Debug, Serialize)]
pub struct MetricRow {
    /// Suffix of the metric's name.
    pub metric: &'static str,
    /// Description of the metric, for tables.
    pub about: &'static str,
    /// Code of the unit.
    pub unit: &'static str,
    /// Latest value; a rate per minute for counters, as are mean and peak.
    #[serde(serialize_with = "serialize_optional")]
    pub last: Option<f64>,
    /// Mean of the known values; `None` if no value is known.
    #[serde(serialize_with = "serialize_optional")]
    pub mean: Option<f64>,
    /// Largest known value; `None` if no value is known.
    #[serde(serialize_with = "serialize_optional")]
    pub peak: Option<f64>,
    /// Sum over the window, for counters.
    #[serde(serialize_with = "serialize_optional", skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// Known values, for counters the number in each bucket.
    pub points: Vec<PointRow>,
    /// Values over time, for counters the rate per minute.
    #[serde(skip)]
    pub series: MetricSeries,
    /// Definition of the metric.
    #[serde(skip)]
    pub definition: &'static Metric,
}

/// Value of a metric in one time bucket.
#[derive(Debug, Serialize)]
pub struct PointRow {
    /// Start of the bucket.
    pub timestamp: Timestamp,
    /// Value in the time bucket, in the unit of the metric.
    #[serde(serialize_with = "serialize_number")]
    pub value: f64,
}

/// States of one task over time.
#[derive(Debug, Serialize)]
pub struct MetricsTaskRow {
    /// Number of the task.
    pub task: u32,
    /// States of the task over time.
    pub states: Vec<StateInterval>,
}

/// Anomaly of a connector.
#[derive(Debug, Serialize)]
pub struct AnomalyRow {
    /// Id of the anomaly.
    pub anomaly: &'static str,
    /// Description, which continues the name of the connector.
    pub message: String,
    /// Advice, one sentence.
    pub advice: &'static str,
}

#[expect(clippy::ref_option, reason = "serde hands over a reference")]
fn serialize_optional<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serialize_number(value, to),
        None => to.serialize_none(),
    }
}

/// Serializes with three decimals, and whole numbers as integers.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn serialize_number<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    let rounded = (value * 1_000.0).round() / 1_000.0;
    let whole = (rounded.fract() == 0.0).then(|| format!("{rounded:.0}").parse::<i64>().ok());
    match whole.flatten() {
        Some(whole) => to.serialize_i64(whole),
        None => to.serialize_f64(rounded),
    }
}

impl MetricsReport {
    /// Creates the report of connectors with their metrics in `buckets`.
    pub(super) fn new<'a>(
        department: Option<&DepartmentCode>,
        buckets: TimeBuckets,
        measured: impl Iterator<Item = (&'a LiveConnector, &'a ConnectorMetrics)>,
    ) -> Self {
        let bucket_length = buckets.granularity().bucket_length();
        Self {
            from: buckets.start(),
            to: buckets.end(),
            bucket_seconds: bucket_length.unwrap_or_default().as_secs(),
            department: department.cloned(),
            connectors: measured
                .map(|(observed, measured)| MetricsConnectorRow::new(observed, measured))
                .collect(),
            not_measured: NOT_MEASURED,
        }
    }
}

impl MetricsConnectorRow {
    fn new(observed: &LiveConnector, measured: &ConnectorMetrics) -> Self {
        let metrics = CONNECTOR_METRICS.into_iter().filter_map(Metric::by_suffix);
        let tasks = measured.tasks.iter().map(|(task, states)| MetricsTaskRow {
            task: *task,
            states: states.intervals(),
        });
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().clone(),
            direction: observed.direction().to_owned(),
            tasks_running: observed.expanded.status.running_tasks(),
            tasks_max: tasks_max(&observed.expanded.info.config).ok(),
            metrics: metrics
                .filter_map(|metric| Some(MetricRow::new(metric, measured.metric_series(metric.suffix)?)))
                .collect(),
            states: measured.states.intervals(),
            tasks: tasks.collect(),
            anomalies: find_anomalies(measured, observed.state())
                .iter()
                .map(AnomalyRow::new)
                .collect(),
            running_tasks: measured.tasks_running(),
        }
    }
}

impl MetricRow {
    fn new(metric: &'static Metric, observed: &MetricSeries) -> Self {
        let is_counter = metric.kind == MetricKind::Count;
        let series = if is_counter {
            observed.per_minute()
        } else {
            observed.clone()
        };
        let points = observed.points().map(|point| PointRow {
            timestamp: point.timestamp,
            value: point.value,
        });
        Self {
            metric: metric.suffix,
            about: metric.description,
            unit: metric.unit.code(),
            last: series.last(),
            mean: if is_counter { observed.rate() } else { observed.mean() },
            peak: series.peak(),
            total: if is_counter { observed.total() } else { None },
            points: points.collect(),
            series,
            definition: metric,
        }
    }
}

impl AnomalyRow {
    fn new(anomaly: &Anomaly) -> Self {
        Self {
            anomaly: anomaly.as_str(),
            message: anomaly.description(),
            advice: anomaly.advice(),
        }
    }
}
