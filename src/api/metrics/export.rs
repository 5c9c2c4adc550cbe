//! Metrics export in Prometheus' text format: the latest value of each metric (docs/reference/metrics.md#export). The
//! sandbox writes it, clients parse it.

use std::{collections::BTreeMap, fmt::Write as _};

use http::Method;
use jiff::Timestamp;

use super::{CONNECTOR_ID, EXPORT};
use crate::api::{Endpoint, RetrySafety};

/// Media type of the export.
pub const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

/// Exports the latest metrics of connectors. The response is a text; see [`parse_export`].
#[derive(Clone, Debug)]
pub struct ExportMetrics {
    /// Ids of the connectors.
    pub connectors: Vec<String>,
}

impl Endpoint for ExportMetrics {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = EXPORT;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    const ACCEPT: &'static str = OPEN_METRICS;
    type Response = String;

    fn query(&self) -> Vec<(&'static str, String)> {
        self.connectors.iter().map(|id| (CONNECTOR_ID, id.clone())).collect()
    }

    fn parse_response(body: &[u8]) -> serde_json::Result<String> {
        Ok(String::from_utf8_lossy(body).into_owned())
    }

    fn subject(&self) -> String {
        "the latest metrics".to_owned()
    }
}

/// Sample of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Prometheus name of the metric.
    pub name: String,
    /// Labels: `connector_id`, `connector_name`, `task`, `status`.
    pub labels: BTreeMap<String, String>,
    /// Value of the sample.
    pub value: f64,
    /// Start of the minute that the value belongs to.
    pub at: Option<Timestamp>,
}

impl Sample {
    /// Writes the sample as one line; `at` is the formatted timestamp.
    pub fn write(&self, out: &mut String, at: &str) {
        let labels: Vec<String> = self
            .labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escape_label(value)))
            .collect();
        // Writing into a `String` cannot fail.
        let _ = writeln!(out, "{}{{{}}} {:.1} {at}", self.name, labels.join(","), self.value);
    }
}

fn escape_label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Parses the samples of an export and skips all other lines.
#[must_use]
pub fn parse_export(text: &str) -> Vec<Sample> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(parse_sample)
        .collect()
}

fn parse_sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    Some(Sample {
        name: name.to_owned(),
        labels,
        value,
        at: words.next().and_then(parse_timestamp),
    })
}

/// Parses a timestamp in seconds, with or without a fraction, or in milliseconds. The documents show seconds; the
/// service was observed to send milliseconds.
fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let number: f64 = text.parse().ok()?;
    let seconds = if number > 1e11 { number / 1_000.0 } else { number };
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since).ok()
}

/// Parses `name="value",…}` and returns the labels and the rest of the line.
fn parse_labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match letters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, letter) => value.push(letter),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = after.get(end..)?;
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Source: docs/reference/metrics.md#export (example).
    #[test]
    fn an_openmetrics_export_is_parsed() {
        let text = "# TYPE confluent_kafka_connect_received_records gauge\n\
            confluent_kafka_connect_received_records{connector_id=\"lcc-8kq2zm\",connector_name=\"fin-orders-s3\"} 1840.0 1787212860000\n\
            confluent_kafka_connect_connector_status{connector_id=\"lcc-8kq2zm\",status=\"RUNNING\"} 1.0 1787212860.000\n#EOF\n";
        let samples = parse_export(text);
        assert_eq!(samples.len(), 2);
        assert!((samples[0].value - 1840.0).abs() < f64::EPSILON);
        assert_eq!(samples[0].labels["connector_name"], "fin-orders-s3");
        assert_eq!(samples[1].labels["status"], "RUNNING");
        let minute = Timestamp::from_second(1_787_212_860).unwrap();
        assert_eq!((samples[0].at, samples[1].at), (Some(minute), Some(minute)));
    }

    proptest! {
        #[test]
        fn written_samples_are_parsed_back(name in "[a-z_]{1,9}", value in any::<String>(), number in 0_u32..9_999) {
            let sample = Sample {
                name,
                labels: [("connector_name".to_owned(), value), ("task".to_owned(), "0".to_owned())].into(),
                value: f64::from(number),
                at: Some(Timestamp::from_second(1_787_212_860).unwrap()),
            };
            let mut text = String::new();
            sample.write(&mut text, "1787212860000");
            // Labels of connectors contain no line breaks other than `\n`.
            if !text.trim_end_matches('\n').contains(['\r', '\n']) {
                prop_assert_eq!(parse_export(&text), vec![sample]);
            }
        }

        #[test]
        fn parsing_an_arbitrary_export_never_panics(text in any::<String>()) {
            prop_assert!(parse_export(&text).len() <= text.lines().count());
        }
    }
}
