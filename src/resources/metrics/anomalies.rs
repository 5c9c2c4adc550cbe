//! Anomalies of connectors that metrics show but the state does not, for example running without moving records
//! (docs/reference/metrics.md#signs-of-trouble).

use super::{ConnectorMetrics, series::MetricSeries};
use crate::model::ConnectorState;

/// Minutes of growing lag that count as stalled.
const STALLED_MINUTES: f64 = 5.0;
/// Minutes without a record that count as silent.
const SILENT_MINUTES: f64 = 15.0;
/// Kafka's default of `max.poll.interval.ms`, after which it revokes the partitions of a task.
const MAX_POLL_MILLISECONDS: f64 = 300_000.0;
/// Share of this interval that counts as slow.
const SLOW_SHARE: f64 = 0.8;
/// Minutes that are checked for state changes.
const FLAPPING_MINUTES: f64 = 60.0;
/// Number of state changes that count as flapping: more than one failure or recovery.
const FLAPPING_CHANGES: usize = 2;

/// Anomaly of a connector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Anomaly {
    /// A running sink reads nothing while its lag grows.
    Stalled {
        /// Duration.
        minutes: f64,
        /// Lag of the partition with the largest lag.
        lag: f64,
    },
    /// A running source has sent nothing.
    Silent {
        /// Duration.
        minutes: f64,
    },
    /// Records went to the dead letter queue.
    DeadLetters {
        /// Number of records.
        records: f64,
        /// Number of records read, if known.
        total: Option<f64>,
    },
    /// The external system takes nearly as long as Kafka's limit.
    SlowTarget {
        /// Longest duration.
        milliseconds: f64,
    },
    /// The state changes repeatedly.
    Flapping {
        /// Number of changes within the last hour.
        changes: usize,
    },
}

impl Anomaly {
    /// Returns the name in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Stalled { .. } => "stalled",
            Self::Silent { .. } => "silent",
            Self::DeadLetters { .. } => "dead_letters",
            Self::SlowTarget { .. } => "slow_target",
            Self::Flapping { .. } => "flapping",
        }
    }

    /// Returns the predicate of a sentence about the connector.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Stalled { minutes, lag } => format!(
                "has read nothing for {minutes:.0} min while running, and its lag has grown to {lag:.0} records"
            ),
            Self::Silent { minutes } => format!("has sent no record for {minutes:.0} min while running"),
            Self::DeadLetters {
                records,
                total: Some(of),
            } if *of > 0.0 => format!(
                "has put {records:.0} of {of:.0} records into its dead letter queue ({})",
                percent(*records / *of)
            ),
            Self::DeadLetters { records, .. } => {
                format!("has put {records:.0} records into its dead letter queue")
            }
            Self::SlowTarget { milliseconds } => format!(
                "needed {:.0} s to write a batch; after 300 s Kafka revokes its partitions",
                milliseconds / 1_000.0
            ),
            Self::Flapping { changes } => format!("has changed its state {changes} times within the last hour"),
        }
    }

    /// Returns a suggestion.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Stalled { .. } => "Check its logs for the reason, then restart it.",
            Self::Silent { .. } => "Check whether the source has new data; if so, check its logs, then its offsets.",
            Self::DeadLetters { .. } => "Check the headers of the records in the dead letter queue for the reasons.",
            Self::SlowTarget { .. } => "Reduce the batch size, or speed up the external system.",
            Self::Flapping { .. } => "Check the errors in its logs: it fails again after each restart.",
        }
    }
}

fn percent(part: f64) -> String {
    match part * 100.0 {
        little if little < 0.1 => "less than 0.1 %".to_owned(),
        some => format!("{some:.1} %"),
    }
}

