//! Simulated log lines, generated from the history of a connector. Repeated searches of the same period return the same
//! lines; some lines become visible with a delay (docs/reference/logs.md#log-lines-and-pages).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    history::HistoryInterval,
    lifecycle::LifecycleState,
    messages::task_trace,
    metrics_sim::{MetricsSimulator, minute_number, minute_start},
};
use crate::{
    api::logs::{LogEntry, LogStackTrace},
    sandbox::{crypt::IdGenerator, settings::Timing},
};

/// Simulated log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SimulatedLogLine {
    pub(crate) at: Timestamp,
    /// Sequence number among the lines of the same millisecond.
    pub(crate) number: u32,
    pub(crate) level: &'static str,
    pub(crate) task: Option<u32>,
    pub(crate) message: String,
    pub(crate) trace: Option<String>,
}

/// Generator for the log lines of one connector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogGenerator<'a> {
    pub(crate) ids: IdGenerator,
    pub(crate) timing: Timing,
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

/// Interval at which a connector in a restart loop repeats its error (docs/reference/logs.md#log-lines-and-pages).
const REPEAT_INTERVAL: Duration = Duration::from_mins(5);

/// Log lines within a time window; lines outside of it are dropped.
struct LogWindow<'a> {
    generator: LogGenerator<'a>,
    from: Timestamp,
    to: Timestamp,
    lines: Vec<SimulatedLogLine>,
}

impl LogWindow<'_> {
    fn push(&mut self, at: Timestamp, level: &'static str, task: Option<u32>, message: String, trace: Option<String>) {
        if (self.from..=self.to).contains(&at) {
            self.lines.push(SimulatedLogLine {
                at,
                number: 0,
                level,
                task,
                message,
                trace,
            });
        }
    }

    fn info(&mut self, at: Timestamp, task: u32, message: String) {
        self.push(at, "INFO", Some(task), message, None);
    }

    /// Returns the time of the `step`-th event after `begin`. The events are some time apart, or a millisecond with
    /// instant timing.
    fn step(&self, begin: Timestamp, step: u32) -> Timestamp {
        let apart = match self.generator.timing {
            Timing::Instant => 1,
            _ => 90 + self.generator.ids.draw_below(&["step", self.generator.id], 160),
        };
        let wait = SignedDuration::from_millis(i64::try_from(apart).unwrap_or(1) * i64::from(step));
        begin.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}

