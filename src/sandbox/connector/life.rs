//! The states of a connector, computed from the moments at which something was done to it (dossier `connect.md` §3).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::{crypt::Ids, settings::Timing};

/// What was done to a connector last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    Created,
    Updated,
    Paused,
    Resumed,
    Restarted,
}

/// The state of a connector (`connect/v1`, with RESTARTING of docs `connector-statuses`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    Provisioning,
    Running,
    Degraded,
    Failed,
    Paused,
    Restarting,
    Deleted,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Running => "RUNNING",
            Self::Degraded => "DEGRADED",
            Self::Failed => "FAILED",
            Self::Paused => "PAUSED",
            Self::Restarting => "RESTARTING",
            Self::Deleted => "DELETED",
        }
    }
}

/// The last thing that was done, when, and in which state the connector was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) act: Act,
    pub(crate) since: Timestamp,
    pub(crate) before: State,
}

impl Run {
    pub(crate) fn created(now: Timestamp) -> Self {
        Self {
            act: Act::Created,
            since: now,
            before: State::Provisioning,
        }
    }
}

/// How long things take (dossier `connect.md` §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Until tasks run.
    pub(crate) start: Duration,
    /// Until something that is wrong shows.
    pub(crate) fail: Duration,
    /// Until it is paused, or runs again.
    pub(crate) turn: Duration,
    /// Until it has restarted.
    pub(crate) restart: Duration,
    /// Until a request for offsets is carried out.
    pub(crate) offsets: Duration,
    /// Until a deleted connector has left the lists.
    pub(crate) leave: Duration,
}

impl Times {
    /// The times of one connector; the same one always has the same.
    pub(crate) fn of(timing: Timing, ids: Ids, id: &str) -> Self {
        let between = |what: &str, (low, high): (u64, u64)| {
            let spread = u64::from_str_radix(&ids.lower(&["time", what, id], 4), 36).unwrap_or(0);
            Duration::from_secs(low + spread % (high - low + 1))
        };
        // Creation: Datagen is up within 60 to 90 s; failures show after 30 to 90 s, lagging up to the 180 s that
        // clients allow.
        let [start, fail, turn, restart, offsets, leave] = match timing {
            Timing::Instant => return Self::default(),
            Timing::Real => [(20, 60), (30, 90), (3, 15), (5, 20), (5, 25), (3, 30)],
            Timing::Lagging => [(60, 170), (60, 180), (10, 60), (20, 90), (20, 120), (10, 60)],
        };
        Self {
            start: between("start", start),
            fail: between("fail", fail),
            turn: between("turn", turn),
            restart: between("restart", restart),
            offsets: between("offsets", offsets),
            leave: between("leave", leave),
        }
    }
}

/// When and how something wrong shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onset {
    /// Since when it is wrong: before the connector started, or later.
    pub(crate) since: Timestamp,
    pub(crate) course: Course,
}

/// The course of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Course {
    /// The configuration is found wanting before any task starts.
    Validation,
    /// Tasks start and fail at once.
    Start,
    /// Tasks run for a while first.
    Later,
    /// One task fails, the others run.
    OneTask,
    /// Fails and restarts, again and again.
    Flapping,
    /// Nothing ever happens.
    Stuck,
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO)
}

/// How long a flapping connector runs and fails, in turns. Seen: within eight minutes (dossier `connect.md` §3.2).
pub(crate) const FLAP: (u64, u64) = (45, 30);

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}

impl Run {
    fn is_fresh(&self) -> bool {
        matches!(self.act, Act::Created | Act::Updated)
    }

    /// When its tasks run.
    fn started(&self, times: &Times) -> Timestamp {
        let wait = match self.act {
            Act::Paused | Act::Resumed => times.turn,
            Act::Restarted => times.restart,
            Act::Created | Act::Updated => times.start,
        };
        later(self.since, wait)
    }

    /// When something wrong shows: what was wrong at the start a while after the start, what went wrong later a while
    /// after that.
    fn shows(&self, times: &Times, wrong: Onset) -> Timestamp {
        let started = self.started(times);
        match wrong.course {
            _ if wrong.since > self.since => started.max(later(wrong.since, times.fail / 2)),
            Course::Validation | Course::Start => later(self.since, times.fail),
            _ => later(started, times.fail),
        }
    }

    /// Whether nothing ever worked since it was last begun.
    fn never_worked(&self, wrong: Onset) -> bool {
        self.is_fresh() && wrong.since <= self.since && matches!(wrong.course, Course::Validation | Course::Start)
    }