/// Finds the anomalies of a connector. `state` is its current state in the Connect API.
#[must_use]
pub fn find_anomalies(metrics: &ConnectorMetrics, state: &ConnectorState) -> Vec<Anomaly> {
    let mut anomalies = Vec::new();
    if state.is_running() {
        let lag = metrics.metric_series("records_lag_max");
        let read = metrics.metric_series("received_records");
        if let (Some(lag), Some(read)) = (lag, read) {
            anomalies.extend(find_stalled(metrics, lag, read));
        }
        let silent = metrics
            .metric_series("sent_records")
            .map(|sent| silent_minutes(metrics, sent));
        anomalies.extend(
            silent
                .filter(|minutes| *minutes >= SILENT_MINUTES)
                .map(|minutes| Anomaly::Silent { minutes }),
        );
    }
    let dead = metrics
        .metric_series("dead_letter_queue_records")
        .and_then(MetricSeries::total);
    anomalies.extend(
        dead.filter(|records| *records > 0.0)
            .map(|records| Anomaly::DeadLetters {
                records,
                total: metrics.metric_series("received_records").and_then(MetricSeries::total),
            }),
    );
    let slowest = metrics
        .metric_series("sink_task_put_batch_max_time_milliseconds")
        .and_then(MetricSeries::peak);
    let slow = slowest.filter(|milliseconds| *milliseconds >= SLOW_SHARE * MAX_POLL_MILLISECONDS);
    anomalies.extend(slow.map(|milliseconds| Anomaly::SlowTarget { milliseconds }));
    let buckets = metrics.states.buckets();
    let mut minutes = 0.0;
    let recent = (0..buckets.count()).rev().take_while(|bucket| {
        minutes += buckets.bucket_minutes(*bucket);
        minutes <= FLAPPING_MINUTES
    });
    let changes = metrics.states.count_changes(recent.count());
    anomalies.extend((changes >= FLAPPING_CHANGES).then_some(Anomaly::Flapping { changes }));
    anomalies
}

/// Returns for how many minutes the connector has been running without a record. A bucket without a value counts if the
/// state is known, because the service omits zero counts.
fn silent_minutes(metrics: &ConnectorMetrics, records: &MetricSeries) -> f64 {
    let buckets = records.buckets();
    let silent = |bucket: &usize| {
        let runs = metrics.states.at(*bucket).is_some_and(ConnectorState::is_running);
        runs && records.values()[*bucket].is_none_or(|records| records <= 0.0)
    };
    (0..buckets.count())
        .rev()
        .take_while(silent)
        .map(|bucket| buckets.bucket_minutes(bucket))
        .sum()
}

