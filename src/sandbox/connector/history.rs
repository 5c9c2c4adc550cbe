//! History of a connector. Log lines and metrics are generated from it, so that they are consistent with each other and
//! do not change later.
//!
//! The phases of the history are computed on demand, like states. Any code that changes a connector records the phases
//! first.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ConnectorRun,
    evaluation::{ConnectorEvaluation, ConnectorEvaluator},
    lifecycle::{ConnectorDelays, FLAP_SECONDS, FaultOnset, FaultProgression, LifecycleState, state_at},
    plugins::SandboxPlugin,
};
use crate::{catalog::topics::connector_topics, sandbox::state::ConnectorRecord};

/// Retention of the history: as long as metrics (docs/reference/metrics.md#limits-and-delay). Log lines are kept for
/// three days only.
const RETENTION: Duration = Duration::from_hours(7 * 24);
/// Maximum number of phases, so that the state cannot grow without limit.
const MAX_PHASES: usize = 100;

/// Phases of a connector, in chronological order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ConnectorHistory(Vec<HistoryPhase>);

/// Phase in the history of a connector; it lasts until the next phase starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HistoryPhase {
    pub(crate) from: Timestamp,
    pub(crate) run: ConnectorRun,
    pub(crate) class: String,
    pub(crate) tasks: u32,
    /// First topic that the connector reads or writes.
    pub(crate) topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<PhaseFault>,
}

/// Fault of a phase, visible or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseFault {
    pub(crate) since: Timestamp,
    pub(crate) progression: FaultProgression,
    /// Last `Caused by` of the stack trace in the log.
    pub(crate) cause: String,
    /// Whether tasks started before the fault.
    pub(crate) starts_tasks: bool,
    /// Whether the previous configuration is active.
    pub(crate) runs_previous_config: bool,
}

impl HistoryPhase {
    pub(crate) fn is_sink(&self) -> bool {
        SandboxPlugin::find_or_unknown(&self.class).is_sink()
    }

    fn from_evaluation(connector: &ConnectorRecord, evaluation: &ConnectorEvaluation) -> Self {
        let named = connector_topics(evaluation.plugin.class(), &connector.config, &connector.id);
        let topic = named.read.into_iter().chain(named.written).next().or(named.prefix);
        Self {
            from: connector.run.since,
            run: connector.run,
            class: connector.class().to_owned(),
            tasks: evaluation.tasks,
            topic: topic.unwrap_or_else(|| connector.name.clone()),
            fault: evaluation.fault.as_ref().map(|fault| PhaseFault {
                since: evaluation.fault_since.unwrap_or(connector.run.since),
                progression: fault.progression,
                cause: fault.cause_in_logs().to_owned(),
                starts_tasks: fault.starts_tasks,
                runs_previous_config: evaluation.runs_previous_config,
            }),
        }
    }
}

/// Period in which a connector is in one state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoryInterval<'a> {
    pub(crate) from: Timestamp,
    /// End of the interval, exclusive.
    pub(crate) to: Timestamp,
    pub(crate) state: LifecycleState,
    pub(crate) phase: &'a HistoryPhase,
    /// Whether tasks start at the beginning of the interval.
    pub(crate) starts_tasks: bool,
    /// Whether running tasks stop at the beginning of the interval.
    pub(crate) stops_tasks: bool,
    /// Whether tasks ran before the interval, in the same run.
    pub(crate) tasks_ran_before: bool,
}

impl HistoryInterval<'_> {
    /// Returns the number of tasks that run in the interval.
    pub(crate) fn running_tasks(&self) -> u32 {
        let phase = self.phase;
        match self.state {
            LifecycleState::Running => phase.tasks,
            LifecycleState::Degraded => phase.tasks.saturating_sub(1),
            LifecycleState::Failed if self.runs_previous_config() => phase.tasks,
            _ => 0,
        }
    }

    /// Returns whether the tasks run with the previous configuration, so that the fault does not affect them.
    pub(crate) fn runs_previous_config(&self) -> bool {
        let fault = self.phase.fault.as_ref();
        fault.is_some_and(|fault| fault.progression == FaultProgression::Validation && fault.runs_previous_config)
    }
}