impl LogGenerator<'_> {
    /// Returns the lines between two times, both inclusive, in order. Lines that are not visible at `now` are omitted.
    pub(crate) fn lines(
        self,
        intervals: &[HistoryInterval<'_>],
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Vec<SimulatedLogLine> {
        let mut page = LogWindow {
            generator: self,
            from,
            to: to.min(now),
            lines: Vec::new(),
        };
        for interval in intervals {
            // Events at the end of an interval may be logged shortly after it.
            let late = SignedDuration::from_mins(1);
            if interval.from <= to && interval.to.saturating_add(late).unwrap_or(Timestamp::MAX) >= from {
                page.generate(interval);
            }
        }
        let mut lines = page.lines;
        lines.sort_by_key(|line| (line.at, line.task));
        let mut last = None;
        let mut number = 0;
        for line in &mut lines {
            number = if last == Some(line.at) { number + 1 } else { 0 };
            last = Some(line.at);
            line.number = number;
        }
        lines.retain(|line| {
            line.at
                .saturating_add(self.visibility_delay(line))
                .unwrap_or(Timestamp::MAX)
                <= now
        });
        lines
    }

    /// Returns the delay until a search finds a line: a few seconds for most lines, nearly a minute for some.
    fn visibility_delay(self, line: &SimulatedLogLine) -> SignedDuration {
        let (usual, often, late) = match self.timing {
            Timing::Instant => return SignedDuration::ZERO,
            Timing::Real => (4_000, 16, 40_000),
            Timing::Lagging => (20_000, 6, 55_000),
        };
        let which = format!("{} {}", line.at.as_millisecond(), line.number);
        let draw = |what: &str, below| self.ids.draw_below(&[what, self.id, &which], below);
        let most = if draw("late", often) == 0 { late } else { usual };
        SignedDuration::from_millis(i64::try_from(draw("delay", most)).unwrap_or(0))
    }

    /// Converts a line into a log entry of the API.
    pub(crate) fn into_entry(self, line: SimulatedLogLine) -> LogEntry {
        LogEntry {
            timestamp: format!("{:.3}", line.at),
            level: line.level.to_owned(),
            task_id: line.task.map_or_else(String::new, |task| format!("task-{task}")),
            id: self.id.to_owned(),
            message: line.message,
            exception: line.trace.map(|stacktrace| LogStackTrace { stacktrace }),
        }
    }
}

impl LogWindow<'_> {
    fn generate(&mut self, interval: &HistoryInterval<'_>) {
        let id = self.generator.id.to_owned();
        let (tasks, sink) = (interval.phase.tasks, interval.phase.is_sink());
        let kind = if sink { "Sink" } else { "Source" };
        let worker = |task: u32| format!("Worker{kind}Task{{id={id}-{task}}}");
        let mut step = 1;
        let mut next = |page: &Self| {
            step += 1;
            page.step(interval.from, step)
        };
        if interval.stops_tasks {
            for task in 0..tasks {
                let why = match interval.state {
                    LifecycleState::Paused => "the connector is paused",
                    _ => "the connector restarts",
                };
                let at = next(self);
                self.info(at, task, format!("{} Stopped: {why}", worker(task)));
            }
        }
        if interval.starts_tasks {
            let at = next(self);
            let name = self.generator.name;
            let message = format!("Connector {name} ({id}): configuration read, {tasks} tasks to start");
            self.push(at, "INFO", None, message, None);
            for task in 0..tasks {
                for text in startup_messages(&interval.phase.class, sink, &id, task, &interval.phase.topic) {
                    let at = next(self);
                    self.info(at, task, format!("{} {text}", worker(task)));
                }
            }
        }
        if let Some(fault) = &interval.phase.fault
            && matches!(interval.state, LifecycleState::Failed | LifecycleState::Degraded)
            && !interval.runs_previous_config()
            // A connector whose tasks never started logs nothing (docs/reference/logs.md#log-lines-and-pages).
            && (interval.starts_tasks || interval.tasks_ran_before)
        {
            let failing = if interval.state == LifecycleState::Degraded {
                1
            } else {
                tasks
            };
            let mut at = next(self);
            let mut attempt = 0;
            while at < interval.to && at <= self.to {
                for task in 0..failing {
                    let at = self.step(at, task);
                    let message = format!("{} Task threw an uncaught and unrecoverable exception", worker(task));
                    let trace = task_trace(&fault.cause, &id, sink, task);
                    self.push(at, "ERROR", Some(task), message, Some(trace));
                }
                attempt += 1;
                at = at.saturating_add(REPEAT_INTERVAL).unwrap_or(Timestamp::MAX);
                if at < interval.to {
                    let before = at.saturating_sub(Duration::from_secs(2)).unwrap_or(at);
                    let message = format!("Connector {}: restarting tasks after a failure", self.generator.name);
                    self.push(before, "INFO", None, format!("{message} (attempt {attempt})"), None);
                }
            }
        }
        let first = u32::from(interval.state == LifecycleState::Degraded);
        if interval.running_tasks() > 0 {
            for minute in minute_number(self.from.max(interval.from))..=minute_number(self.to.min(interval.to)) {
                for task in first..first + interval.running_tasks() {
                    self.generate_minute(interval, minute, task, sink, &worker(task));
                }
            }
        }
    }

    /// Generates the lines of a running task in one minute.
    fn generate_minute(&mut self, interval: &HistoryInterval<'_>, minute: i64, task: u32, sink: bool, worker: &str) {
        let generator = self.generator;
        let (ids, number, name) = (generator.ids, minute.to_string(), task.to_string());
        let simulator = MetricsSimulator {
            ids,
            id: generator.id,
            sink,
            byte_limit: None,
        };
        let phase = ids.draw_below(&["phase", generator.id, &name], 60_000);
        let jitter = ids.draw_below(&["jitter", generator.id, &name, &number], 400);
        let after = |milliseconds: u64| {
            let wait = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(0));
            minute_start(minute).saturating_add(wait).unwrap_or(Timestamp::MAX)
        };
        let at = after(phase + jitter);
        if !(interval.from..interval.to).contains(&at) {
            return;
        }
        let topic = &interval.phase.topic;
        let records = simulator.records_per_minute(minute) / f64::from(interval.phase.tasks.max(1));
        let text = match sink {
            // Texts from the samples of the Confluent CLI (docs/reference/cli.md#tables).
            false => format!("Committing offsets for {records:.0} acknowledged messages"),
            true => format!("Committing offsets of {topic} after {records:.0} records"),
        };
        self.info(at, task, format!("{worker} {text}"));
        let chance = |what: &str, below| ids.draw_below(&[what, generator.id, &name, &number], below);
        if chance("slow", 43) == 0 {
            let milliseconds = 2_000 + chance("how slow", 6_000);
            let text = format!("{worker} A request took {milliseconds} ms and is retried");
            self.push(after(phase + jitter + 130), "WARN", Some(task), text, None);
        }
        // The consumer group rebalances now and then.
        if sink && chance("balance", 360) == 0 {
            let topic = format!("{topic}-{task}");
            self.info(
                after(phase + jitter + 210),
                task,
                format!("{worker} Partitions revoked: {topic}"),
            );
            self.info(
                after(phase + jitter + 950),
                task,
                format!("{worker} Partitions assigned: {topic}"),
            );
        }
    }
}

