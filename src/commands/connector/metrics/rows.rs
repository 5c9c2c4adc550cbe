//! Metrics of connectors as data, for machines and for the tables.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{ConnectorMetricsArgs, ConnectorSession, units::Scale};
use crate::{
    api::metrics::{Metric, MetricKind, MetricUnit},
    commands::{Ctx, global_args::OutputFormat},
    connectors::view::running_tasks,
    model::DepartmentCode,
    quota::tasks_max,
    render::to_csv,
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
pub(in crate::commands::connector) struct ConnectorMetricsOutput {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) bucket_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) department: Option<DepartmentCode>,
    pub(super) connectors: Vec<MetricsConnectorRow>,
    pub(super) not_measured: [&'static str; 2],
    #[serde(skip)]
    pub(super) csv: bool,
    #[serde(skip)]
    pub(super) watched: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct MetricsConnectorRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) direction: String,
    pub(super) tasks_running: usize,
    pub(super) tasks_max: Option<u32>,
    pub(super) metrics: Vec<MetricRow>,
    pub(super) states: Vec<StateIntervalRow>,
    pub(super) tasks: Vec<MetricsTaskRow>,
    pub(super) anomalies: Vec<AnomalyRow>,
    #[serde(skip)]
    pub(super) running_tasks: MetricSeries,
}

#[derive(Debug, Serialize)]
pub(super) struct MetricRow {
    pub(super) metric: &'static str,
    pub(super) about: &'static str,
    pub(super) unit: &'static str,
    #[serde(serialize_with = "serialize_number")]
    pub(super) last: Option<f64>,
    #[serde(serialize_with = "serialize_number")]
    pub(super) mean: Option<f64>,
    #[serde(serialize_with = "serialize_number")]
    pub(super) peak: Option<f64>,
    /// Sum over the time window, for counters.
    #[serde(serialize_with = "serialize_number", skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<f64>,
    pub(super) points: Vec<PointRow>,
    /// Rate per minute, for counters.
    #[serde(skip)]
    pub(super) series: MetricSeries,
    #[serde(skip)]
    pub(super) definition: &'static Metric,
}

