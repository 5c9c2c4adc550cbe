//! Connector states, computed from the times of the actions on the connector
//! (docs/reference/connect.md#connector-states).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::ConnectorState,
    sandbox::{crypt::IdGenerator, settings::Timing},
};

/// Last action on a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectorAction {
    Created,
    Updated,
    Paused,
    Resumed,
    Restarted,
}

/// State of a connector (`connect/v1`, with RESTARTING of docs `connector-statuses`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LifecycleState {
    Provisioning,
    Running,
    Degraded,
    Failed,
    Paused,
    Restarting,
    Deleted,
}

impl From<LifecycleState> for ConnectorState {
    fn from(state: LifecycleState) -> Self {
        match state {
            LifecycleState::Provisioning => Self::Provisioning,
            LifecycleState::Running => Self::Running,
            LifecycleState::Degraded => Self::Degraded,
            LifecycleState::Failed => Self::Failed,
            LifecycleState::Paused => Self::Paused,
            LifecycleState::Restarting => Self::Restarting,
            LifecycleState::Deleted => Self::Deleted,
        }
    }
}

/// Last action on a connector, its time, and the state before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectorRun {
    pub(crate) action: ConnectorAction,
    pub(crate) since: Timestamp,
    pub(crate) previous_state: LifecycleState,
}

impl ConnectorRun {
    pub(crate) fn created(now: Timestamp) -> Self {
        Self {
            action: ConnectorAction::Created,
            since: now,
            previous_state: LifecycleState::Provisioning,
        }
    }
}

/// Delays of state changes (docs/reference/connect.md#timing-of-states).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConnectorDelays {
    /// Delay until tasks run.
    pub(crate) start: Duration,
    /// Delay until a fault becomes visible.
    pub(crate) fault: Duration,
    /// Delay until a pause or resume takes effect.
    pub(crate) pause_resume: Duration,
    /// Delay until a restart completes.
    pub(crate) restart: Duration,
    /// Delay until an offsets request is applied.
    pub(crate) offsets: Duration,
    /// Delay until a deleted connector disappears from the lists.
    pub(crate) delete: Duration,
}

impl ConnectorDelays {
    /// Draws the delays of one connector. The same connector always gets the same delays.
    pub(crate) fn draw(timing: Timing, ids: IdGenerator, id: &str) -> Self {
        let between = |what: &str, (low, high): (u64, u64)| {
            let spread = u64::from_str_radix(&ids.lowercase_id(&["time", what, id], 4), 36).unwrap_or(0);
            Duration::from_secs(low + spread % (high - low + 1))
        };
        // Creation: Datagen runs after 60 to 90 s; failures become visible after 30 to 90 s, with `lagging` after up to
        // the 180 s that clients wait.
        let [start, fail, turn, restart, offsets, leave] = match timing {
            Timing::Instant => return Self::default(),
            Timing::Real => [(20, 60), (30, 90), (3, 15), (5, 20), (5, 25), (3, 30)],
            Timing::Lagging => [(60, 170), (60, 180), (10, 60), (20, 90), (20, 120), (10, 60)],
        };
        Self {
            start: between("start", start),
            fault: between("fail", fail),
            pause_resume: between("turn", turn),
            restart: between("restart", restart),
            offsets: between("offsets", offsets),
            delete: between("leave", leave),
        }
    }
}

/// Start and progression of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FaultOnset {
    /// Start of the fault: before the connector started, or later.
    pub(crate) since: Timestamp,
    pub(crate) progression: FaultProgression,
}

/// Progression of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultProgression {
    /// Validation of the configuration fails before any task starts.
    Validation,
    /// Tasks start and fail at once.
    Start,
    /// Tasks run for a while and then fail.
    WhileRunning,
    /// One task fails; the other tasks run.
    OneTask,
    /// Tasks fail and restart repeatedly.
    Flapping,
    /// The connector never leaves its state.
    Stuck,
}

fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO)
}

