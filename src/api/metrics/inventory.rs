//! The metrics of connectors, as far as sources name them (docs/reference/metrics.md#connector-metrics). A cache: the
//! service's own list is at [`METRIC_DESCRIPTORS`](super::METRIC_DESCRIPTORS), and may leave out what the key may query
//! all the same.

/// How a value is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// What happened within a minute; summed over time.
    Count,
    /// How it was at a moment; averaged over time.
    Gauge,
    /// Always 1: what matters is in a label.
    State,
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// Records; `1` on the wire.
    Records,
    /// Bytes; `By` on the wire.
    Bytes,
    /// Milliseconds; `ms` on the wire.
    Milliseconds,
    /// Nothing: a state.
    None,
}

impl MetricUnit {
    /// The unit on the wire (The Unified Code for Units of Measure).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Records | Self::None => "1",
            Self::Bytes => "By",
            Self::Milliseconds => "ms",
        }
    }
}

/// Which connectors have a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricDirection {
    /// Sources.
    Source,
    /// Sinks.
    Sink,
    /// Both.
    Both,
}

impl MetricDirection {
    /// Whether connectors of the type `source` or `sink` have it.
    #[must_use]
    pub fn includes_type(self, connector_type: &str) -> bool {
        match self {
            Self::Source => !connector_type.eq_ignore_ascii_case("sink"),
            Self::Sink => !connector_type.eq_ignore_ascii_case("source"),
            Self::Both => true,
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What follows after `io.confluent.kafka.connect/`.
    pub suffix: &'static str,
    /// What it is, in a few words.
    pub description: &'static str,
    /// How it is read.
    pub kind: MetricKind,
    /// What it counts.
    pub unit: MetricUnit,
    /// Who has it.
    pub direction: MetricDirection,
}

/// What stands before the name of every metric of a connector.
pub const PREFIX: &str = "io.confluent.kafka.connect/";
/// The same for Prometheus.
pub const EXPORT_PREFIX: &str = "confluent_kafka_connect_";

impl Metric {
    /// The name in queries.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.suffix)
    }

    /// The name in exports.
    #[must_use]
    pub fn export_name(&self) -> String {
        format!("{EXPORT_PREFIX}{}", self.suffix)
    }

    /// The metric of that suffix.
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

/// Every metric that all connectors, all sources or all sinks have.
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
        "records behind, in the partition that is furthest behind",
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
        "records in a batch, on average",
        MetricKind::Gauge,
        MetricUnit::Records,
        MetricDirection::Both,
    ),
    metric(
        "sink_task_put_batch_max_time_milliseconds",
        "longest time to hand a batch to the other system",
        MetricKind::Gauge,
        MetricUnit::Milliseconds,
        MetricDirection::Sink,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    // Source: docs/reference/metrics.md#connector-metrics, the table: suffix, for, unit.
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
        // A type that nobody knows has both kinds.
        assert!(lag.direction.includes_type("unknown") && MetricDirection::Source.includes_type("unknown"));
    }
}
