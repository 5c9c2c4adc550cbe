//! Values over time. The service omits minutes with a zero count as well as unknown minutes
//! (docs/reference/metrics.md#connector-metrics), so a missing value is not treated as zero.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::metrics::{Granularity, PUBLISH_DELAY, Point};

/// Seconds per minute.
const MINUTE: i64 = 60;
/// Seconds per hour, the coarsest bucket in use.
const HOUR: i64 = 60 * MINUTE;

/// Time range in buckets aligned to UTC. The last bucket may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBuckets {
    from: Timestamp,
    to: Timestamp,
    granularity: Granularity,
}

fn floor(moment: Timestamp, seconds: i64) -> Timestamp {
    let whole = moment.as_second().div_euclid(seconds) * seconds;
    Timestamp::from_second(whole).unwrap_or(moment)
}

impl TimeBuckets {
    /// Returns the range from about `from` to `to` with the finest granularity that the service allows, ending where
    /// values are complete at `now` (docs/reference/metrics.md#limits-and-delay). Returns `None` if the range is empty.
    #[must_use]
    pub fn for_range(from: Timestamp, to: Timestamp, now: Timestamp) -> Option<Self> {
        let ready = now.saturating_sub(PUBLISH_DELAY).unwrap_or(Timestamp::MIN);
        let to = floor(to.min(ready), MINUTE);
        let mut grid = Self {
            from: floor(from, MINUTE),
            to,
            granularity: Granularity::Minute,
        };
        // Alignment extends the range to the past, which may require a coarser granularity.
        loop {
            let finest = Granularity::finest_for(grid.granularity_duration());
            if finest <= grid.granularity {
                break;
            }
            grid.granularity = finest;
            grid.from = floor(from, grid.bucket_seconds());
        }
        (grid.from < grid.to).then_some(grid)
    }

    /// Returns the start.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.from
    }

    /// Returns the end, which is excluded.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.to
    }

    /// Returns the granularity.
    #[must_use]
    pub fn granularity(&self) -> Granularity {
        self.granularity
    }

    fn granularity_duration(&self) -> Duration {
        Duration::try_from(self.to.duration_since(self.from)).unwrap_or(Duration::ZERO)
    }

    /// Returns the seconds per bucket.
    fn bucket_seconds(&self) -> i64 {
        let length = self.granularity.bucket_length().map(|length| length.as_secs());
        length.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(HOUR)
    }

    /// Returns the number of buckets.
    #[must_use]
    pub fn count(&self) -> usize {
        let seconds = self.to.as_second() - self.from.as_second();
        usize::try_from(seconds.div_euclid(self.bucket_seconds()) + i64::from(seconds % self.bucket_seconds() > 0))
            .unwrap_or(0)
    }

    /// Returns the start of a bucket.
    #[must_use]
    pub fn bucket_start(&self, bucket: usize) -> Timestamp {
        let seconds = i64::try_from(bucket)
            .unwrap_or(i64::MAX)
            .saturating_mul(self.bucket_seconds());
        let begin = self.from.saturating_add(SignedDuration::from_secs(seconds));
        begin.unwrap_or(self.to).min(self.to)
    }

    /// Returns the length of a bucket in minutes.
    #[must_use]
    pub fn bucket_minutes(&self, bucket: usize) -> f64 {
        self.bucket_start(bucket + 1)
            .duration_since(self.bucket_start(bucket))
            .as_secs_f64()
            / 60.0
    }

    /// Returns the bucket that contains a time.
    fn bucket_of(&self, moment: Timestamp) -> Option<usize> {
        let within = moment >= self.from && moment < self.to;
        let seconds = moment.as_second() - self.from.as_second();
        within
            .then(|| usize::try_from(seconds.div_euclid(self.bucket_seconds())).ok())
            .flatten()
    }

    /// Assigns points to buckets and drops those outside of the range.
    pub(super) fn assign(self, points: &[Point]) -> impl Iterator<Item = (usize, f64)> {
        let known = points.iter().filter(|point| point.value.is_finite());
        known.filter_map(move |point| Some((self.bucket_of(point.timestamp)?, point.value)))
    }
}

/// Values of one metric of one connector.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeries {
    buckets: TimeBuckets,
    values: Vec<Option<f64>>,
}

impl MetricSeries {
    /// Creates a series without values.
    #[must_use]
    pub fn unknown(buckets: TimeBuckets) -> Self {
        Self {
            buckets,
            values: vec![None; buckets.count()],
        }
    }

    /// Adds reported values.
    pub fn add(&mut self, points: &[Point]) {
        for (bucket, value) in self.buckets.assign(points) {
            self.set(bucket, value);
        }
    }

    pub(super) fn set(&mut self, bucket: usize, value: f64) {
        if let Some(place) = self.values.get_mut(bucket) {
            *place = Some(value.max(0.0));
        }
    }

    /// Returns the time range.
    #[must_use]
    pub fn buckets(&self) -> TimeBuckets {
        self.buckets
    }

