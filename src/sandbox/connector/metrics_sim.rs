//! Simulated connector metrics per minute. The values are random but reproducible, and consistent with the history of
//! the connector (docs/reference/metrics.md#connector-metrics).

use std::time::Duration;

use jiff::Timestamp;

use super::{history::HistoryInterval, lifecycle::LifecycleState};
use crate::{model::ConnectorState, sandbox::crypt::IdGenerator};

/// Metrics of a connector in one minute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MinuteMetrics {
    /// Number of minutes since 1970.
    pub(crate) number: i64,
    /// Records that a source wrote or a sink read.
    pub(crate) records: f64,
    pub(crate) bytes: f64,
    pub(crate) dead_letters: f64,
    /// Maximum lag of all partitions.
    pub(crate) lag: f64,
    pub(crate) batch: f64,
    pub(crate) put_milliseconds: f64,
    pub(crate) state: LifecycleState,
    /// State of each task; empty before tasks start.
    pub(crate) tasks: Vec<ConnectorState>,
}

/// Simulator for the metrics of one connector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricsSimulator<'a> {
    pub(crate) ids: IdGenerator,
    pub(crate) id: &'a str,
    pub(crate) sink: bool,
    /// Maximum number of bytes per second by client quotas.
    pub(crate) byte_limit: Option<f64>,
}

/// Seconds per minute.
const MINUTE_SECONDS: i64 = 60;
/// Average number of records per minute: ten per second, the rate at which offsets advance (`offsets`).
const MEAN_RECORDS: f64 = 600.0;
/// Ratio of the rate at which a sink works off its lag to the rate of new records.
const CATCH_UP_FACTOR: f64 = 3.0;
/// Default number of partitions of a topic.
const PARTITIONS: f64 = 6.0;

/// Returns the number of the minute that contains a moment.
pub(crate) fn minute_number(moment: Timestamp) -> i64 {
    moment.as_second().div_euclid(MINUTE_SECONDS)
}

/// Returns the start of a minute.
pub(crate) fn minute_start(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * MINUTE_SECONDS).unwrap_or(Timestamp::MAX)
}

impl MetricsSimulator<'_> {
    fn draw(&self, what: &str, minute: i64, below: u64) -> f64 {
        let drawn = self.ids.draw_below(&[what, self.id, &minute.to_string()], below);
        f64::from(u32::try_from(drawn).unwrap_or(0))
    }

    /// Returns the records per minute with all tasks running: fewer at night, with some noise.
    pub(crate) fn records_per_minute(&self, minute: i64) -> f64 {
        let of_day = f64::from(i32::try_from(minute.rem_euclid(24 * 60)).unwrap_or(0)) / (24.0 * 60.0);
        let wave = 1.0 + 0.35 * (std::f64::consts::TAU * (of_day - 0.3)).sin();
        let noise = 0.9 + self.draw("pace", minute, 200) / 1_000.0;
        (MEAN_RECORDS * wave * noise).round()
    }

    /// Returns the minutes from `from` until `to`, exclusive, that intervals cover.
    pub(crate) fn minutes(&self, intervals: &[HistoryInterval<'_>], from: i64, to: i64) -> Vec<MinuteMetrics> {
        let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else {
            return Vec::new();
        };
        let size = 200.0 + self.draw("size", 0, 700);
        let mut behind = 0.0_f64;
        let mut minutes = Vec::new();
        let mut at = 0;
        for number in minute_number(first.from)..to.min(minute_number(last.to) + 1) {
            let (begin, end) = (minute_start(number), minute_start(number + 1));
            while at + 1 < intervals.len() && intervals[at].to <= begin {
                at += 1;
            }
            let here = || intervals[at..].iter().take_while(|interval| interval.from < end);
            let Some(latest) = here().last() else { continue };
            let share: f64 = here().map(|interval| active_share(interval, begin, end)).sum();
            let pace = self.records_per_minute(number);
            // Unread records accumulate and are worked off later.
            let limit = self.byte_limit.map_or(f64::MAX, |bytes| bytes * 60.0 / size);
            let room = (pace * share * CATCH_UP_FACTOR).min(limit);
            let waiting = behind + if number == minute_number(first.from) { 0.0 } else { pace };
            let read = waiting.min(room);
            behind = waiting - read;
            if number < from {
                continue;
            }
            let records = if self.sink { read } else { (pace * share).min(limit) }.round();
            let idle = records < 1.0;
            let dead = !idle && self.draw("dead", number, 180) < 1.0;
            minutes.push(MinuteMetrics {
                number,
                records,
                bytes: (records * size).round(),
                dead_letters: if dead {
                    1.0 + self.draw("dead letters", number, 3)
                } else {
                    0.0
                },
                lag: (behind / PARTITIONS).round() + if idle { 0.0 } else { self.draw("lag", number, 40) },
                batch: if idle {
                    0.0
                } else {
                    80.0 + self.draw("batch", number, 40)
                },
                put_milliseconds: if idle {
                    0.0
                } else {
                    20.0 + self.draw("put", number, 180)
                },
                state: latest.state,
                tasks: task_states(latest),
            });
        }
        minutes
    }
}