/// Seconds for which a flapping connector runs and fails, in turn. Observed within eight minutes
/// (docs/reference/connect.md#timing-of-states).
pub(crate) const FLAP_SECONDS: (u64, u64) = (45, 30);

fn saturating_later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}

impl ConnectorRun {
    fn is_new_config(&self) -> bool {
        matches!(self.action, ConnectorAction::Created | ConnectorAction::Updated)
    }

    /// Returns the time at which the tasks run.
    fn tasks_start_at(&self, times: &ConnectorDelays) -> Timestamp {
        let wait = match self.action {
            ConnectorAction::Paused | ConnectorAction::Resumed => times.pause_resume,
            ConnectorAction::Restarted => times.restart,
            ConnectorAction::Created | ConnectorAction::Updated => times.start,
        };
        saturating_later(self.since, wait)
    }

    /// Returns the time at which a fault becomes visible. The delay starts with the tasks for an initial fault, and
    /// with the fault itself for a later one.
    fn fault_visible_at(&self, times: &ConnectorDelays, fault: FaultOnset) -> Timestamp {
        let started = self.tasks_start_at(times);
        match fault.progression {
            _ if fault.since > self.since => started.max(saturating_later(fault.since, times.fault / 2)),
            FaultProgression::Validation | FaultProgression::Start => saturating_later(self.since, times.fault),
            _ => saturating_later(started, times.fault),
        }
    }

    /// Returns whether no task has run since the last creation or update.
    fn never_ran(&self, fault: FaultOnset) -> bool {
        self.is_new_config()
            && fault.since <= self.since
            && matches!(
                fault.progression,
                FaultProgression::Validation | FaultProgression::Start
            )
    }

    /// Returns the time until which the connector ran, as seen at `now` in the state `state`.
    pub(crate) fn ran_until(
        &self,
        times: &ConnectorDelays,
        fault: Option<FaultOnset>,
        state: LifecycleState,
        now: Timestamp,
    ) -> Timestamp {
        match (state, fault) {
            (LifecycleState::Running | LifecycleState::Degraded, _) => now,
            (LifecycleState::Failed, Some(fault)) if fault.progression == FaultProgression::Flapping => now,
            (LifecycleState::Failed, Some(fault)) if !self.never_ran(fault) => {
                self.fault_visible_at(times, fault).min(now)
            }
            (LifecycleState::Paused, _)
                if self.action == ConnectorAction::Paused && self.previous_state == LifecycleState::Running =>
            {
                self.tasks_start_at(times)
            }
            _ => self.since,
        }
    }
}

