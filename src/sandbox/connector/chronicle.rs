//! What a connector has been through: the one source that log lines and metrics are told from, so that both agree, and
//! that what was told once is told the same again whatever is changed later.
//!
//! States are computed when somebody looks; so are episodes. Whoever changes a connector writes them down first.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Run,
    diagnose::{Eye, Seen},
    life::{Course, FLAP, Onset, State, Times, state},
    plugins::Plugin,
    topics::topics,
};
use crate::sandbox::state::Connector;

/// How long metrics are kept (dossier `metrics.md` §5); log lines are for three days only.
const KEPT: Duration = Duration::from_hours(7 * 24);
/// More than anybody does to one connector in that time; the state must not grow without end.
const MOST: usize = 100;

/// The episodes of a connector, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Chronicle(Vec<Episode>);

/// How a connector was, from a moment on until the next episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) from: Timestamp,
    pub(crate) run: Run,
    pub(crate) class: String,
    pub(crate) tasks: u32,
    /// The first topic that it reads or writes.
    pub(crate) topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wrong: Option<Wrong>,
}

/// What is wrong, whether it shows already or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wrong {
    pub(crate) since: Timestamp,
    pub(crate) course: Course,
    /// The last `Caused by`, as logs know it.
    pub(crate) cause: String,
    /// Whether tasks ever started.
    pub(crate) starts_tasks: bool,
    /// The previous configuration is in force.
    pub(crate) on_previous: bool,
}

impl Episode {
    pub(crate) fn is_sink(&self) -> bool {
        Plugin::of(&self.class).is_sink()
    }

    fn of(connector: &Connector, seen: &Seen) -> Self {
        let named = topics(&seen.plugin, &connector.config, &connector.id);
        let topic = named.read.into_iter().chain(named.written).next().or(named.prefix);
        Self {
            from: connector.run.since,
            run: connector.run,
            class: connector.class().to_owned(),
            tasks: seen.tasks,
            topic: topic.unwrap_or_else(|| connector.name.clone()),
            wrong: seen.trouble.as_ref().map(|trouble| Wrong {
                since: seen.wrong_since.unwrap_or(connector.run.since),
                course: trouble.course,
                cause: trouble.cause_in_logs().to_owned(),
                starts_tasks: trouble.starts_tasks,
                on_previous: seen.on_previous,
            }),
        }
    }
}

/// A stretch of time in one state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span<'a> {
    pub(crate) from: Timestamp,
    /// Not included.
    pub(crate) to: Timestamp,
    pub(crate) state: State,
    pub(crate) episode: &'a Episode,
    /// Tasks start at its beginning.
    pub(crate) starts: bool,
    /// Tasks that ran are stopped at its beginning.
    pub(crate) stops: bool,
    /// Tasks have run before it, since the last thing that was done.
    pub(crate) ran: bool,
}

impl Span<'_> {
    /// How many tasks run in it.
    pub(crate) fn running(&self) -> u32 {
        let episode = self.episode;
        match self.state {
            State::Running => episode.tasks,
            State::Degraded => episode.tasks.saturating_sub(1),
            State::Failed if self.on_previous() => episode.tasks,
            _ => 0,
        }
    }

    /// Nothing of what is wrong shows in the tasks: they run on with the configuration from before.
    pub(crate) fn on_previous(&self) -> bool {
        let wrong = self.episode.wrong.as_ref();
        wrong.is_some_and(|wrong| wrong.course == Course::Validation && wrong.on_previous)
    }
}

