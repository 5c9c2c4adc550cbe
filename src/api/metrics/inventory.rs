//! Documented metrics of connectors (docs/reference/metrics.md#connector-metrics). The list of the service is at
//! [`METRIC_DESCRIPTORS`](super::METRIC_DESCRIPTORS); it may omit metrics that the key can query.

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Number of events in a minute; aggregated over time by sum.
    Count,
    /// Value at a point in time; aggregated over time by average.
    Gauge,
    /// Always 1; a label carries the information.
    State,
}

/// Unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// Records; `1` on the wire.
    Records,
    /// Bytes; `By` on the wire.
    Bytes,
    /// Milliseconds; `ms` on the wire.
    Milliseconds,
    /// No unit: a state.
    None,
}

impl MetricUnit {
    /// Returns the unit in API responses (Unified Code for Units of Measure).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Records | Self::None => "1",
            Self::Bytes => "By",
            Self::Milliseconds => "ms",
        }
    }
}

/// Connector types that have a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricDirection {
    /// Source connectors.
    Source,
    /// Sink connectors.
    Sink,
    /// Source and sink connectors.
    Both,
}

impl MetricDirection {
    /// Returns whether connectors of the type `source` or `sink` have the metric.
    #[must_use]
    pub fn includes_type(self, connector_type: &str) -> bool {
        match self {
            Self::Source => !connector_type.eq_ignore_ascii_case("sink"),
            Self::Sink => !connector_type.eq_ignore_ascii_case("source"),
            Self::Both => true,
        }
    }
}

/// Metric of connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name after the prefix `io.confluent.kafka.connect/`.
    pub suffix: &'static str,
    /// Short description.
    pub description: &'static str,
    /// Kind of the metric.
    pub kind: MetricKind,
    /// Unit of the metric.
    pub unit: MetricUnit,
    /// Connector types that have the metric.
    pub direction: MetricDirection,
}

/// Common prefix of the names of connector metrics.
pub const PREFIX: &str = "io.confluent.kafka.connect/";
/// Common prefix of the Prometheus names of connector metrics.
pub const EXPORT_PREFIX: &str = "confluent_kafka_connect_";

impl Metric {
    /// Returns the name in queries.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.suffix)
    }

    /// Returns the name in exports.
    #[must_use]
    pub fn export_name(&self) -> String {
        format!("{EXPORT_PREFIX}{}", self.suffix)
    }

    /// Returns the metric with this suffix.
    #[must_use]
    pub fn by_suffix(suffix: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.suffix == suffix)
    }
}

const fn metric(
    suffix: &'static str,
    about: &'static str,
    reading: MetricKind,
    unit: MetricUnit,
    direction: MetricDirection,
) -> Metric {
    Metric {
        suffix,
        description: about,
        kind: reading,
        unit,
        direction,
    }
}

/// Metrics of all connectors, of all sources or of all sinks.
pub const METRICS: &[Metric] = &[
    metric(
        "sent_records",
        "records written to Kafka",
        MetricKind::Count,
        MetricUnit::Records,
        MetricDirection::Source,
    ),
    metric(
        "sent_bytes",
        "bytes written to Kafka",
        MetricKind::Count,
        MetricUnit::Bytes,
        MetricDirection::Source,
    ),
    metric(
        "received_records",
        "records read from Kafka",
        MetricKind::Count,
        MetricUnit::Records,
        MetricDirection::Sink,
    ),
    metric(
        "received_bytes",
        "bytes read from Kafka",
        MetricKind::Count,
        MetricUnit::Bytes,
        MetricDirection::Sink,
    ),
    metric(
        "dead_letter_queue_records",
        "records written to the dead letter queue",
        MetricKind::Count,
        MetricUnit::Records,
        MetricDirection::Sink,
    ),
    metric(
        "records_lag_max",
        "largest lag of a partition, in records",
        MetricKind::Gauge,
        MetricUnit::Records,
        MetricDirection::Sink,
    ),
    metric(
        "connector_status",
        "state of the connector",
        MetricKind::State,
        MetricUnit::None,
        MetricDirection::Both,
    ),
    metric(
        "connector_task_status",
        "state of each task",
        MetricKind::State,
        MetricUnit::None,
        MetricDirection::Both,
    ),
    metric(
        "connector_task_batch_size_avg",
        "average number of records in a batch",
        MetricKind::Gauge,
        MetricUnit::Records,
        MetricDirection::Both,
    ),
    metric(
        "sink_task_put_batch_max_time_milliseconds",
        "longest time to write a batch to the external system",
        MetricKind::Gauge,
        MetricUnit::Milliseconds,
        MetricDirection::Sink,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    // Source: docs/reference/metrics.md#connector-metrics. Suffix, connector types, unit.
    #[test]
    fn the_metrics_are_those_of_the_reference() {
        for (suffix, direction, unit) in [
            ("sent_records", MetricDirection::Source, "1"),
            ("sent_bytes", MetricDirection::Source, "By"),
            ("received_records", MetricDirection::Sink, "1"),
            ("received_bytes", MetricDirection::Sink, "By"),
            ("dead_letter_queue_records", MetricDirection::Sink, "1"),
            ("records_lag_max", MetricDirection::Sink, "1"),
            ("connector_status", MetricDirection::Both, "1"),
            ("connector_task_status", MetricDirection::Both, "1"),
            ("connector_task_batch_size_avg", MetricDirection::Both, "1"),
            ("sink_task_put_batch_max_time_milliseconds", MetricDirection::Sink, "ms"),
        ] {
            let metric = Metric::by_suffix(suffix).unwrap();
            assert_eq!((metric.direction, metric.unit.code()), (direction, unit), "{suffix}");
        }
        let lag = Metric::by_suffix("records_lag_max").unwrap();
        assert_eq!(lag.name(), "io.confluent.kafka.connect/records_lag_max");
        assert_eq!(lag.export_name(), "confluent_kafka_connect_records_lag_max");
        assert!(!lag.direction.includes_type("source") && lag.direction.includes_type("Sink"));
        // A connector of an unknown type may have both source and sink metrics.
        assert!(lag.direction.includes_type("unknown") && MetricDirection::Source.includes_type("unknown"));
    }
}