#[derive(Debug, Serialize)]
pub(super) struct PointRow {
    pub(super) timestamp: Timestamp,
    #[serde(serialize_with = "serialize_number")]
    pub(super) value: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct StateIntervalRow {
    pub(super) state: String,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

#[derive(Debug, Serialize)]
pub(super) struct MetricsTaskRow {
    pub(super) task: u32,
    pub(super) states: Vec<StateIntervalRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct AnomalyRow {
    pub(super) anomaly: &'static str,
    pub(super) message: String,
    pub(super) advice: &'static str,
}

/// Serializes with three decimals, and whole numbers as integers.
#[expect(clippy::ref_option, reason = "serde hands over a reference")]
fn serialize_number<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    let Some(value) = value else { return to.serialize_none() };
    let rounded = (value * 1_000.0).round() / 1_000.0;
    let whole = (rounded.fract() == 0.0).then(|| format!("{rounded:.0}").parse::<i64>().ok());
    match whole.flatten() {
        Some(whole) => to.serialize_i64(whole),
        None => to.serialize_f64(rounded),
    }
}

impl ConnectorMetricsOutput {
    /// Creates the result; `measured` holds the metrics of `observed` in the same order.
    pub(super) fn new(
        ctx: &Ctx,
        args: &ConnectorMetricsArgs,
        session: &ConnectorSession,
        grid: TimeBuckets,
        observed: &[&LiveConnector],
        measured: &[&ConnectorMetrics],
    ) -> Self {
        let rows = observed.iter().zip(measured);
        Self {
            from: grid.start(),
            to: grid.end(),
            bucket_seconds: grid.granularity().bucket_length().unwrap_or_default().as_secs(),
            department: session.department.as_ref().map(|department| department.code.clone()),
            connectors: rows
                .map(|(observed, measured)| MetricsConnectorRow::new(observed, measured))
                .collect(),
            not_measured: NOT_MEASURED,
            csv: ctx.globals.output == OutputFormat::Csv,
            watched: args.watch,
        }
    }

    /// Returns one CSV line per value.
    pub(super) fn to_csv(&self) -> String {
        let header = ["connector", "id", "metric", "unit", "timestamp", "value"];
        let mut rows = Vec::new();
        for row in &self.connectors {
            let line = |metric: &str, unit: &str, timestamp: Timestamp, value: f64| {
                let [name, id] = [&row.name, &row.id].map(String::clone);
                vec![
                    name,
                    id,
                    metric.to_owned(),
                    unit.to_owned(),
                    timestamp.to_string(),
                    value.to_string(),
                ]
            };
            for metric in &row.metrics {
                let values = metric.points.iter();
                rows.extend(
                    values.filter_map(|point| Some(line(metric.metric, metric.unit, point.timestamp, point.value?))),
                );
            }
            let running = row.running_tasks.points();
            rows.extend(running.map(|point| line("tasks_running", "1", point.timestamp, point.value)));
        }
        to_csv(&header, rows)
    }
}

impl MetricsConnectorRow {
    fn new(observed: &LiveConnector, measured: &ConnectorMetrics) -> Self {
        let metrics = CONNECTOR_METRICS.into_iter().filter_map(Metric::by_suffix);
        let tasks = measured.tasks.iter().map(|(task, states)| MetricsTaskRow {
            task: *task,
            states: states.intervals().into_iter().map(StateIntervalRow::new).collect(),
        });
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().to_owned(),
            direction: observed.direction().to_owned(),
            tasks_running: running_tasks(observed),
            tasks_max: tasks_max(&observed.expanded.info.config).ok(),
            metrics: metrics
                .filter_map(|metric| Some(MetricRow::new(metric, measured.metric_series(metric.suffix)?)))
                .collect(),
            states: measured
                .states
                .intervals()
                .into_iter()
                .map(StateIntervalRow::new)
                .collect(),
            tasks: tasks.collect(),
            anomalies: find_anomalies(measured, observed.state())
                .iter()
                .map(AnomalyRow::new)
                .collect(),
            running_tasks: measured.tasks_running(),
        }
    }

    /// Returns the first of these metrics that the connector has.
    pub(super) fn metric(&self, suffixes: &[&str]) -> Option<&MetricRow> {
        self.metrics.iter().find(|row| suffixes.contains(&row.metric))
    }

    /// Returns running tasks and task limit, such as `1/2`.
    pub(super) fn tasks_text(&self) -> String {
        let most = self.tasks_max.map_or("?".to_owned(), |most| most.to_string());
        format!("{}/{most}", self.tasks_running)
    }
}

impl MetricRow {
    fn new(metric: &'static Metric, said: &MetricSeries) -> Self {
        let counted = metric.kind == MetricKind::Count;
        let series = if counted { said.per_minute() } else { said.clone() };
        let points = said.points().map(|point| PointRow {
            timestamp: point.timestamp,
            value: Some(point.value),
        });
        Self {
            metric: metric.suffix,
            about: metric.description,
            unit: metric.unit.code(),
            last: series.last(),
            mean: if counted { said.rate() } else { said.mean() },
            peak: series.peak(),
            total: if counted { said.total() } else { None },
            points: points.collect(),
            series,
            definition: metric,
        }
    }

    pub(super) fn scale(&self) -> Scale {
        scale_for(self.definition.unit, self.peak)
    }

    /// Returns the name of the metric with its unit.
    pub(super) fn label(&self) -> String {
        let unit = self.scale().unit;
        match self.metric {
            "sent_records" | "sent_bytes" => format!("{unit} out/min"),
            "received_records" | "received_bytes" => format!("{unit} in/min"),
            "dead_letter_queue_records" => "Dead letters/min".to_owned(),
            "records_lag_max" => format!("Lag in {}", unit.to_ascii_lowercase()),
            "sink_task_put_batch_max_time_milliseconds" => "Slowest batch in ms".to_owned(),
            other => other.to_owned(),
        }
    }
}

/// Returns the scale for values of a unit.
pub(super) fn scale_for(unit: MetricUnit, largest: Option<f64>) -> Scale {
    match unit {
        MetricUnit::Bytes => Scale::bytes(largest.unwrap_or(0.0)),
        MetricUnit::Records => Scale::records(largest.unwrap_or(0.0)),
        MetricUnit::Milliseconds | MetricUnit::None => Scale::PLAIN,
    }
}

impl StateIntervalRow {
    fn new(interval: StateInterval) -> Self {
        Self {
            state: interval.state,
            from: interval.from,
            to: interval.to,
        }
    }
}

impl AnomalyRow {
    fn new(sign: &Anomaly) -> Self {
        Self {
            anomaly: sign.as_str(),
            message: sign.description(),
            advice: sign.advice(),
        }
    }
}