/// Returns the part of a minute's work that is done in an interval.
fn active_share(interval: &HistoryInterval<'_>, begin: Timestamp, end: Timestamp) -> f64 {
    let seconds = |from: Timestamp, to: Timestamp| {
        Duration::try_from(to.duration_since(from)).map_or(0.0, |duration| duration.as_secs_f64())
    };
    let overlap = seconds(interval.from.max(begin), interval.to.min(end));
    let tasks = f64::from(interval.phase.tasks.max(1));
    overlap / seconds(begin, end) * f64::from(interval.running_tasks()) / tasks
}

/// Returns the states of the tasks in an interval, in the notation of dashboards.
fn task_states(interval: &HistoryInterval<'_>) -> Vec<ConnectorState> {
    let all = interval.phase.tasks;
    let started = interval.tasks_ran_before || interval.starts_tasks;
    (0..all)
        .filter_map(|task| {
            Some(match interval.state {
                LifecycleState::Running => ConnectorState::Running,
                LifecycleState::Degraded if task > 0 => ConnectorState::Running,
                LifecycleState::Failed if interval.runs_previous_config() => ConnectorState::Running,
                LifecycleState::Degraded | LifecycleState::Failed if started => ConnectorState::Failed,
                LifecycleState::Paused => ConnectorState::Paused,
                LifecycleState::Restarting => ConnectorState::Restarting,
                _ => return None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::sandbox::connector::{
        history::HistoryPhase,
        lifecycle::{ConnectorAction, ConnectorRun},
    };

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn phase() -> HistoryPhase {
        HistoryPhase {
            from: start(),
            run: ConnectorRun::created(start()),
            class: "S3_SINK".into(),
            tasks: 2,
            topic: "claims-orders".into(),
            fault: None,
        }
    }

    fn interval(phase: &HistoryPhase, from: i64, to: i64, state: LifecycleState) -> HistoryInterval<'_> {
        HistoryInterval {
            from: start() + from.minutes(),
            to: start() + to.minutes(),
            state,
            phase,
            starts_tasks: false,
            stops_tasks: false,
            tasks_ran_before: true,
        }
    }

    #[test]
    fn a_paused_sink_builds_up_lag_and_catches_up_after_resuming() {
        let simulator = MetricsSimulator {
            ids: IdGenerator::new(1),
            id: "lcc-1",
            sink: true,
            byte_limit: None,
        };
        let (running, mut paused) = (phase(), phase());
        paused.run.action = ConnectorAction::Paused;
        let intervals = [
            interval(&running, 0, 30, LifecycleState::Running),
            interval(&paused, 30, 60, LifecycleState::Paused),
            interval(&running, 60, 120, LifecycleState::Running),
        ];
        let first = minute_number(start());
        let minutes = simulator.minutes(&intervals, first, first + 120);
        assert_eq!(minutes.len(), 120);
        let (before, during, after) = (&minutes[10..29], &minutes[31..59], &minutes[62..68]);
        assert!(before.iter().all(|minute| minute.records > 300.0 && minute.lag < 40.0));
        assert!(during.iter().all(|minute| minute.records < 1.0 && minute.bytes < 1.0));
        assert!(during.windows(2).all(|two| two[1].lag > two[0].lag), "the lag grows");
        assert!(
            after.iter().all(|minute| minute.records > 1_000.0),
            "the sink catches up: {after:?}"
        );
        assert!(minutes[119].lag < 40.0);
        assert_eq!(
            (minutes[45].state, minutes[45].tasks.as_slice()),
            (
                LifecycleState::Paused,
                [ConnectorState::Paused, ConnectorState::Paused].as_slice()
            )
        );
        // A part of the period has the same values as in the whole period.
        assert_eq!(simulator.minutes(&intervals, first + 50, first + 70), minutes[50..70]);
    }

    #[test]
    fn a_client_quota_limits_bytes_and_a_sink_falls_behind() {
        let running = phase();
        let intervals = [interval(&running, 0, 120, LifecycleState::Running)];
        let first = minute_number(start());
        let minutes = |sink, byte_limit| {
            let simulator = MetricsSimulator {
                ids: IdGenerator::new(1),
                id: "lcc-1",
                sink,
                byte_limit,
            };
            simulator.minutes(&intervals, first, first + 120)
        };
        for sink in [true, false] {
            let (free, limited) = (minutes(sink, None), minutes(sink, Some(1_000.0)));
            assert!(free[10..119].iter().all(|minute| minute.bytes > 65_000.0));
            // Whole records, so that a minute may exceed the limit by half of one.
            assert!(limited.iter().all(|minute| minute.bytes <= 60_000.0 + 450.0));
            assert!(!sink || limited[119].lag > free[119].lag + 100.0);
        }
    }

    #[test]
    fn the_record_rate_varies_over_the_day() {
        let simulator = MetricsSimulator {
            ids: IdGenerator::new(1),
            id: "lcc-1",
            sink: false,
            byte_limit: None,
        };
        let day: Vec<f64> = (0..24 * 60)
            .map(|minute| simulator.records_per_minute(minute))
            .collect();
        let (most, least) = (
            day.iter().copied().fold(0.0, f64::max),
            day.iter().copied().fold(f64::MAX, f64::min),
        );
        assert!(most > 700.0 && least < 500.0 && least > 100.0, "{least} to {most}");
    }
}
