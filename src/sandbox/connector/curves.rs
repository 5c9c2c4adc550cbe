//! What a connector would have measured, minute by minute: made up, but the same whenever it is asked for, and in step with
//! what the connector has been through (dossier `metrics.md` §2).

use std::time::Duration;

use jiff::Timestamp;

use super::{chronicle::Span, life::State};
use crate::sandbox::crypt::Ids;

/// What was measured in one minute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Minute {
    /// Its number since 1970.
    pub(crate) number: i64,
    /// Records written by a source or read by a sink.
    pub(crate) records: f64,
    pub(crate) bytes: f64,
    pub(crate) dead_letters: f64,
    /// Of the partition that is furthest behind.
    pub(crate) lag: f64,
    pub(crate) batch: f64,
    pub(crate) put_milliseconds: f64,
    pub(crate) state: State,
    /// One state per task; none before tasks start.
    pub(crate) tasks: Vec<&'static str>,
}

/// Whose curves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curves<'a> {
    pub(crate) ids: Ids,
    pub(crate) id: &'a str,
    pub(crate) sink: bool,
}

/// Seconds of a minute.
const MINUTE: i64 = 60;
/// Records in a minute, over the day: ten a second, as offsets move (`offsets`).
const MEAN: f64 = 600.0;
/// How much faster than new records come a sink works off what has piled up.
const CATCH_UP: f64 = 3.0;
/// Partitions of a topic that nobody made by hand.
const PARTITIONS: f64 = 6.0;

/// The number of the minute that a moment lies in.
pub(crate) fn minute_of(moment: Timestamp) -> i64 {
    moment.as_second().div_euclid(MINUTE)
}

/// The beginning of a minute.
pub(crate) fn begin_of(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * MINUTE).unwrap_or(Timestamp::MAX)
}

impl Curves<'_> {
    fn chance(&self, what: &str, minute: i64, below: u64) -> f64 {
        let drawn = self.ids.draw(&[what, self.id, &minute.to_string()], below);
        f64::from(u32::try_from(drawn).unwrap_or(0))
    }

    /// Records in a minute in which every task runs: less at night, and a little uneven.
    pub(crate) fn pace(&self, minute: i64) -> f64 {
        let of_day = f64::from(i32::try_from(minute.rem_euclid(24 * 60)).unwrap_or(0)) / (24.0 * 60.0);
        let wave = 1.0 + 0.35 * (std::f64::consts::TAU * (of_day - 0.3)).sin();
        let noise = 0.9 + self.chance("pace", minute, 200) / 1_000.0;
        (MEAN * wave * noise).round()
    }

    /// The minutes from `from` until `to`, as far as there are spans; `to` is not included.
    pub(crate) fn minutes(&self, spans: &[Span<'_>], from: i64, to: i64) -> Vec<Minute> {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return Vec::new();
        };
        let size = 200.0 + self.chance("size", 0, 700);
        let mut behind = 0.0_f64;
        let mut minutes = Vec::new();
        let mut at = 0;
        for number in minute_of(first.from)..to.min(minute_of(last.to) + 1) {
            let (begin, end) = (begin_of(number), begin_of(number + 1));
            while at + 1 < spans.len() && spans[at].to <= begin {
                at += 1;
            }
            let here = || spans[at..].iter().take_while(|span| span.from < end);
            let Some(latest) = here().last() else { continue };
            let share: f64 = here().map(|span| share(span, begin, end)).sum();
            let pace = self.pace(number);
            // What piles up while nobody reads is worked off afterwards.
            let room = pace * share * CATCH_UP;
            let waiting = behind + if number == minute_of(first.from) { 0.0 } else { pace };
            let read = waiting.min(room);
            behind = waiting - read;
            if number < from {
                continue;
            }
            let records = if self.sink { read } else { pace * share }.round();
            let idle = records < 1.0;
            let dead = !idle && self.chance("dead", number, 180) < 1.0;
            minutes.push(Minute {
                number,
                records,
                bytes: (records * size).round(),
                dead_letters: if dead {
                    1.0 + self.chance("dead letters", number, 3)
                } else {
                    0.0
                },
                lag: (behind / PARTITIONS).round() + if idle { 0.0 } else { self.chance("lag", number, 40) },
                batch: if idle {
                    0.0
                } else {
                    80.0 + self.chance("batch", number, 40)
                },
                put_milliseconds: if idle {
                    0.0
                } else {
                    20.0 + self.chance("put", number, 180)
                },
                state: latest.state,
                tasks: tasks(latest),
            });
        }
        minutes
    }
}