fn find_stalled(metrics: &ConnectorMetrics, lag: &MetricSeries, read: &MetricSeries) -> Option<Anomaly> {
    let buckets = lag.buckets();
    let silent = silent_minutes(metrics, read);
    let (mut minutes, mut taken) = (0.0, 0);
    let mut later: Option<f64> = None;
    // Walk back from the end as long as earlier values are smaller.
    for bucket in (0..buckets.count()).rev() {
        let Some(value) = lag.values()[bucket] else { break };
        if later.is_some_and(|later| value >= later) || minutes >= silent {
            break;
        }
        later = Some(value);
        minutes += buckets.bucket_minutes(bucket);
        taken += 1;
    }
    // A single bucket may be long enough but cannot show growth.
    let last = lag.last().filter(|_| minutes >= STALLED_MINUTES && taken >= 2)?;
    Some(Anomaly::Stalled { minutes, lag: last })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::metrics::Point,
        resources::metrics::{StateSeries, TimeBuckets},
    };

    const MINUTES: usize = 60;

    fn moment(minute: usize) -> Timestamp {
        let start: Timestamp = "2026-08-20T08:00:00Z".parse().unwrap();
        start + std::time::Duration::from_secs(60 * minute as u64)
    }

    fn time_buckets() -> TimeBuckets {
        TimeBuckets::for_range(moment(0), moment(MINUTES), moment(MINUTES + 10)).unwrap()
    }

    fn points(values: &[(usize, f64)]) -> Vec<Point> {
        let point = |(minute, value): &(usize, f64)| Point {
            timestamp: moment(*minute),
            value: *value,
        };
        values.iter().map(point).collect()
    }

    type Values = Vec<(usize, f64)>;

    fn always(value: f64) -> Values {
        (0..MINUTES).map(|minute| (minute, value)).collect()
    }

    /// Returns metrics of a connector that is always running unless `states` is given.
    fn connector_metrics(curves: &[(&'static str, Values)], states: &[(&str, Values)]) -> ConnectorMetrics {
        let series = |(suffix, values): &(&'static str, Values)| {
            let mut series = MetricSeries::unknown(time_buckets());
            series.add(&points(values));
            (*suffix, series)
        };
        let mut state_series = StateSeries::unknown(time_buckets());
        if states.is_empty() {
            state_series.add(&ConnectorState::Running, &points(&always(1.0)));
        }
        for (state, minutes) in states {
            state_series.add(&(*state).into(), &points(minutes));
        }
        ConnectorMetrics {
            series: curves.iter().map(series).collect(),
            states: state_series,
            tasks: BTreeMap::new(),
        }
    }

    fn anomalies(curves: &[(&'static str, Values)]) -> Vec<Anomaly> {
        find_anomalies(&connector_metrics(curves, &[]), &ConnectorState::Running)
    }

    /// Returns lag that begins to grow at `from`.
    fn growing(from: usize) -> Values {
        let value = |minute: usize| 10.0 + 100.0 * f64::from(u32::try_from(minute.saturating_sub(from)).unwrap());
        (0..MINUTES).map(|minute| (minute, value(minute))).collect()
    }

    // A bucket of 15 min is long enough, but a single value shows no growth.
    #[test]
    fn one_long_bucket_without_lag_is_no_anomaly() {
        let day = 24 * 60;
        let buckets = TimeBuckets::for_range(moment(0), moment(2 * day), moment(2 * day + 10)).unwrap();
        assert!(
            buckets.bucket_minutes(0) >= STALLED_MINUTES,
            "{}",
            buckets.bucket_minutes(0)
        );
        let mut lag = MetricSeries::unknown(buckets);
        let quarters: Vec<(usize, f64)> = (0..2 * day).step_by(15).map(|minute| (minute, 0.0)).collect();
        lag.add(&points(&quarters));
        let mut states = StateSeries::unknown(buckets);
        let runs: Vec<(usize, f64)> = quarters.iter().map(|(minute, _)| (*minute, 1.0)).collect();
        states.add(&ConnectorState::Running, &points(&runs));
        let curves = BTreeMap::from([
            ("records_lag_max", lag),
            ("received_records", MetricSeries::unknown(buckets)),
        ]);
        let idle = ConnectorMetrics {
            series: curves,
            states,
            tasks: BTreeMap::new(),
        };
        assert_eq!(find_anomalies(&idle, &ConnectorState::Running), []);
    }

    // Lag grows while nothing is read and the state is RUNNING (docs/reference/metrics.md#signs-of-trouble).
    #[test]
    fn a_sink_that_reads_nothing_while_its_lag_grows_is_stalled() {
        let until = |end: usize| -> Values { (0..end).map(|minute| (minute, 600.0)).collect() };
        let stalled = |read: Values, lag: Values| anomalies(&[("received_records", read), ("records_lag_max", lag)]);
        assert_eq!(
            stalled(until(50), growing(49)),
            [Anomaly::Stalled {
                minutes: 10.0,
                lag: 1_010.0
            }]
        );
        // Not stalled: it reads too slowly, there is nothing to read, or it has just stopped reading.
        assert_eq!(stalled(always(600.0), growing(10)), []);
        assert_eq!(stalled(until(50), always(0.0)), []);
        assert_eq!(stalled(until(56), growing(55)), []);
        // Reported zeros are equivalent to omitted values.
        let mut zeros = until(50);
        zeros.extend((50..MINUTES).map(|minute| (minute, 0.0)));
        assert!(matches!(stalled(zeros, growing(49))[..], [Anomaly::Stalled { .. }]));
        // A paused or failed connector is not stalled.
        let paused = connector_metrics(
            &[("received_records", until(50)), ("records_lag_max", growing(49))],
            &[],
        );
        assert_eq!(find_anomalies(&paused, &ConnectorState::Paused), []);
    }

    #[test]
    fn a_source_that_runs_and_sends_nothing_is_silent() {
        let sent: Values = (0..40).map(|minute| (minute, 600.0)).collect();
        assert_eq!(
            anomalies(&[("sent_records", sent.clone())]),
            [Anomaly::Silent { minutes: 20.0 }]
        );
        let sent_until: Values = (0..50).map(|minute| (minute, 600.0)).collect();
        assert_eq!(anomalies(&[("sent_records", sent_until)]), []);
        // Unknown minutes do not count: the connector may not have existed.
        let new = connector_metrics(
            &[("sent_records", Vec::new())],
            &[("RUNNING", vec![(58, 1.0), (59, 1.0)])],
        );
        assert_eq!(find_anomalies(&new, &ConnectorState::Running), []);
        let unknown = connector_metrics(&[("sent_records", Vec::new())], &[("RUNNING", Vec::new())]);
        assert_eq!(find_anomalies(&unknown, &ConnectorState::Running), []);
    }

    #[test]
    fn dead_letters_and_slow_targets_are_reported() {
        let one = |suffix, value| anomalies(&[(suffix, vec![(7, value)])]);
        let dead = anomalies(&[
            ("dead_letter_queue_records", vec![(7, 2.0), (9, 1.0)]),
            ("received_records", always(100.0)),
        ]);
        let total = Some(6_000.0);
        assert_eq!(dead, [Anomaly::DeadLetters { records: 3.0, total }]);
        assert_eq!(
            dead[0].description(),
            "has put 3 of 6000 records into its dead letter queue (less than 0.1 %)"
        );
        assert_eq!(one("dead_letter_queue_records", 0.0), []);
        // Kafka's limit is 300 s (docs/reference/metrics.md#signs-of-trouble).
        let slow = one("sink_task_put_batch_max_time_milliseconds", 250_000.0);
        assert_eq!(
            slow,
            [Anomaly::SlowTarget {
                milliseconds: 250_000.0
            }]
        );
        assert_eq!(one("sink_task_put_batch_max_time_milliseconds", 20_000.0), []);
    }

    #[test]
    fn a_state_that_changes_repeatedly_is_flapping() {
        let every = |third: usize| -> Values {
            let minutes = (0..MINUTES).filter(|minute| minute / 10 % 2 == third);
            minutes.map(|minute| (minute, 1.0)).collect()
        };
        let to_and_fro = connector_metrics(&[], &[("RUNNING", every(0)), ("FAILED", every(1))]);
        assert_eq!(
            find_anomalies(&to_and_fro, &ConnectorState::Failed),
            [Anomaly::Flapping { changes: 5 }]
        );
        let paused = connector_metrics(&[], &[("RUNNING", every(0)), ("PAUSED", every(1))]);
        assert_eq!(find_anomalies(&paused, &ConnectorState::Running), []);
    }

    proptest! {
        #[test]
        fn a_connector_with_a_recent_record_is_neither_stalled_nor_silent(
            lag in proptest::collection::vec(0.0_f64..1e9, MINUTES),
            read in 1.0_f64..1e9,
        ) {
            let lag: Values = lag.into_iter().enumerate().collect();
            let last = vec![(MINUTES - 1, read)];
            let found = anomalies(&[("received_records", last.clone()), ("records_lag_max", lag), ("sent_records", last)]);
            prop_assert_eq!(found, []);
        }
    }
}