    /// Returns the value of each bucket.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// Returns the known values with their times.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.values.iter().enumerate().filter_map(|(bucket, value)| {
            Some(Point {
                timestamp: self.buckets.bucket_start(bucket),
                value: (*value)?,
            })
        })
    }

    fn known_values(&self) -> impl Iterator<Item = f64> {
        self.values.iter().flatten().copied()
    }

    /// Returns whether there is any value.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.known_values().next().is_some()
    }

    /// Returns the value of the last bucket.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied().flatten()
    }

    /// Returns the largest value.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        self.known_values().reduce(f64::max)
    }

    /// Returns the sum of all values, for counters.
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        self.has_values().then(|| self.known_values().sum())
    }

    /// Returns the mean of the known values, for gauges.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = u32::try_from(self.known_values().count())
            .ok()
            .filter(|count| *count > 0)?;
        Some(self.total()? / f64::from(count))
    }

    /// Returns a counter per minute, because buckets may be longer than 1 min.
    #[must_use]
    pub fn per_minute(&self) -> Self {
        let per_minute =
            |(bucket, value): (usize, &Option<f64>)| value.map(|value| value / self.buckets.bucket_minutes(bucket));
        Self {
            buckets: self.buckets,
            values: self.values.iter().enumerate().map(per_minute).collect(),
        }
    }

    /// Returns a counter per minute of the whole range (docs/reference/metrics.md#signs-of-trouble: the sum divided by
    /// the time).
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        Some(self.total()? / (self.buckets.granularity_duration().as_secs_f64() / 60.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn time_buckets(from: &str, to: &str) -> TimeBuckets {
        TimeBuckets::for_range(moment(from), moment(to), moment("2026-08-27T08:00:00Z")).unwrap()
    }

    // Values are about 5 min late (docs/reference/metrics.md#limits-and-delay).
    #[test]
    fn a_range_ends_where_values_are_complete() {
        let now = moment("2026-08-20T08:07:31Z");
        let buckets = TimeBuckets::for_range(moment("2026-08-20T07:07:31Z"), now, now).unwrap();
        assert_eq!(buckets.start(), moment("2026-08-20T07:07:00Z"));
        assert_eq!(buckets.end(), moment("2026-08-20T08:02:00Z"));
        assert_eq!((buckets.granularity(), buckets.count()), (Granularity::Minute, 55));
        assert_eq!(TimeBuckets::for_range(moment("2026-08-20T08:02:31Z"), now, now), None);
        assert_eq!(TimeBuckets::for_range(now, moment("2026-08-20T07:00:00Z"), now), None);
    }

    #[test]
    fn the_last_bucket_may_be_shorter() {
        let buckets = time_buckets("2026-08-20T00:03:00Z", "2026-08-20T07:07:00Z");
        assert_eq!(buckets.granularity(), Granularity::FiveMinutes);
        assert_eq!(buckets.start(), moment("2026-08-20T00:00:00Z"));
        assert_eq!(buckets.count(), 86);
        let minutes: Vec<f64> = [0, 84, 85]
            .into_iter()
            .map(|bucket| buckets.bucket_minutes(bucket))
            .collect();
        assert_eq!(minutes, [5.0, 5.0, 2.0]);
        let mut series = MetricSeries::unknown(buckets);
        let point = |text, value| Point {
            timestamp: moment(text),
            value,
        };
        series.add(&[point("2026-08-20T07:05:00Z", 20.0), point("2026-08-20T00:00:00Z", 20.0)]);
        let rates = series.per_minute();
        assert_eq!((rates.values()[0], rates.last()), (Some(4.0), Some(10.0)));
        assert_eq!(series.total(), Some(40.0));
    }

    #[test]
    fn no_value_is_not_zero() {
        let buckets = time_buckets("2026-08-20T08:00:00Z", "2026-08-20T08:04:00Z");
        let mut series = MetricSeries::unknown(buckets);
        assert_eq!(
            (series.total(), series.mean(), series.peak(), series.rate()),
            (None, None, None, None)
        );
        let point = |minute: u32, value| Point {
            timestamp: moment(&format!("2026-08-20T08:{minute:02}:00Z")),
            value,
        };
        // Points outside of the range and NaN are dropped.
        series.add(&[point(4, 9.0), point(59, 9.0), point(2, f64::NAN)]);
        assert!(!series.has_values());
        series.add(&[point(0, 0.0), point(1, 8.0)]);
        assert_eq!(series.values(), [Some(0.0), Some(8.0), None, None]);
        assert_eq!(
            (series.mean(), series.rate(), series.last()),
            (Some(4.0), Some(2.0), None)
        );
        assert_eq!(series.points().count(), 2);
    }

    proptest! {
        // Each granularity has a maximum interval, and buckets align to UTC (docs/reference/metrics.md#queries).
        #[test]
        fn every_range_is_one_that_the_service_accepts(
            seconds in 1_i64..2_000_000,
            back in 0_i64..100_000,
        ) {
            let now = moment("2026-08-27T08:00:13Z");
            let to = now - SignedDuration::from_secs(back);
            let from = to - SignedDuration::from_secs(seconds);
            if let Some(grid) = TimeBuckets::for_range(from, to, now) {
                prop_assert!(grid.granularity().max_interval().is_none_or(|longest| grid.granularity_duration() <= longest));
                prop_assert_eq!(grid.start().as_second() % grid.bucket_seconds(), 0);
                prop_assert!(grid.start() <= from && grid.end() <= to);
                prop_assert!(now.duration_since(grid.end()).as_secs() >= 300);
                let minutes: f64 = (0..grid.count()).map(|bucket| grid.bucket_minutes(bucket)).sum();
                prop_assert!((minutes * 60.0 - grid.granularity_duration().as_secs_f64()).abs() < 1e-3);
                for bucket in 0..grid.count() {
                    prop_assert_eq!(grid.bucket_of(grid.bucket_start(bucket)), Some(bucket));
                }
            } else {
                prop_assert!(to.duration_since(from).as_secs() < 400 + 60);
            }
        }
    }
}