/// Which part of a minute's work is done in a span.
fn share(span: &Span<'_>, begin: Timestamp, end: Timestamp) -> f64 {
    let seconds = |from: Timestamp, to: Timestamp| {
        Duration::try_from(to.duration_since(from)).map_or(0.0, |duration| duration.as_secs_f64())
    };
    let overlap = seconds(span.from.max(begin), span.to.min(end));
    let tasks = f64::from(span.episode.tasks.max(1));
    overlap / seconds(begin, end) * f64::from(span.running()) / tasks
}

/// The states of the tasks in a span; the words are those that dashboards show.
fn tasks(span: &Span<'_>) -> Vec<&'static str> {
    let all = span.episode.tasks;
    let started = span.ran || span.starts;
    (0..all)
        .filter_map(|task| {
            Some(match span.state {
                State::Running => "RUNNING",
                State::Degraded if task > 0 => "RUNNING",
                State::Failed if span.on_previous() => "RUNNING",
                State::Degraded | State::Failed if started => "FAILED",
                State::Paused => "PAUSED",
                State::Restarting => "RESTARTING",
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
        chronicle::Episode,
        life::{Act, Run},
    };

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn episode() -> Episode {
        Episode {
            from: start(),
            run: Run::created(start()),
            class: "S3_SINK".into(),
            tasks: 2,
            topic: "claims-orders".into(),
            wrong: None,
        }
    }

    fn span(episode: &Episode, from: i64, to: i64, state: State) -> Span<'_> {
        Span {
            from: start() + from.minutes(),
            to: start() + to.minutes(),
            state,
            episode,
            starts: false,
            stops: false,
            ran: true,
        }
    }

    #[test]
    fn what_piles_up_while_a_sink_is_paused_is_worked_off_afterwards() {
        let curves = Curves {
            ids: Ids::new(1),
            id: "lcc-1",
            sink: true,
        };
        let (running, mut paused) = (episode(), episode());
        paused.run.act = Act::Paused;
        let spans = [
            span(&running, 0, 30, State::Running),
            span(&paused, 30, 60, State::Paused),
            span(&running, 60, 120, State::Running),
        ];
        let first = minute_of(start());
        let minutes = curves.minutes(&spans, first, first + 120);
        assert_eq!(minutes.len(), 120);
        let (before, during, after) = (&minutes[10..29], &minutes[31..59], &minutes[62..68]);
        assert!(before.iter().all(|minute| minute.records > 300.0 && minute.lag < 40.0));
        assert!(during.iter().all(|minute| minute.records < 1.0 && minute.bytes < 1.0));
        assert!(during.windows(2).all(|two| two[1].lag > two[0].lag), "it piles up");
        assert!(
            after.iter().all(|minute| minute.records > 1_000.0),
            "it catches up: {after:?}"
        );
        assert!(minutes[119].lag < 40.0);
        assert_eq!(
            (minutes[45].state, minutes[45].tasks.as_slice()),
            (State::Paused, ["PAUSED", "PAUSED"].as_slice())
        );
        // Whatever part is asked for, it is a part of the same whole.
        assert_eq!(curves.minutes(&spans, first + 50, first + 70), minutes[50..70]);
    }

    #[test]
    fn the_day_is_seen_in_the_curve() {
        let curves = Curves {
            ids: Ids::new(1),
            id: "lcc-1",
            sink: false,
        };
        let day: Vec<f64> = (0..24 * 60).map(|minute| curves.pace(minute)).collect();
        let (most, least) = (
            day.iter().copied().fold(0.0, f64::max),
            day.iter().copied().fold(f64::MAX, f64::min),
        );
        assert!(most > 700.0 && least < 500.0 && least > 100.0, "{least} to {most}");
    }
}
