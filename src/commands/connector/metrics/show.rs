//! Tables of metrics: one row per metric for a single connector, one row per connector for several.

use serde::Serialize;

use super::{csv::render_csv, units::Scale};
use crate::{
    api::metrics::{MetricKind, MetricUnit},
    connectors::metrics::{MetricRow, MetricsConnectorRow, MetricsReport},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    resources::metrics::{MetricSeries, StateInterval},
};

/// Number of states shown; JSON contains all of them.
const MAX_STATE_INTERVALS: usize = 20;

/// Result of `connector metrics`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct ConnectorMetricsOutput {
    pub(super) report: MetricsReport,
    #[serde(skip)]
    pub(super) is_csv: bool,
    #[serde(skip)]
    pub(super) is_watched: bool,
}

impl Viewable for ConnectorMetricsOutput {
    fn view(&self) -> Vec<Block> {
        let connectors = self.report.connectors.as_slice();
        if self.is_csv {
            return vec![Block::Verbatim(render_csv(connectors))];
        }
        let mut blocks = match connectors {
            [] => return vec![Block::Empty],
            [one] => detail_blocks(one),
            several => vec![Block::Table(overview_table(several))],
        };
        let mut lines = Vec::new();
        for row in connectors {
            if connectors.len() > 1 && !row.status.is_running() {
                lines.push(TextLine::from(format!("{} is {}.", row.name, row.status)));
            }
            lines.extend(row.anomalies.iter().map(|sign| {
                let observed = format!("{} {}.", row.name, sign.message);
                TextLine::new()
                    .with_styled_text(Style::Warning, observed)
                    .with_text(format!(" {}", sign.advice))
                    .with_hanging_indent(2)
            }));
        }
        if !lines.is_empty() {
            blocks.push(Block::Lines(lines));
        }
        blocks.push(Block::Lines(self.legend()));
        blocks
    }
}

impl ConnectorMetricsOutput {
    /// Returns notes on how to read the numbers.
    fn legend(&self) -> Vec<TextLine> {
        // Source: docs/reference/metrics.md#connector-metrics. Gauges are averaged over a step.
        let steps = match self.report.bucket_seconds {
            60 => "by the minute".to_owned(),
            seconds => format!("in steps of {} min (lag: mean of the step)", seconds / 60),
        };
        let again = if self.is_watched {
            " Refreshed every minute, until Ctrl-C."
        } else {
            ""
        };
        let numbers = match self.report.connectors.len() {
            1 => "A total covers the whole time.",
            _ => "Records and bytes are means, dead letters a total, lag is the latest value.",
        };
        [
            format!(
                "From {} to {}, {steps}; metrics are about five minutes late.{again}",
                self.report.from, self.report.to
            ),
            format!(
                "Curves are scaled from zero to their peak. {numbers} A dot or \"-\" means no value, not zero: Confluent \
                 Cloud reports no value for minutes without traffic."
            ),
            "CPU and memory of managed connectors are not measured.".to_owned(),
        ]
        .map(|text| TextLine::new().with_styled_text(Style::Muted, text))
        .into()
    }
}

/// Returns the table of a single connector, one row per metric.
fn detail_blocks(row: &MetricsConnectorRow) -> Vec<Block> {
    let mut table = Table::new(["Metric", "Curve", "Last", "Mean", "Peak", "Total"]);
    for metric in &row.metrics {
        let scale = scale_for(metric.definition.unit, metric.peak);
        let number = |value| Cell::Number(scale.text(value));
        let total = match metric.definition.kind {
            MetricKind::Count => number(metric.total),
            MetricKind::Gauge | MetricKind::State => "".into(),
        };
        table.push([
            Cell::Text(metric_label(metric, scale.unit)),
            sparkline_cell(&metric.series),
            number(metric.last),
            number(metric.mean),
            number(metric.peak),
            total,
        ]);
    }
    let number = |value| Cell::Number(Scale::PLAIN.text(value));
    table.push([
        "Tasks running".into(),
        sparkline_cell(&row.running_tasks),
        number(row.running_tasks.last()),
        "".into(),
        number(row.running_tasks.peak()),
        "".into(),
    ]);
    let title = format!(
        "{} ({}): {}, {}, {} tasks run now",
        row.name,
        row.id,
        row.direction,
        row.status,
        tasks_cell(row)
    );
    let mut blocks = vec![Block::titled(title, [Block::Table(table)])];
    blocks.extend(state_intervals(row));
    blocks
}

