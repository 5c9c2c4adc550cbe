//! States over time. These metrics are about 5 min late; the Connect API has the current state
//! (docs/reference/metrics.md#connector-metrics).

use jiff::Timestamp;
use serde::Serialize;

use super::series::TimeBuckets;
use crate::{api::metrics::Point, model::ConnectorState};

/// State of a connector or task per bucket. The metrics of both have the words of connector states.
#[derive(Clone, Debug, PartialEq)]
pub struct StateSeries {
    buckets: TimeBuckets,
    /// Worst state of each bucket; `None` if unknown.
    worst: Vec<Option<ConnectorState>>,
}

/// Interval in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateInterval {
    /// State.
    pub state: ConnectorState,
    /// Start.
    pub from: Timestamp,
    /// End, which is excluded.
    pub to: Timestamp,
}

/// Returns the rank of a state from worst to best; unlisted states rank before RUNNING
/// (docs/reference/metrics.md#connector-metrics, states on dashboards).
fn severity_rank(state: &ConnectorState) -> u8 {
    match state {
        ConnectorState::Failed => 0,
        ConnectorState::Degraded => 1,
        ConnectorState::Restarting => 2,
        ConnectorState::Paused => 3,
        ConnectorState::Running => 5,
        _ => 4,
    }
}

impl StateSeries {
    /// Creates a series without states.
    #[must_use]
    pub fn unknown(buckets: TimeBuckets) -> Self {
        Self {
            buckets,
            worst: vec![None; buckets.count()],
        }
    }

    /// Returns the time range.
    #[must_use]
    pub fn buckets(&self) -> TimeBuckets {
        self.buckets
    }

    /// Records `state` for the buckets of `points`, whose value is always 1.
    pub fn add(&mut self, state: &ConnectorState, points: &[Point]) {
        for (bucket, value) in self.buckets.assign(points) {
            let Some(known) = self.worst.get_mut(bucket).filter(|_| value > 0.0) else {
                continue;
            };
            if known
                .as_ref()
                .is_none_or(|known| severity_rank(state) < severity_rank(known))
            {
                *known = Some(state.clone());
            }
        }
    }

    /// Returns the worst state of a bucket.
    #[must_use]
    pub fn at(&self, bucket: usize) -> Option<&ConnectorState> {
        self.worst.get(bucket)?.as_ref()
    }

    /// Returns the consecutive intervals. An interval also ends where the state is unknown.
    #[must_use]
    pub fn intervals(&self) -> Vec<StateInterval> {
        let mut intervals: Vec<StateInterval> = Vec::new();
        for (bucket, state) in self.worst.iter().enumerate() {
            let Some(state) = state else { continue };
            let (from, to) = (self.buckets.bucket_start(bucket), self.buckets.bucket_start(bucket + 1));
            match intervals.last_mut() {
                Some(last) if last.state == *state && last.to == from => last.to = to,
                _ => intervals.push(StateInterval {
                    state: state.clone(),
                    from,
                    to,
                }),
            }
        }
        intervals
    }

    /// Counts the state changes in the last `buckets`. Paused, provisioning and unknown are ignored, because they are
    /// intended or uncertain.
    pub(super) fn count_changes(&self, buckets: usize) -> usize {
        let from = self.worst.len().saturating_sub(buckets);
        let known = self.worst[from..].iter().flatten();
        let mut own: Vec<&ConnectorState> = known
            .filter(|state| !matches!(state, ConnectorState::Paused | ConnectorState::Provisioning))
            .collect();
        own.dedup();
        own.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(minute: usize) -> Timestamp {
        format!("2026-08-20T08:{minute:02}:00Z").parse().unwrap()
    }

    fn states(minutes_by_state: &[(&str, &[usize])]) -> StateSeries {
        let now = "2026-08-20T09:00:00Z".parse().unwrap();
        let mut states = StateSeries::unknown(TimeBuckets::for_range(moment(0), moment(10), now).unwrap());
        for (state, minutes) in minutes_by_state {
            let point = |minute: &usize| Point {
                timestamp: moment(*minute),
                value: 1.0,
            };
            states.add(&(*state).into(), &minutes.iter().map(point).collect::<Vec<_>>());
        }
        states
    }

    #[test]
    fn an_interval_ends_where_the_state_changes_or_is_unknown() {
        let states = states(&[("RUNNING", &[0, 1, 2, 4, 5, 6]), ("FAILED", &[6, 7])]);
        let spans: Vec<(String, Timestamp, Timestamp)> = states
            .intervals()
            .into_iter()
            .map(|stay| (stay.state.to_string(), stay.from, stay.to))
            .collect();
        let stay = |state: &str, from, to| (state.to_owned(), moment(from), moment(to));
        assert_eq!(
            spans,
            [stay("RUNNING", 0, 3), stay("RUNNING", 4, 6), stay("FAILED", 6, 8)]
        );
        assert_eq!(
            (states.at(6), states.at(3), states.at(99)),
            (Some(&ConnectorState::Failed), None, None)
        );
    }

    #[test]
    fn a_pause_is_not_counted_as_a_state_change() {
        let changes = |minutes_by_state: &[(&str, &[usize])]| states(minutes_by_state).count_changes(60);
        assert_eq!(changes(&[("RUNNING", &[0, 1, 4]), ("PAUSED", &[2, 3])]), 0);
        assert_eq!(changes(&[("PROVISIONING", &[0]), ("RUNNING", &[1, 2])]), 0);
        assert_eq!(changes(&[("RUNNING", &[0, 1]), ("FAILED", &[2, 3])]), 1);
        assert_eq!(changes(&[("RUNNING", &[0, 3, 6]), ("FAILED", &[1, 4])]), 4);
        assert_eq!(states(&[("RUNNING", &[0, 3]), ("FAILED", &[1])]).count_changes(9), 1);
        assert_eq!(changes(&[]), 0);
    }
}
