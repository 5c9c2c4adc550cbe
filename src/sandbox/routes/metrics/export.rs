//! Prometheus export: the latest minute of every metric (docs/reference/metrics.md#export).

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use http::{StatusCode, header};

use super::{consume_rate, last_published_minute, readable_connectors, series::metric_values};
use crate::{
    api::metrics::{CONNECTOR_ID, EXPORTS_PER_HOUR, METRICS, Sample},
    sandbox::{
        connector::metrics_sim::minute_start,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

pub(crate) fn export(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    consume_rate(tx)?;
    let ids: Vec<String> = request.query_values(CONNECTOR_ID).map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(ErrorReply::invalid(format!("{CONNECTOR_ID} is required")));
    }
    let connectors = readable_connectors(tx, &ids)?;
    let caller = tx.principal()?.id().to_owned();
    let hour = Duration::from_hours(1);
    for id in &ids {
        if let Err(refusal) = tx.consume_rate(&format!("export {caller} {id}"), EXPORTS_PER_HOUR, hour) {
            return Err(refusal.with_detail(format!(
                "Too many requests have been made for the following resources: connector.id:{id}. Please see the \
                 documentation for current rate limits."
            )));
        }
    }
    let open = request
        .header(header::ACCEPT.as_str())
        .is_some_and(|accept| accept.contains("openmetrics"));
    let only: Vec<&str> = request.query_values("metric").collect();
    let minute = last_published_minute(tx.now) - 1;
    let mut text = String::new();
    for metric in METRICS {
        let name = metric.export_name();
        if !only.is_empty() && !only.contains(&name.as_str()) && !only.contains(&metric.name().as_str()) {
            continue;
        }
        let mut samples = String::new();
        for connector in &connectors {
            for (labels, at, value) in metric_values(tx, connector, metric, minute, minute + 1) {
                let mut exported: BTreeMap<String, String> = labels
                    .into_iter()
                    .map(|(label, value)| (export_label(label), value))
                    .collect();
                exported.insert("connector_name".to_owned(), connector.connector.name.clone());
                let at = minute_start(at).as_second();
                let stamp = if open { format!("{at}.000") } else { format!("{at}000") };
                let sample = Sample {
                    name: name.clone(),
                    labels: exported,
                    value,
                    at: None,
                };
                sample.write(&mut samples, &stamp);
            }
        }
        if !samples.is_empty() {
            // Writing into a `String` cannot fail.
            let _ = write!(
                text,
                "# HELP {name} {}\n# TYPE {name} gauge\n{samples}",
                metric.description
            );
        }
    }
    let kind = match open {
        true => {
            text.push_str("# EOF\n");
            "application/openmetrics-text;version=1.0.0;charset=utf-8"
        }
        false => "text/plain;version=0.0.4",
    };
    Ok(Reply::with_text(StatusCode::OK, kind, text))
}

/// Returns the Prometheus label: `resource.connector.id` becomes `connector_id`.
fn export_label(label: &str) -> String {
    let bare = label
        .strip_prefix("resource.")
        .or_else(|| label.strip_prefix("metric."));
    bare.unwrap_or(label).replace('.', "_")
}