impl ConnectorHistory {
    /// Returns the history with the current phase added, or `None` if it is up to date.
    pub(crate) fn updated(
        &self,
        connector: &ConnectorRecord,
        evaluation: &ConnectorEvaluation,
        now: Timestamp,
    ) -> Option<Self> {
        let mut phase = HistoryPhase::from_evaluation(connector, evaluation);
        if let Some(last) = self.0.last() {
            let same_run = last.run == phase.run;
            if same_run {
                // A requested fault starts at the time of the request. A fault due to permissions is known only from
                // now on.
                let since = phase.fault.as_ref().map(|fault| fault.since);
                let requested = since.filter(|since| *since > phase.run.since && last.fault.is_none());
                phase.from = requested.unwrap_or(now).max(last.from);
            }
            let unchanged = HistoryPhase {
                from: last.from,
                ..phase.clone()
            };
            if unchanged == *last {
                return None;
            }
        }
        let mut phases = self.0.clone();
        phases.push(phase);
        let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
        // A phase lasts until the next one, so the first phase to keep starts before the retention period.
        let old = phases.iter().take_while(|phase| phase.from <= oldest).count();
        let many = phases.len().saturating_sub(MAX_PHASES);
        phases.drain(..old.saturating_sub(1).max(many));
        Some(Self(phases))
    }

    /// Returns the intervals from `from` until `now`, in order and without gaps.
    pub(crate) fn intervals(
        &self,
        times: &ConnectorDelays,
        from: Timestamp,
        now: Timestamp,
    ) -> Vec<HistoryInterval<'_>> {
        let mut intervals: Vec<HistoryInterval<'_>> = Vec::new();
        for (index, phase) in self.0.iter().enumerate() {
            let end = self.0.get(index + 1).map_or(now, |next| next.from.min(now));
            for (at, state) in state_changes(phase, times, from, end) {
                let last = intervals.last();
                let same_run = last.is_some_and(|last| last.phase.run == phase.run);
                let ran_last = last.is_some_and(|last| last.running_tasks() > 0);
                let mut interval = HistoryInterval {
                    from: at,
                    to: end,
                    state,
                    phase,
                    starts_tasks: false,
                    stops_tasks: ran_last && !same_run,
                    tasks_ran_before: same_run
                        && last.is_some_and(|last| last.tasks_ran_before || last.running_tasks() > 0),
                };
                let begins = matches!(state, LifecycleState::Running | LifecycleState::Degraded)
                    || (state == LifecycleState::Failed && !interval.tasks_ran_before && starts_tasks(phase));
                interval.starts_tasks = begins && !(same_run && ran_last);
                interval.stops_tasks |= same_run && ran_last && state == LifecycleState::Paused;
                if let Some(last) = intervals.last_mut() {
                    last.to = at;
                }
                intervals.push(interval);
            }
        }
        intervals.retain(|interval| interval.from < interval.to);
        intervals
    }
}

fn starts_tasks(phase: &HistoryPhase) -> bool {
    phase.fault.as_ref().is_some_and(|fault| fault.starts_tasks)
}

/// Returns the states within a phase with their start times. The state is evaluated at each moment at which it can
/// change.
fn state_changes(
    phase: &HistoryPhase,
    times: &ConnectorDelays,
    from: Timestamp,
    end: Timestamp,
) -> Vec<(Timestamp, LifecycleState)> {
    let after = |moment: Timestamp, wait: Duration| moment.saturating_add(wait).unwrap_or(Timestamp::MAX);
    let begun = phase.run.since;
    let mut moments = vec![phase.from];
    for wait in [times.start, times.pause_resume, times.restart] {
        moments.extend([after(begun, wait), after(begun, wait + times.fault)]);
    }
    moments.push(after(begun, times.fault));
    let onset = phase.fault.as_ref().map(|fault| FaultOnset {
        since: fault.since,
        progression: fault.progression,
    });
    if let Some(onset) = onset {
        moments.push(after(onset.since, times.fault / 2));
        if onset.progression == FaultProgression::Flapping {
            let first = onset.since.max(begun);
            // Only within the requested period: the restart loop never ends by itself.
            let passed = Duration::try_from(from.duration_since(first)).map_or(0, |passed| passed.as_secs());
            let cycle = FLAP_SECONDS.0 + FLAP_SECONDS.1;
            let mut at = after(first, Duration::from_secs(passed / cycle * cycle));
            while at < end {
                moments.extend([at, after(at, Duration::from_secs(FLAP_SECONDS.0))]);
                at = after(at, Duration::from_secs(cycle));
            }
        }
    }
    moments.retain(|moment| (phase.from..end).contains(moment));
    moments.sort_unstable();
    moments.dedup();
    let mut states: Vec<(Timestamp, LifecycleState)> = Vec::new();
    for moment in moments {
        let now = state_at(&phase.run, times, onset, phase.tasks, moment);
        if states.last().is_none_or(|(_, last)| *last != now) {
            states.push((moment, now));
        }
    }
    states
}

