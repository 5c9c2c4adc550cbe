//! Values over time. The service says nothing of minutes in which nothing was counted, and nothing of minutes that it does
//! not know (dossier `metrics.md` §2): no value is not zero, and is never made up here.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::metrics::{Granularity, LATENCY, Point};

/// Seconds of a minute.
const MINUTE: i64 = 60;
/// The coarsest buckets that are used.
const HOUR: i64 = 60 * MINUTE;

/// A stretch of time, cut into buckets that are aligned to UTC. The last one may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    from: Timestamp,
    to: Timestamp,
    granularity: Granularity,
}

fn floor(moment: Timestamp, seconds: i64) -> Timestamp {
    let whole = moment.as_second().div_euclid(seconds) * seconds;
    Timestamp::from_second(whole).unwrap_or(moment)
}

impl Grid {
    /// From about `from` until `to`, in the finest buckets that the service allows; no further than values are ready at
    /// `now` (dossier `metrics.md` §5). Nothing when none are.
    #[must_use]
    pub fn of(from: Timestamp, to: Timestamp, now: Timestamp) -> Option<Self> {
        let ready = now.saturating_sub(LATENCY).unwrap_or(Timestamp::MIN);
        let to = floor(to.min(ready), MINUTE);
        let mut grid = Self {
            from: floor(from, MINUTE),
            to,
            granularity: Granularity::Minute,
        };
        // A bucket begins before what was asked for, so that the whole may become longer than its buckets are allowed for.
        loop {
            let finest = Granularity::finest(grid.length());
            if finest <= grid.granularity {
                break;
            }
            grid.granularity = finest;
            grid.from = floor(from, grid.step());
        }
        (grid.from < grid.to).then_some(grid)
    }

    /// The beginning.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// The end, which is not included.
    #[must_use]
    pub fn to(&self) -> Timestamp {
        self.to
    }

    /// The length of its buckets.
    #[must_use]
    pub fn granularity(&self) -> Granularity {
        self.granularity
    }

    fn length(&self) -> Duration {
        Duration::try_from(self.to.duration_since(self.from)).unwrap_or(Duration::ZERO)
    }

    /// Seconds of a bucket.
    fn step(&self) -> i64 {
        let length = self.granularity.length().map(|length| length.as_secs());
        length.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(HOUR)
    }

    /// How many buckets there are.
    #[must_use]
    pub fn buckets(&self) -> usize {
        let seconds = self.to.as_second() - self.from.as_second();
        usize::try_from(seconds.div_euclid(self.step()) + i64::from(seconds % self.step() > 0)).unwrap_or(0)
    }

    /// When a bucket begins.
    #[must_use]
    pub fn begin(&self, bucket: usize) -> Timestamp {
        let seconds = i64::try_from(bucket).unwrap_or(i64::MAX).saturating_mul(self.step());
        let begin = self.from.saturating_add(SignedDuration::from_secs(seconds));
        begin.unwrap_or(self.to).min(self.to)
    }

    /// How many minutes a bucket is about.
    #[must_use]
    pub fn minutes(&self, bucket: usize) -> f64 {
        self.begin(bucket + 1).duration_since(self.begin(bucket)).as_secs_f64() / 60.0
    }

    /// The bucket that a moment lies in.
    fn bucket(&self, moment: Timestamp) -> Option<usize> {
        let within = moment >= self.from && moment < self.to;
        let seconds = moment.as_second() - self.from.as_second();
        within
            .then(|| usize::try_from(seconds.div_euclid(self.step())).ok())
            .flatten()
    }

    /// The buckets of points, as far as they lie in it.
    pub(super) fn place(self, points: &[Point]) -> impl Iterator<Item = (usize, f64)> {
        let known = points.iter().filter(|point| point.value.is_finite());
        known.filter_map(move |point| Some((self.bucket(point.timestamp)?, point.value)))
    }
}

/// The values of one metric of one connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    grid: Grid,
    values: Vec<Option<f64>>,
}

impl Curve {
    /// Nothing is known yet.
    #[must_use]
    pub fn unknown(grid: Grid) -> Self {
        Self {
            grid,
            values: vec![None; grid.buckets()],
        }
    }

    /// Takes in what the service says.
    pub fn add(&mut self, points: &[Point]) {
        for (bucket, value) in self.grid.place(points) {
            self.set(bucket, value);
        }
    }

    pub(super) fn set(&mut self, bucket: usize, value: f64) {
        if let Some(place) = self.values.get_mut(bucket) {
            *place = Some(value.max(0.0));
        }
    }

