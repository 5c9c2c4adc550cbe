//! The metrics of connectors, as far as sources name them (dossier `metrics.md` §2). A cache: the service's own list is at
//! [`METRIC_DESCRIPTORS`](super::METRIC_DESCRIPTORS), and may leave out what the key may query all the same.

/// How a value is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// What happened within a minute; summed over time.
    Count,
    /// How it was at a moment; averaged over time.
    Gauge,
    /// Always 1: what matters is in a label.
    State,
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Records; `1` on the wire.
    Records,
    /// Bytes; `By` on the wire.
    Bytes,
    /// Milliseconds; `ms` on the wire.
    Milliseconds,
    /// Nothing: a state.
    None,
}

impl Unit {
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
pub enum Direction {
    /// Sources.
    Source,
    /// Sinks.
    Sink,
    /// Both.
    Both,
}

impl Direction {
    /// Whether connectors of the type `source` or `sink` have it.
    #[must_use]
    pub fn includes(self, connector_type: &str) -> bool {
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
    pub about: &'static str,
    /// How it is read.
    pub reading: Reading,
    /// What it counts.
    pub unit: Unit,
    /// Who has it.
    pub direction: Direction,
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
    pub fn of(suffix: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.suffix == suffix)
    }
}

const fn metric(
    suffix: &'static str,
    about: &'static str,
    reading: Reading,
    unit: Unit,
    direction: Direction,
) -> Metric {
    Metric {
        suffix,
        about,
        reading,
        unit,
        direction,
    }
}

/// Every metric that all connectors, all sources or all sinks have.
pub const METRICS: &[Metric] = &[
    metric(
        "sent_records",
        "records written to Kafka",
        Reading::Count,
        Unit::Records,
        Direction::Source,
    ),
    metric(
        "sent_bytes",
        "bytes written to Kafka",
        Reading::Count,
        Unit::Bytes,
        Direction::Source,
    ),
    metric(
        "received_records",
        "records read from Kafka",
        Reading::Count,
        Unit::Records,
        Direction::Sink,
    ),
    metric(
        "received_bytes",
        "bytes read from Kafka",
        Reading::Count,
        Unit::Bytes,
        Direction::Sink,
    ),
    metric(
        "dead_letter_queue_records",
        "records written to the dead letter queue",
        Reading::Count,
        Unit::Records,
        Direction::Sink,
    ),
    metric(
        "records_lag_max",
        "records behind, in the partition that is furthest behind",
        Reading::Gauge,
        Unit::Records,
        Direction::Sink,
    ),
    metric(
        "connector_status",
        "state of the connector",
        Reading::State,
        Unit::None,
        Direction::Both,
    ),
    metric(
        "connector_task_status",
        "state of each task",
        Reading::State,
        Unit::None,
        Direction::Both,
    ),
    metric(
        "connector_task_batch_size_avg",
        "records in a batch, on average",
        Reading::Gauge,
        Unit::Records,
        Direction::Both,
    ),
    metric(
        "sink_task_put_batch_max_time_milliseconds",
        "longest time to hand a batch to the other system",
        Reading::Gauge,
        Unit::Milliseconds,
        Direction::Sink,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    // Dossier `metrics.md` §2, the table: suffix, for, unit.
    #[test]
    fn the_list_is_the_dossiers() {
        for (suffix, direction, unit) in [
            ("sent_records", Direction::Source, "1"),
            ("sent_bytes", Direction::Source, "By"),
            ("received_records", Direction::Sink, "1"),
            ("received_bytes", Direction::Sink, "By"),
            ("dead_letter_queue_records", Direction::Sink, "1"),
            ("records_lag_max", Direction::Sink, "1"),
            ("connector_status", Direction::Both, "1"),
            ("connector_task_status", Direction::Both, "1"),
            ("connector_task_batch_size_avg", Direction::Both, "1"),
            ("sink_task_put_batch_max_time_milliseconds", Direction::Sink, "ms"),
        ] {
            let metric = Metric::of(suffix).unwrap();
            assert_eq!((metric.direction, metric.unit.code()), (direction, unit), "{suffix}");
        }
        let lag = Metric::of("records_lag_max").unwrap();
        assert_eq!(lag.name(), "io.confluent.kafka.connect/records_lag_max");
        assert_eq!(lag.export_name(), "confluent_kafka_connect_records_lag_max");
        assert!(!lag.direction.includes("source") && lag.direction.includes("Sink"));
        // A type that nobody knows has both kinds.
        assert!(lag.direction.includes("unknown") && Direction::Source.includes("unknown"));
    }
}
