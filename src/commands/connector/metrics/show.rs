//! Tables of metrics: one row per metric for a single connector, one row per connector for several.

use super::{
    rows::{ConnectorMetricsOutput, MetricRow, MetricsConnectorRow, StateIntervalRow, scale_for},
    units::Scale,
};
use crate::{
    api::metrics::{MetricKind, MetricUnit},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    resources::metrics::MetricSeries,
};

/// Number of states shown; JSON contains all of them.
const MAX_STATE_INTERVALS: usize = 20;

/// Returns a sparkline in which a positive value is never drawn as zero.
fn sparkline_cell(series: &MetricSeries) -> Cell {
    let whole = |value: &f64| format!("{:.0}", value.ceil()).parse().unwrap_or(u64::MAX);
    Cell::Sparkline(series.values().iter().map(|value| value.as_ref().map(whole)).collect())
}

impl Viewable for ConnectorMetricsOutput {
    fn view(&self) -> Vec<Block> {
        if self.csv {
            return vec![Block::Verbatim(self.to_csv())];
        }
        let mut blocks = match self.connectors.as_slice() {
            [] => return vec![Block::Empty],
            [one] => detail_blocks(one),
            several => vec![Block::Table(overview_table(several))],
        };
        let mut lines = Vec::new();
        for row in &self.connectors {
            if self.connectors.len() > 1 && row.status != "RUNNING" {
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
        let steps = match self.bucket_seconds {
            60 => "by the minute".to_owned(),
            seconds => format!("in steps of {} min (lag: mean of the step)", seconds / 60),
        };
        let again = if self.watched {
            " Refreshed every minute, until Ctrl-C."
        } else {
            ""
        };
        let numbers = match self.connectors.len() {
            1 => "A total covers the whole time.",
            _ => "Records and bytes are means, dead letters a total, lag is the latest value.",
        };
        [
            format!("From {} to {}, {steps}; metrics are about five minutes late.{again}", self.from, self.to),
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
        let scale = metric.scale();
        let number = |value| Cell::Number(scale.text(value));
        let total = match metric.definition.kind {
            MetricKind::Count => number(metric.total),
            MetricKind::Gauge | MetricKind::State => "".into(),
        };
        table.push([
            Cell::Text(metric.label()),
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
        row.tasks_text()
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
    let mut all: Vec<(Option<u32>, &StateIntervalRow)> = own.chain(of_tasks).collect();
    if all.iter().all(|(_, interval)| interval.state == "RUNNING") {
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
        let values = rows.iter().filter_map(|row| value(row.metric(suffixes)?));
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
            row.metric(suffixes)
                .map_or("".into(), |metric| Cell::Number(scale.text(value(metric))))
        };
        table.push([
            Cell::text(&row.name),
            Cell::Text(row.tasks_text()),
            row.metric(&RECORDS)
                .map_or("".into(), |metric| sparkline_cell(&metric.series)),
            number(&RECORDS, records, |metric| metric.mean),
            number(&BYTES, bytes, |metric| metric.mean),
            number(&["dead_letter_queue_records"], Scale::PLAIN, |metric| metric.total),
            number(&["records_lag_max"], Scale::PLAIN, |metric| metric.last),
        ]);
    }
    table
}