/// Returns the state at `now` of a connector with `tasks` tasks.
pub(crate) fn state_at(
    run: &ConnectorRun,
    times: &ConnectorDelays,
    fault: Option<FaultOnset>,
    tasks: u32,
    now: Timestamp,
) -> LifecycleState {
    let waits = now < run.tasks_start_at(times);
    let healthy = match run.action {
        ConnectorAction::Paused if waits => return run.previous_state,
        ConnectorAction::Paused => return LifecycleState::Paused,
        ConnectorAction::Resumed if waits => return LifecycleState::Paused,
        ConnectorAction::Restarted if waits => return LifecycleState::Restarting,
        _ if waits => LifecycleState::Provisioning,
        _ => LifecycleState::Running,
    };
    let Some(fault) = fault else { return healthy };
    let ill = now >= run.fault_visible_at(times, fault);
    match fault.progression {
        FaultProgression::Stuck if run.is_new_config() || fault.since > run.since => LifecycleState::Provisioning,
        _ if !ill && run.never_ran(fault) => LifecycleState::Provisioning,
        _ if !ill => healthy,
        FaultProgression::OneTask if tasks > 1 => LifecycleState::Degraded,
        FaultProgression::Flapping => {
            let from = elapsed(fault.since.max(run.since), now).as_secs();
            match from % (FLAP_SECONDS.0 + FLAP_SECONDS.1) < FLAP_SECONDS.0 {
                true => LifecycleState::Running,
                false => LifecycleState::Failed,
            }
        }
        FaultProgression::Stuck => healthy,
        _ => LifecycleState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    // Source: docs/reference/connect.md#timing-of-states. Running within 90 s, invalid credentials visible after 30 to
    // 90 s.
    #[test]
    fn real_delays_stay_within_the_observed_ranges() {
        for n in 0..200 {
            let times = ConnectorDelays::draw(Timing::Real, IdGenerator::new(1), &format!("lcc-{n}"));
            assert!((20..=90).contains(&times.start.as_secs()));
            assert!((30..=90).contains(&times.fault.as_secs()));
            assert!(times.delete.as_secs() <= 30);
        }
        assert_eq!(
            ConnectorDelays::draw(Timing::Instant, IdGenerator::new(1), "lcc-1"),
            ConnectorDelays::default()
        );
    }

    #[test]
    fn a_connector_goes_from_provisioning_to_running_or_failed() {
        let times = ConnectorDelays::draw(Timing::Real, IdGenerator::new(1), "lcc-1");
        let run = ConnectorRun::created(start());
        let at = |seconds: u64, fault| state_at(&run, &times, fault, 1, start() + Duration::from_secs(seconds));
        assert_eq!(at(0, None), LifecycleState::Provisioning);
        assert_eq!(at(90, None), LifecycleState::Running);
        let fault = |progression| {
            Some(FaultOnset {
                since: start(),
                progression,
            })
        };
        assert_eq!(
            at(29, fault(FaultProgression::Validation)),
            LifecycleState::Provisioning
        );
        assert_eq!(at(90, fault(FaultProgression::Validation)), LifecycleState::Failed);
        assert_eq!(at(90, fault(FaultProgression::Stuck)), LifecycleState::Provisioning);
        assert_eq!(
            at(1_000_000, fault(FaultProgression::Stuck)),
            LifecycleState::Provisioning
        );
        let first = times.start.as_secs();
        assert_eq!(
            at(first, fault(FaultProgression::WhileRunning)),
            LifecycleState::Running
        );
        assert_eq!(at(200, fault(FaultProgression::WhileRunning)), LifecycleState::Failed);
    }

    #[test]
    fn one_failed_task_of_several_is_degraded_and_flapping_alternates() {
        let run = ConnectorRun::created(start());
        let times = ConnectorDelays::default();
        let fault = |progression| {
            Some(FaultOnset {
                since: start(),
                progression,
            })
        };
        let one = |tasks| state_at(&run, &times, fault(FaultProgression::OneTask), tasks, start());
        assert_eq!((one(1), one(2)), (LifecycleState::Failed, LifecycleState::Degraded));
        let flaps: Vec<_> = [0, 50, 80, 130]
            .into_iter()
            .map(|seconds| {
                state_at(
                    &run,
                    &times,
                    fault(FaultProgression::Flapping),
                    1,
                    start() + seconds.seconds(),
                )
            })
            .collect();
        assert_eq!(
            flaps,
            [
                LifecycleState::Running,
                LifecycleState::Failed,
                LifecycleState::Running,
                LifecycleState::Failed
            ]
        );
    }

    #[test]
    fn pausing_and_resuming_both_take_time() {
        let times = ConnectorDelays::draw(Timing::Real, IdGenerator::new(1), "lcc-1");
        let run = |act| ConnectorRun {
            action: act,
            since: start(),
            previous_state: LifecycleState::Running,
        };
        let at = |act, seconds: u64| state_at(&run(act), &times, None, 1, start() + Duration::from_secs(seconds));
        assert_eq!(
            (at(ConnectorAction::Paused, 0), at(ConnectorAction::Paused, 15)),
            (LifecycleState::Running, LifecycleState::Paused)
        );
        assert_eq!(
            (at(ConnectorAction::Resumed, 0), at(ConnectorAction::Resumed, 15)),
            (LifecycleState::Paused, LifecycleState::Running)
        );
        assert_eq!(
            (at(ConnectorAction::Restarted, 0), at(ConnectorAction::Restarted, 20)),
            (LifecycleState::Restarting, LifecycleState::Running)
        );
    }
}