impl Chronicle {
    /// The chronicle with how the connector is now, unless it says so already.
    pub(crate) fn with(&self, connector: &Connector, seen: &Seen, now: Timestamp) -> Option<Self> {
        let mut episode = Episode::of(connector, seen);
        if let Some(last) = self.0.last() {
            let same_run = last.run == episode.run;
            if same_run {
                // What was asked for began when it was asked for. What follows from rights is known since now.
                let since = episode.wrong.as_ref().map(|wrong| wrong.since);
                let asked = since.filter(|since| *since > episode.run.since && last.wrong.is_none());
                episode.from = asked.unwrap_or(now).max(last.from);
            }
            let told = Episode {
                from: last.from,
                ..episode.clone()
            };
            if told == *last {
                return None;
            }
        }
        let mut episodes = self.0.clone();
        episodes.push(episode);
        let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        // An episode lasts until the next one, so the first one that is kept begins before.
        let old = episodes.iter().take_while(|episode| episode.from <= oldest).count();
        let many = episodes.len().saturating_sub(MOST);
        episodes.drain(..old.saturating_sub(1).max(many));
        Some(Self(episodes))
    }

    /// Its spans from `from` until `now`, in order and without gaps.
    pub(crate) fn spans(&self, times: &Times, from: Timestamp, now: Timestamp) -> Vec<Span<'_>> {
        let mut spans: Vec<Span<'_>> = Vec::new();
        for (index, episode) in self.0.iter().enumerate() {
            let end = self.0.get(index + 1).map_or(now, |next| next.from.min(now));
            for (at, state) in states(episode, times, from, end) {
                let last = spans.last();
                let same_run = last.is_some_and(|last| last.episode.run == episode.run);
                let ran_last = last.is_some_and(|last| last.running() > 0);
                let mut span = Span {
                    from: at,
                    to: end,
                    state,
                    episode,
                    starts: false,
                    stops: ran_last && !same_run,
                    ran: same_run && last.is_some_and(|last| last.ran || last.running() > 0),
                };
                let begins = matches!(state, State::Running | State::Degraded)
                    || (state == State::Failed && !span.ran && starts_tasks(episode));
                span.starts = begins && !(same_run && ran_last);
                span.stops |= same_run && ran_last && state == State::Paused;
                if let Some(last) = spans.last_mut() {
                    last.to = at;
                }
                spans.push(span);
            }
        }
        spans.retain(|span| span.from < span.to);
        spans
    }
}

fn starts_tasks(episode: &Episode) -> bool {
    episode.wrong.as_ref().is_some_and(|wrong| wrong.starts_tasks)
}

/// The states within an episode, each with the moment at which it begins: asked for at every moment at which the state can
/// change.
fn states(episode: &Episode, times: &Times, from: Timestamp, end: Timestamp) -> Vec<(Timestamp, State)> {
    let after = |moment: Timestamp, wait: Duration| moment.saturating_add(wait).unwrap_or(Timestamp::MAX);
    let begun = episode.run.since;
    let mut moments = vec![episode.from];
    for wait in [times.start, times.turn, times.restart] {
        moments.extend([after(begun, wait), after(begun, wait + times.fail)]);
    }
    moments.push(after(begun, times.fail));
    let onset = episode.wrong.as_ref().map(|wrong| Onset {
        since: wrong.since,
        course: wrong.course,
    });
    if let Some(onset) = onset {
        moments.push(after(onset.since, times.fail / 2));
        if onset.course == Course::Flapping {
            let first = onset.since.max(begun);
            // Only what can be asked about: this goes on for as long as nobody does anything.
            let passed = Duration::try_from(from.duration_since(first)).map_or(0, |passed| passed.as_secs());
            let turn = FLAP.0 + FLAP.1;
            let mut at = after(first, Duration::from_secs(passed / turn * turn));
            while at < end {
                moments.extend([at, after(at, Duration::from_secs(FLAP.0))]);
                at = after(at, Duration::from_secs(turn));
            }
        }
    }
    moments.retain(|moment| (episode.from..end).contains(moment));
    moments.sort_unstable();
    moments.dedup();
    let mut states: Vec<(Timestamp, State)> = Vec::new();
    for moment in moments {
        let now = state(&episode.run, times, onset, episode.tasks, moment);
        if states.last().is_none_or(|(_, last)| *last != now) {
            states.push((moment, now));
        }
    }
    states
}