impl ConnectorEvaluator<'_> {
    /// Returns the connector with an updated history, or `None` if the history is up to date.
    pub(crate) fn with_updated_history(
        &self,
        connector: &ConnectorRecord,
        evaluation: &ConnectorEvaluation,
    ) -> Option<ConnectorRecord> {
        let history = connector.history.updated(connector, evaluation, self.now)?;
        Some(ConnectorRecord {
            history: Box::new(history),
            ..connector.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::sandbox::{connector::lifecycle::ConnectorAction, crypt::IdGenerator, settings::Timing};

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn phase(
        from: Timestamp,
        act: ConnectorAction,
        since: Timestamp,
        fault: Option<(Timestamp, FaultProgression)>,
    ) -> HistoryPhase {
        HistoryPhase {
            from,
            run: ConnectorRun {
                action: act,
                since,
                previous_state: LifecycleState::Running,
            },
            class: "DatagenSource".into(),
            tasks: 2,
            topic: "claims-orders".into(),
            fault: fault.map(|(since, progression)| PhaseFault {
                since,
                progression,
                cause: "x".into(),
                starts_tasks: progression != FaultProgression::Validation,
                runs_previous_config: false,
            }),
        }
    }

    fn describe_intervals(history: &ConnectorHistory, times: &ConnectorDelays, now: Timestamp) -> Vec<String> {
        history
            .intervals(times, start(), now)
            .iter()
            .map(|interval| {
                let seconds = interval.from.duration_since(start()).as_secs();
                let starts = if interval.starts_tasks { " starts" } else { "" };
                let stops = if interval.stops_tasks { " stops" } else { "" };
                format!(
                    "{seconds} {}{stops}{starts}",
                    crate::model::ConnectorState::from(interval.state)
                )
            })
            .collect()
    }

    // Source: docs/reference/connect.md#timing-of-states. Provisioning, running, and a restart that completes at once
    // without delays.
    #[test]
    fn tasks_start_once_per_run_even_without_delays() {
        let begun = start();
        let history = ConnectorHistory(vec![
            phase(begun, ConnectorAction::Created, begun, None),
            phase(
                begun + 60.seconds(),
                ConnectorAction::Restarted,
                begun + 60.seconds(),
                None,
            ),
        ]);
        assert_eq!(
            describe_intervals(&history, &ConnectorDelays::default(), begun + 2.minutes()),
            ["0 RUNNING starts", "60 RUNNING stops starts"]
        );
        let times = ConnectorDelays::draw(Timing::Real, IdGenerator::new(1), "lcc-1");
        let real = describe_intervals(&history, &times, begun + 5.minutes());
        assert_eq!(real[0], "0 PROVISIONING");
        assert!(real[1].ends_with(" RUNNING starts"), "{real:?}");
        assert!(real.contains(&"60 RESTARTING stops".to_owned()), "{real:?}");
        assert!(real.last().unwrap().ends_with(" RUNNING starts"), "{real:?}");
    }

    #[test]
    fn a_later_fault_ends_the_running_interval() {
        let begun = start();
        let failing = Some((begun + 30.seconds(), FaultProgression::WhileRunning));
        let history = ConnectorHistory(vec![
            phase(begun, ConnectorAction::Created, begun, None),
            phase(begun + 30.seconds(), ConnectorAction::Created, begun, failing),
        ]);
        assert_eq!(
            describe_intervals(&history, &ConnectorDelays::default(), begun + 1.minute()),
            ["0 RUNNING starts", "30 FAILED"]
        );
    }

    #[test]
    fn a_flapping_connector_restarts_its_tasks_each_time() {
        let begun = start();
        let history = ConnectorHistory(vec![phase(
            begun,
            ConnectorAction::Created,
            begun,
            Some((begun, FaultProgression::Flapping)),
        )]);
        assert_eq!(
            describe_intervals(&history, &ConnectorDelays::default(), begun + 2.minutes()),
            ["0 RUNNING starts", "45 FAILED", "75 RUNNING starts"]
        );
        // For a late period, only that period is computed.
        let late = history.intervals(&ConnectorDelays::default(), begun + 48.hours(), begun + 49.hours());
        assert!(late.len() < 100, "{}", late.len());
    }

    #[test]
    fn a_validation_fault_never_starts_tasks() {
        let begun = start();
        let history = ConnectorHistory(vec![phase(
            begun,
            ConnectorAction::Created,
            begun,
            Some((begun, FaultProgression::Validation)),
        )]);
        assert_eq!(
            describe_intervals(&history, &ConnectorDelays::default(), begun + 1.minute()),
            ["0 FAILED"]
        );
    }
}