    /// The time that it is about.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Its values, bucket by bucket.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// What the service said, and of when.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.values.iter().enumerate().filter_map(|(bucket, value)| {
            Some(Point {
                timestamp: self.grid.begin(bucket),
                value: (*value)?,
            })
        })
    }

    fn known(&self) -> impl Iterator<Item = f64> {
        self.values.iter().flatten().copied()
    }

    /// Whether the service said anything.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known().next().is_some()
    }

    /// The latest bucket's value.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied().flatten()
    }

    /// The largest value.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        self.known().reduce(f64::max)
    }

    /// All values together, of what is counted.
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        self.is_known().then(|| self.known().sum())
    }

    /// The mean of what the service said, for what is a state of things and not counted.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = u32::try_from(self.known().count()).ok().filter(|count| *count > 0)?;
        Some(self.total()? / f64::from(count))
    }

    /// What is counted, per minute: a bucket may be longer than one.
    #[must_use]
    pub fn per_minute(&self) -> Self {
        let per_minute = |(bucket, value): (usize, &Option<f64>)| value.map(|value| value / self.grid.minutes(bucket));
        Self {
            grid: self.grid,
            values: self.values.iter().enumerate().map(per_minute).collect(),
        }
    }

    /// What is counted, per minute of the whole time (dossier `metrics.md` §7: the sum over the time).
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        Some(self.total()? / (self.grid.length().as_secs_f64() / 60.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn grid(from: &str, to: &str) -> Grid {
        Grid::of(moment(from), moment(to), moment("2026-08-27T08:00:00Z")).unwrap()
    }

    // Dossier `metrics.md` §5: about five minutes late.
    #[test]
    fn it_ends_where_values_are_ready() {
        let now = moment("2026-08-20T08:07:31Z");
        let grid = Grid::of(moment("2026-08-20T07:07:31Z"), now, now).unwrap();
        assert_eq!(grid.from(), moment("2026-08-20T07:07:00Z"));
        assert_eq!(grid.to(), moment("2026-08-20T08:02:00Z"));
        assert_eq!((grid.granularity(), grid.buckets()), (Granularity::Minute, 55));
        assert_eq!(Grid::of(moment("2026-08-20T08:02:31Z"), now, now), None);
        assert_eq!(Grid::of(now, moment("2026-08-20T07:00:00Z"), now), None);
    }

    #[test]
    fn the_last_bucket_may_be_shorter() {
        let grid = grid("2026-08-20T00:03:00Z", "2026-08-20T07:07:00Z");
        assert_eq!(grid.granularity(), Granularity::FiveMinutes);
        assert_eq!(grid.from(), moment("2026-08-20T00:00:00Z"));
        assert_eq!(grid.buckets(), 86);
        let minutes: Vec<f64> = [0, 84, 85].into_iter().map(|bucket| grid.minutes(bucket)).collect();
        assert_eq!(minutes, [5.0, 5.0, 2.0]);
        let mut curve = Curve::unknown(grid);
        let point = |text, value| Point {
            timestamp: moment(text),
            value,
        };
        curve.add(&[point("2026-08-20T07:05:00Z", 20.0), point("2026-08-20T00:00:00Z", 20.0)]);
        let rates = curve.per_minute();
        assert_eq!((rates.values()[0], rates.last()), (Some(4.0), Some(10.0)));
        assert_eq!(curve.total(), Some(40.0));
    }

    #[test]
    fn no_value_is_not_zero() {
        let grid = grid("2026-08-20T08:00:00Z", "2026-08-20T08:04:00Z");
        let mut curve = Curve::unknown(grid);
        assert_eq!(
            (curve.total(), curve.mean(), curve.peak(), curve.rate()),
            (None, None, None, None)
        );
        let point = |minute: u32, value| Point {
            timestamp: moment(&format!("2026-08-20T08:{minute:02}:00Z")),
            value,
        };
        // What lies outside is nobody's, and what is no number is no value.
        curve.add(&[point(4, 9.0), point(59, 9.0), point(2, f64::NAN)]);
        assert!(!curve.is_known());
        curve.add(&[point(0, 0.0), point(1, 8.0)]);
        assert_eq!(curve.values(), [Some(0.0), Some(8.0), None, None]);
        assert_eq!((curve.mean(), curve.rate(), curve.last()), (Some(4.0), Some(2.0), None));
        assert_eq!(curve.points().count(), 2);
    }

    proptest! {
        // Dossier `metrics.md` §3: each granularity has a longest interval, and buckets align to UTC.
        #[test]
        fn what_is_asked_is_what_the_service_allows(
            seconds in 1_i64..2_000_000,
            back in 0_i64..100_000,
        ) {
            let now = moment("2026-08-27T08:00:13Z");
            let to = now - SignedDuration::from_secs(back);
            let from = to - SignedDuration::from_secs(seconds);
            if let Some(grid) = Grid::of(from, to, now) {
                prop_assert!(grid.granularity().longest().is_none_or(|longest| grid.length() <= longest));
                prop_assert_eq!(grid.from().as_second() % grid.step(), 0);
                prop_assert!(grid.from() <= from && grid.to() <= to);
                prop_assert!(now.duration_since(grid.to()).as_secs() >= 300);
                let minutes: f64 = (0..grid.buckets()).map(|bucket| grid.minutes(bucket)).sum();
                prop_assert!((minutes * 60.0 - grid.length().as_secs_f64()).abs() < 1e-3);
                for bucket in 0..grid.buckets() {
                    prop_assert_eq!(grid.bucket(grid.begin(bucket)), Some(bucket));
                }
            } else {
                prop_assert!(to.duration_since(from).as_secs() < 400 + 60);
            }
        }
    }
}