    /// Until when it has worked, seen at `now` in the state `state`.
    pub(crate) fn worked_until(&self, times: &Times, wrong: Option<Onset>, state: State, now: Timestamp) -> Timestamp {
        match (state, wrong) {
            (State::Running | State::Degraded, _) => now,
            (State::Failed, Some(wrong)) if wrong.course == Course::Flapping => now,
            (State::Failed, Some(wrong)) if !self.never_worked(wrong) => self.shows(times, wrong).min(now),
            (State::Paused, _) if self.act == Act::Paused && self.before == State::Running => self.started(times),
            _ => self.since,
        }
    }
}

/// The state at `now`. `tasks`: how many tasks it has.
pub(crate) fn state(run: &Run, times: &Times, wrong: Option<Onset>, tasks: u32, now: Timestamp) -> State {
    let waits = now < run.started(times);
    let healthy = match run.act {
        Act::Paused if waits => return run.before,
        Act::Paused => return State::Paused,
        Act::Resumed if waits => return State::Paused,
        Act::Restarted if waits => return State::Restarting,
        _ if waits => State::Provisioning,
        _ => State::Running,
    };
    let Some(wrong) = wrong else { return healthy };
    let ill = now >= run.shows(times, wrong);
    match wrong.course {
        Course::Stuck if run.is_fresh() || wrong.since > run.since => State::Provisioning,
        _ if !ill && run.never_worked(wrong) => State::Provisioning,
        _ if !ill => healthy,
        Course::OneTask if tasks > 1 => State::Degraded,
        Course::Flapping => {
            let from = passed(wrong.since.max(run.since), now).as_secs();
            match from % (FLAP.0 + FLAP.1) < FLAP.0 {
                true => State::Running,
                false => State::Failed,
            }
        }
        Course::Stuck => healthy,
        _ => State::Failed,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    // Dossier `connect.md` §3.2: up within 90 s, bad credentials show after 30 to 90 s.
    #[test]
    fn real_times_stay_within_what_was_observed() {
        for n in 0..200 {
            let times = Times::of(Timing::Real, Ids::new(1), &format!("lcc-{n}"));
            assert!((20..=90).contains(&times.start.as_secs()));
            assert!((30..=90).contains(&times.fail.as_secs()));
            assert!(times.leave.as_secs() <= 30);
        }
        assert_eq!(Times::of(Timing::Instant, Ids::new(1), "lcc-1"), Times::default());
    }

    #[test]
    fn a_connector_goes_from_provisioning_to_running_or_failed() {
        let times = Times::of(Timing::Real, Ids::new(1), "lcc-1");
        let run = Run::created(start());
        let at = |seconds: u64, wrong| state(&run, &times, wrong, 1, start() + Duration::from_secs(seconds));
        assert_eq!(at(0, None), State::Provisioning);
        assert_eq!(at(90, None), State::Running);
        let wrong = |course| Some(Onset { since: start(), course });
        assert_eq!(at(29, wrong(Course::Validation)), State::Provisioning);
        assert_eq!(at(90, wrong(Course::Validation)), State::Failed);
        assert_eq!(at(90, wrong(Course::Stuck)), State::Provisioning);
        assert_eq!(at(1_000_000, wrong(Course::Stuck)), State::Provisioning);
        let first = times.start.as_secs();
        assert_eq!(at(first, wrong(Course::Later)), State::Running);
        assert_eq!(at(200, wrong(Course::Later)), State::Failed);
    }

    #[test]
    fn one_failed_task_of_several_is_degraded_and_flapping_alternates() {
        let run = Run::created(start());
        let times = Times::default();
        let wrong = |course| Some(Onset { since: start(), course });
        let one = |tasks| state(&run, &times, wrong(Course::OneTask), tasks, start());
        assert_eq!((one(1), one(2)), (State::Failed, State::Degraded));
        let flaps: Vec<_> = [0, 50, 80, 130]
            .into_iter()
            .map(|seconds| state(&run, &times, wrong(Course::Flapping), 1, start() + seconds.seconds()))
            .collect();
        assert_eq!(flaps, [State::Running, State::Failed, State::Running, State::Failed]);
    }

    #[test]
    fn pausing_takes_a_while_in_both_directions() {
        let times = Times::of(Timing::Real, Ids::new(1), "lcc-1");
        let run = |act| Run {
            act,
            since: start(),
            before: State::Running,
        };
        let at = |act, seconds: u64| state(&run(act), &times, None, 1, start() + Duration::from_secs(seconds));
        assert_eq!(
            (at(Act::Paused, 0), at(Act::Paused, 15)),
            (State::Running, State::Paused)
        );
        assert_eq!(
            (at(Act::Resumed, 0), at(Act::Resumed, 15)),
            (State::Paused, State::Running)
        );
        assert_eq!(
            (at(Act::Restarted, 0), at(Act::Restarted, 20)),
            (State::Restarting, State::Running)
        );
    }
}
