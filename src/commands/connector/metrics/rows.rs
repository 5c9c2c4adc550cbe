//! What is answered to machines, and what the tables for people are made of.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{super::show::running, DepartmentSession, Metrics, units::Scale};
use crate::{
    api::metrics::{Metric, Reading, Unit},
    commands::{Ctx, globals::Output},
    model::DepartmentCode,
    quota::tasks_max,
    render::csv,
    resources::{
        connector::Seen,
        metrics::{Curve, Grid, Measured, READ, Sign, Stay, signs},
    },
};

/// What dashboards of other systems show, and Confluent Cloud does not measure (dossier `metrics.md` §2).
const NOT_MEASURED: [&str; 2] = ["cpu", "memory"];

/// What connectors measured in a stretch of time.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct Metered {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) bucket_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) department: Option<DepartmentCode>,
    pub(super) connectors: Vec<ConnectorRow>,
    pub(super) not_measured: [&'static str; 2],
    #[serde(skip)]
    pub(super) csv: bool,
    #[serde(skip)]
    pub(super) watched: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) direction: String,
    pub(super) tasks_running: usize,
    pub(super) tasks_max: Option<u32>,
    pub(super) metrics: Vec<MetricRow>,
    pub(super) states: Vec<StayRow>,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) signs: Vec<SignRow>,
    #[serde(skip)]
    pub(super) running: Curve,
}

#[derive(Debug, Serialize)]
pub(super) struct MetricRow {
    pub(super) metric: &'static str,
    pub(super) about: &'static str,
    pub(super) unit: &'static str,
    #[serde(serialize_with = "number")]
    pub(super) last: Option<f64>,
    #[serde(serialize_with = "number")]
    pub(super) mean: Option<f64>,
    #[serde(serialize_with = "number")]
    pub(super) peak: Option<f64>,
    /// Only of what is counted.
    #[serde(serialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<f64>,
    pub(super) points: Vec<PointRow>,
    /// Per minute, of what is counted.
    #[serde(skip)]
    pub(super) curve: Curve,
    #[serde(skip)]
    pub(super) of: &'static Metric,
}

#[derive(Debug, Serialize)]
pub(super) struct PointRow {
    pub(super) timestamp: Timestamp,
    #[serde(serialize_with = "number")]
    pub(super) value: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct StayRow {
    pub(super) state: String,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

#[derive(Debug, Serialize)]
pub(super) struct TaskRow {
    pub(super) task: u32,
    pub(super) states: Vec<StayRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct SignRow {
    pub(super) sign: &'static str,
    pub(super) message: String,
    pub(super) advice: &'static str,
}

/// To a thousandth, and whole numbers as such.
#[expect(clippy::ref_option, reason = "serde hands over a reference")]
fn number<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    let Some(value) = value else { return to.serialize_none() };
    let rounded = (value * 1_000.0).round() / 1_000.0;
    let whole = (rounded.fract() == 0.0).then(|| format!("{rounded:.0}").parse::<i64>().ok());
    match whole.flatten() {
        Some(whole) => to.serialize_i64(whole),
        None => to.serialize_f64(rounded),
    }
}

impl Metered {
    /// `measured` is of `seen`, one by one.
    pub(super) fn new(
        ctx: &Ctx,
        asked: &Metrics,
        session: &DepartmentSession,
        grid: Grid,
        seen: &[&Seen],
        measured: &[&Measured],
    ) -> Self {
        let rows = seen.iter().zip(measured);
        Self {
            from: grid.from(),
            to: grid.to(),
            bucket_seconds: grid.granularity().length().unwrap_or_default().as_secs(),
            department: session.tenant.as_ref().map(|tenant| tenant.code.clone()),
            connectors: rows.map(|(seen, measured)| ConnectorRow::of(seen, measured)).collect(),
            not_measured: NOT_MEASURED,
            csv: ctx.globals.output == Output::Csv,
            watched: asked.watch,
        }
    }

    /// One line per value.
    pub(super) fn csv(&self) -> String {
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
            let running = row.running.points();
            rows.extend(running.map(|point| line("tasks_running", "1", point.timestamp, point.value)));
        }
        csv(&header, rows)
    }
}

impl ConnectorRow {
    fn of(seen: &Seen, measured: &Measured) -> Self {
        let metrics = READ.into_iter().filter_map(Metric::of);
        let tasks = measured.tasks.iter().map(|(task, states)| TaskRow {
            task: *task,
            states: states.stays().into_iter().map(StayRow::of).collect(),
        });
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            status: seen.state().to_owned(),
            direction: seen.direction().to_owned(),
            tasks_running: running(seen),
            tasks_max: tasks_max(&seen.now.info.config).ok(),
            metrics: metrics
                .filter_map(|metric| Some(MetricRow::of(metric, measured.curve(metric.suffix)?)))
                .collect(),
            states: measured.states.stays().into_iter().map(StayRow::of).collect(),
            tasks: tasks.collect(),
            signs: signs(measured, seen.state()).iter().map(SignRow::of).collect(),
            running: measured.tasks_running(),
        }
    }

    /// The first of these metrics that its kind has.
    pub(super) fn metric(&self, suffixes: &[&str]) -> Option<&MetricRow> {
        self.metrics.iter().find(|row| suffixes.contains(&row.metric))
    }

    /// `1/2`, where the second number is what may run.
    pub(super) fn tasks_now(&self) -> String {
        let most = self.tasks_max.map_or("?".to_owned(), |most| most.to_string());
        format!("{}/{most}", self.tasks_running)
    }
}

impl MetricRow {
    fn of(metric: &'static Metric, said: &Curve) -> Self {
        let counted = metric.reading == Reading::Count;
        let curve = if counted { said.per_minute() } else { said.clone() };
        let points = said.points().map(|point| PointRow {
            timestamp: point.timestamp,
            value: Some(point.value),
        });
        Self {
            metric: metric.suffix,
            about: metric.about,
            unit: metric.unit.code(),
            last: curve.last(),
            mean: if counted { said.rate() } else { said.mean() },
            peak: curve.peak(),
            total: if counted { said.total() } else { None },
            points: points.collect(),
            curve,
            of: metric,
        }
    }

    pub(super) fn scale(&self) -> Scale {
        scale(self.of.unit, self.peak)
    }

    /// What it is, with its unit.
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

/// What values of a unit are shown in.
pub(super) fn scale(unit: Unit, largest: Option<f64>) -> Scale {
    match unit {
        Unit::Bytes => Scale::bytes(largest.unwrap_or(0.0)),
        Unit::Records => Scale::records(largest.unwrap_or(0.0)),
        Unit::Milliseconds | Unit::None => Scale::PLAIN,
    }
}

impl StayRow {
    fn of(stay: Stay) -> Self {
        Self {
            state: stay.state,
            from: stay.from,
            to: stay.to,
        }
    }
}

impl SignRow {
    fn of(sign: &Sign) -> Self {
        Self {
            sign: sign.word(),
            message: sign.seen(),
            advice: sign.advice(),
        }
    }
}