impl Eye<'_> {
    /// The connector with its chronicle up to date, when it was not.
    pub(crate) fn chronicled(&self, connector: &Connector, seen: &Seen) -> Option<Connector> {
        let chronicle = connector.chronicle.with(connector, seen, self.now)?;
        Some(Connector {
            chronicle: Box::new(chronicle),
            ..connector.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::sandbox::{connector::life::Act, crypt::Ids, settings::Timing};

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn episode(from: Timestamp, act: Act, since: Timestamp, wrong: Option<(Timestamp, Course)>) -> Episode {
        Episode {
            from,
            run: Run {
                act,
                since,
                before: State::Running,
            },
            class: "DatagenSource".into(),
            tasks: 2,
            topic: "claims-orders".into(),
            wrong: wrong.map(|(since, course)| Wrong {
                since,
                course,
                cause: "x".into(),
                starts_tasks: course != Course::Validation,
                on_previous: false,
            }),
        }
    }

    fn told(chronicle: &Chronicle, times: &Times, now: Timestamp) -> Vec<String> {
        chronicle
            .spans(times, start(), now)
            .iter()
            .map(|span| {
                let seconds = span.from.duration_since(start()).as_secs();
                let starts = if span.starts { " starts" } else { "" };
                let stops = if span.stops { " stops" } else { "" };
                format!("{seconds} {}{stops}{starts}", span.state.as_str())
            })
            .collect()
    }

    // Dossier `connect.md` §3.2: provisioning, running, and a restart that is at once over when time does not count.
    #[test]
    fn tasks_start_once_per_run_also_when_nothing_takes_time() {
        let begun = start();
        let chronicle = Chronicle(vec![
            episode(begun, Act::Created, begun, None),
            episode(begun + 60.seconds(), Act::Restarted, begun + 60.seconds(), None),
        ]);
        assert_eq!(
            told(&chronicle, &Times::default(), begun + 2.minutes()),
            ["0 RUNNING starts", "60 RUNNING stops starts"]
        );
        let times = Times::of(Timing::Real, Ids::new(1), "lcc-1");
        let real = told(&chronicle, &times, begun + 5.minutes());
        assert_eq!(real[0], "0 PROVISIONING");
        assert!(real[1].ends_with(" RUNNING starts"), "{real:?}");
        assert!(real.contains(&"60 RESTARTING stops".to_owned()), "{real:?}");
        assert!(real.last().unwrap().ends_with(" RUNNING starts"), "{real:?}");
    }

    #[test]
    fn a_failure_that_comes_later_ends_what_ran() {
        let begun = start();
        let failing = Some((begun + 30.seconds(), Course::Later));
        let chronicle = Chronicle(vec![
            episode(begun, Act::Created, begun, None),
            episode(begun + 30.seconds(), Act::Created, begun, failing),
        ]);
        assert_eq!(
            told(&chronicle, &Times::default(), begun + 1.minute()),
            ["0 RUNNING starts", "30 FAILED"]
        );
    }

    #[test]
    fn what_flaps_starts_again_each_time() {
        let begun = start();
        let chronicle = Chronicle(vec![episode(
            begun,
            Act::Created,
            begun,
            Some((begun, Course::Flapping)),
        )]);
        assert_eq!(
            told(&chronicle, &Times::default(), begun + 2.minutes()),
            ["0 RUNNING starts", "45 FAILED", "75 RUNNING starts"]
        );
        // Long after, only what is asked for is worked out.
        let late = chronicle.spans(&Times::default(), begun + 48.hours(), begun + 49.hours());
        assert!(late.len() < 100, "{}", late.len());
    }

    #[test]
    fn what_never_started_a_task_has_none_to_start() {
        let begun = start();
        let chronicle = Chronicle(vec![episode(
            begun,
            Act::Created,
            begun,
            Some((begun, Course::Validation)),
        )]);
        assert_eq!(told(&chronicle, &Times::default(), begun + 1.minute()), ["0 FAILED"]);
    }
}