/// Returns the states of the connector and its tasks, unless all of them were running all the time.
fn state_intervals(row: &MetricsConnectorRow) -> Option<Block> {
    let own = row.states.iter().map(|interval| (None, interval));
    let tasks = row.tasks.iter();
    let of_tasks = tasks.flat_map(|task| task.states.iter().map(|interval| (Some(task.task), interval)));
    let mut all: Vec<(Option<u32>, &StateInterval)> = own.chain(of_tasks).collect();
    if all.iter().all(|(_, interval)| interval.state.is_running()) {
        return None;
    }
    all.sort_by_key(|(task, interval)| (interval.from, *task));
    let earlier = all.len().saturating_sub(MAX_STATE_INTERVALS);
    let mut table = Table::new(["Of", "State", "From", "To"]);
    for (task, interval) in &all[earlier..] {
        table.push([
            task.map_or("connector".into(), |task| Cell::Text(format!("task {task}"))),
            Cell::text(&interval.state),
            Cell::text(&interval.from),
            Cell::text(&interval.to),
        ]);
    }
    let mut blocks = vec![Block::Table(table)];
    if earlier > 0 {
        blocks.push(Block::line(format!(
            "{earlier} earlier states left out; `-o json` shows all of them."
        )));
    }
    Some(Block::titled("States", blocks))
}

/// Returns the table of several connectors, one row each.
fn overview_table(rows: &[MetricsConnectorRow]) -> Table {
    const RECORDS: [&str; 2] = ["sent_records", "received_records"];
    const BYTES: [&str; 2] = ["sent_bytes", "received_bytes"];
    let largest = |suffixes: &[&str], value: fn(&MetricRow) -> Option<f64>| {
        let values = rows.iter().filter_map(|row| value(find_metric(row, suffixes)?));
        values.reduce(f64::max)
    };
    let records = scale_for(MetricUnit::Records, largest(&RECORDS, |row| row.mean));
    let bytes = scale_for(MetricUnit::Bytes, largest(&BYTES, |row| row.mean));
    let mut table = Table::new([
        "Name".to_owned(),
        "Tasks".to_owned(),
        "Curve".to_owned(),
        format!("{}/min", records.unit),
        format!("{}/min", bytes.unit),
        "Dead Letters".to_owned(),
        "Lag".to_owned(),
    ]);
    for row in rows {
        let number = |suffixes: &[&str], scale: Scale, value: fn(&MetricRow) -> Option<f64>| {
            find_metric(row, suffixes).map_or("".into(), |metric| Cell::Number(scale.text(value(metric))))
        };
        table.push([
            Cell::text(&row.name),
            Cell::Text(tasks_cell(row)),
            find_metric(row, &RECORDS).map_or("".into(), |metric| sparkline_cell(&metric.series)),
            number(&RECORDS, records, |metric| metric.mean),
            number(&BYTES, bytes, |metric| metric.mean),
            number(&["dead_letter_queue_records"], Scale::PLAIN, |metric| metric.total),
            number(&["records_lag_max"], Scale::PLAIN, |metric| metric.last),
        ]);
    }
    table
}

/// Returns a sparkline in which a positive value is never drawn as zero.
fn sparkline_cell(series: &MetricSeries) -> Cell {
    let whole = |value: &f64| format!("{:.0}", value.ceil()).parse().unwrap_or(u64::MAX);
    Cell::Sparkline(series.values().iter().map(|value| value.as_ref().map(whole)).collect())
}

/// Returns the first of these metrics that the connector has.
fn find_metric<'a>(row: &'a MetricsConnectorRow, suffixes: &[&str]) -> Option<&'a MetricRow> {
    row.metrics.iter().find(|metric| suffixes.contains(&metric.metric))
}

/// Returns running tasks and task limit, such as `1/2`.
fn tasks_cell(row: &MetricsConnectorRow) -> String {
    let most = row.tasks_max.map_or("?".to_owned(), |most| most.to_string());
    format!("{}/{most}", row.tasks_running)
}

/// Returns the name of a metric with the unit that its values are displayed in.
fn metric_label(metric: &MetricRow, unit: &str) -> String {
    match metric.metric {
        "sent_records" | "sent_bytes" => format!("{unit} out/min"),
        "received_records" | "received_bytes" => format!("{unit} in/min"),
        "dead_letter_queue_records" => "Dead letters/min".to_owned(),
        "records_lag_max" => format!("Lag in {}", unit.to_ascii_lowercase()),
        "sink_task_put_batch_max_time_milliseconds" => "Slowest batch in ms".to_owned(),
        other => other.to_owned(),
    }
}

/// Returns the scale for values of a unit up to `largest`.
fn scale_for(unit: MetricUnit, largest: Option<f64>) -> Scale {
    match unit {
        MetricUnit::Bytes => Scale::bytes(largest.unwrap_or(0.0)),
        MetricUnit::Records => Scale::records(largest.unwrap_or(0.0)),
        MetricUnit::Milliseconds | MetricUnit::None => Scale::PLAIN,
    }
}