/// Returns the messages that a task logs at its start.
fn startup_messages(class: &str, sink: bool, id: &str, task: u32, topic: &str) -> Vec<String> {
    let mut said = vec![format!("Task {id}-{task} of plugin {class} is initialized")];
    let is = |word: &str| class.contains(word);
    match () {
        () if sink => {
            said.push(format!("Joined consumer group connect-{id}"));
            said.push(format!("Partitions assigned: {topic}-{task}"));
            let target = match () {
                () if is("S3") || is("Gcs") || is("Azure") => "Opened a file in the bucket",
                () if is("Http") => "Sending requests to the configured address",
                () if is("Elastic") || is("OpenSearch") => "Connected to the search cluster",
                () => "Connected to the target",
            };
            said.push(target.to_owned());
        }
        () if is("Datagen") => said.push(format!("Generating records for topic {topic}")),
        () if is("Cdc") || is("XStream") => {
            said.push(format!("Snapshot of {topic}: completed"));
            said.push("Streaming changes from the database's log".to_owned());
        }
        () if is("Source") => said.push(format!("Polling for new records, writing to {topic}")),
        () => {}
    }
    said
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::sandbox::connector::{
        history::{HistoryPhase, PhaseFault},
        lifecycle::{ConnectorAction, ConnectorRun, FaultProgression},
    };

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn phase(class: &str, failed: bool) -> HistoryPhase {
        HistoryPhase {
            from: start(),
            run: ConnectorRun {
                action: ConnectorAction::Created,
                since: start(),
                previous_state: LifecycleState::Provisioning,
            },
            class: class.into(),
            tasks: 2,
            topic: "claims-orders".into(),
            fault: failed.then(|| PhaseFault {
                since: start(),
                progression: FaultProgression::Start,
                cause: "org.apache.kafka.common.errors.TopicAuthorizationException: no".into(),
                starts_tasks: true,
                runs_previous_config: false,
            }),
        }
    }

    fn interval(phase: &HistoryPhase, state: LifecycleState) -> HistoryInterval<'_> {
        HistoryInterval {
            from: start(),
            to: start() + 24.hours(),
            state,
            phase,
            starts_tasks: true,
            stops_tasks: false,
            tasks_ran_before: false,
        }
    }

    fn generator(timing: Timing) -> LogGenerator<'static> {
        LogGenerator {
            ids: IdGenerator::new(1),
            timing,
            id: "lcc-1",
            name: "claims-orders",
        }
    }

    // Source: docs/reference/logs.md#log-lines-and-pages. The same exception about every five minutes; `task-<n>`,
    // empty for lines of the connector itself.
    #[test]
    fn a_failed_connector_logs_its_error_repeatedly() {
        let phase = phase("DatagenSource", true);
        let intervals = [interval(&phase, LifecycleState::Failed)];
        let lines = generator(Timing::Instant).lines(&intervals, start(), start() + 16.minutes(), start() + 1.hour());
        let errors: Vec<_> = lines.iter().filter(|line| line.level == "ERROR").collect();
        assert_eq!(errors.len(), 8, "two tasks, at 0, 5, 10 and 15 minutes: {errors:?}");
        let trace = errors[0].trace.as_deref().unwrap();
        assert!(trace.contains("WorkerSourceTask{id=lcc-1-0}"), "{trace}");
        assert!(trace.contains("Caused by: org.apache.kafka.common.errors.TopicAuthorizationException"));
        let entry = generator(Timing::Instant).into_entry(errors[1].clone());
        assert_eq!((entry.task_id.as_str(), entry.id.as_str()), ("task-1", "lcc-1"));
        assert_eq!(entry.timestamp.len(), "2026-08-20T08:44:23.761Z".len());
        let own: Vec<_> = lines.iter().filter(|line| line.task.is_none()).collect();
        assert_eq!(own.len(), 4, "one at the start, one before each new attempt");
    }

    #[test]
    fn overlapping_windows_return_the_same_lines() {
        let source = phase("DatagenSource", false);
        let sink = phase("S3_SINK", false);
        for (phase, state) in [(&source, LifecycleState::Running), (&sink, LifecycleState::Degraded)] {
            let intervals = [interval(phase, state)];
            let lines = |from, to| generator(Timing::Real).lines(&intervals, from, to, start() + 5.hours());
            let whole = lines(start(), start() + 2.hours());
            assert!(whole.len() > 100);
            let mut parts = lines(start(), start() + 30.minutes());
            let middle = start() + 30.minutes() + 1.millisecond();
            parts.extend(lines(middle, start() + 2.hours()));
            assert_eq!(parts, whole);
            assert!(
                whole
                    .windows(2)
                    .all(|two| (two[0].at, two[0].number) < (two[1].at, two[1].number))
            );
        }
    }

    // Lines appear after a few seconds (docs/reference/logs.md#log-lines-and-pages), late ones within a minute
    // (docs/reference/logs.md#late-lines).
    #[test]
    fn lines_become_visible_within_a_minute_and_at_once_with_instant_timing() {
        let phase = phase("DatagenSource", false);
        let intervals = [interval(&phase, LifecycleState::Running)];
        for (timing, late) in [(Timing::Instant, false), (Timing::Real, true), (Timing::Lagging, true)] {
            let visible_lines = |end, now| generator(timing).lines(&intervals, start(), end, now).len();
            let ends: Vec<_> = (0..60).map(|n| start() + 1.hour() + (7 * n).seconds()).collect();
            let came_late = |end: &Timestamp| visible_lines(*end, *end) < visible_lines(*end, *end + 1.minute());
            assert_eq!(ends.iter().any(came_late), late, "{timing:?}");
            for end in ends {
                assert_eq!(
                    visible_lines(end, end + 1.minute()),
                    visible_lines(end, end + 1.hour()),
                    "{timing:?}"
                );
            }
        }
    }
}
