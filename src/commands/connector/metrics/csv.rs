//! Metrics as CSV.

use jiff::Timestamp;

use crate::{connectors::metrics::MetricsConnectorRow, render::to_csv};

/// Returns one CSV line per value.
pub(super) fn render_csv(connectors: &[MetricsConnectorRow]) -> String {
    let header = ["connector", "id", "metric", "unit", "timestamp", "value"];
    let mut rows = Vec::new();
    for row in connectors {
        let line = |metric: &str, unit: &str, timestamp: Timestamp, value: f64| {
            let fields = [row.name.as_str(), &row.id, metric, unit];
            let mut fields: Vec<String> = fields.map(str::to_owned).into();
            fields.extend([timestamp.to_string(), value.to_string()]);
            fields
        };
        for metric in &row.metrics {
            let points = metric.points.iter();
            rows.extend(points.map(|point| line(metric.metric, metric.unit, point.timestamp, point.value)));
        }
        let running = row.running_tasks.points();
        rows.extend(running.map(|point| line("tasks_running", "1", point.timestamp, point.value)));
    }
    to_csv(&header, rows)
}
