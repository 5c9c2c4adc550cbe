//! Retry policy: when to send a request again, and how long to wait (docs/reference/rbac.md#rate-limits-and-retries).
//! Pure: the caller does the waiting.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, header};
use jiff::{Timestamp, fmt::rfc2822};

/// Retry policy of a client.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// Maximum total wait of one call, over all attempts.
    pub budget: Duration,
    /// Maximum number of attempts after failures of the service or the connection. A 429 does not count as an attempt:
    /// only the budget limits those waits.
    pub max_attempts: u32,
    /// First wait, which doubles with each failure.
    pub base: Duration,
    /// Maximum wait, unless the service requests a longer one.
    pub cap: Duration,
    /// Minimum wait after a 429 without a requested wait. Zero for most services; a limit per minute needs more,
    /// because each early retry counts against it (docs/reference/logs.md#limits-and-errors).
    pub min_throttle_wait: Duration,
}

impl Default for RetryPolicy {
    /// Waits and attempts of both clients of Confluent (docs/reference/rbac.md#rate-limits-and-retries), with a budget
    /// of five minutes.
    fn default() -> Self {
        Self {
            budget: Duration::from_mins(5),
            max_attempts: 5,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            min_throttle_wait: Duration::ZERO,
        }
    }
}

impl RetryPolicy {
    /// Returns a policy that sends each request once, for checks and for values that a command can do without.
    #[must_use]
    pub fn no_retry() -> Self {
        Self {
            max_attempts: 1,
            budget: Duration::ZERO,
            ..Self::default()
        }
    }

    /// Returns the wait after this many failures in a row: a random part of the doubled base (full jitter).
    pub(super) fn backoff(&self, failures: u32, jitter: &Jitter) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        jitter.up_to(self.base.saturating_mul(1 << doublings).min(self.cap))
    }

    /// Returns the wait after a 429. The requested wait is a lower bound, so jitter only adds to it; without a request
    /// it is the back-off.
    pub(super) fn throttle_backoff(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
        times: u32,
        jitter: &Jitter,
    ) -> Duration {
        let Some(asked) = requested_wait(headers, now) else {
            return self.backoff(times, jitter).max(self.min_throttle_wait);
        };
        // A service that repeatedly requests zero seconds must not cause a burst of retries.
        let floor = Duration::from_millis(100)
            .saturating_mul(1 << times.min(4))
            .min(self.base);
        let wait = asked.max(floor);
        wait.saturating_add(jitter.up_to((wait / 10).min(self.base)))
    }
}

/// Returns the requested wait: `Retry-After` in seconds or as a date, else `X-RateLimit-Reset`, which counts seconds
/// from now, not since 1970 (docs/reference/rbac.md#rate-limits-and-retries).
pub(super) fn requested_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |name: &str| {
        text(name)
            .and_then(|text| text.parse::<u64>().ok())
            .map(Duration::from_secs)
    };
    let date = |name: &str| text(name).and_then(|text| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    let until_date = || {
        let end = date(header::RETRY_AFTER.as_str())?;
        // Use the service's clock if it sends a date, since the local clock may be wrong.
        let start = date(header::DATE.as_str()).unwrap_or(now);
        Some(Duration::try_from(end.duration_since(start)).unwrap_or(Duration::ZERO))
    };
    seconds(header::RETRY_AFTER.as_str())
        .or_else(until_date)
        .or_else(|| seconds("x-ratelimit-reset"))
}

/// Source of randomness for waits; fixed in tests.
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn(Duration) -> Duration + Send + Sync>);

impl Jitter {
    /// Returns a uniformly random duration up to the ceiling.
    #[must_use]
    pub fn random() -> Self {
        Self(Arc::new(|ceiling| {
            let ceiling = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
            // Without a source of randomness, use half.
            let drawn = getrandom::u64().map_or(ceiling / 2, |drawn| drawn % ceiling.saturating_add(1).max(1));
            Duration::from_micros(drawn)
        }))
    }

    /// Always returns the ceiling, for the longest possible waits.
    #[must_use]
    pub fn ceiling() -> Self {
        Self(Arc::new(|ceiling| ceiling))
    }

    /// Always returns zero, for the shortest possible waits.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(|_| Duration::ZERO))
    }

    fn up_to(&self, ceiling: Duration) -> Duration {
        (self.0)(ceiling).min(ceiling)
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Jitter")
    }
}

/// Notice that a call waits before its next attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryNotice {
    /// Call: `create role binding …`.
    pub call: String,
    /// Reason of the failure.
    pub reason: String,
    /// Length of the wait.
    pub wait: Duration,
    /// Attempts so far.
    pub attempts: u32,
}

/// Listener for retries. It runs between attempts and must be cheap.
pub type RetryListener = Arc<dyn Fn(&RetryNotice) + Send + Sync>;

/// Number of attempts of a call and the time waited between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How often the request was sent.
    pub count: u32,
    /// Time waited, on the client's clock.
    pub waited: Duration,
}

impl fmt::Display for Attempts {
    /// Writes nothing for one attempt, else ` (5 attempts, 31 s of waiting)`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count < 2 {
            return Ok(());
        }
        write!(
            out,
            " ({} attempts, {} of waiting)",
            self.count,
            DisplaySeconds(self.waited)
        )
    }
}

/// Duration displayed in seconds, or in milliseconds below one second.
pub(super) struct DisplaySeconds(pub(super) Duration);

impl fmt::Display for DisplaySeconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(out, "{} ms", self.0.as_millis()),
            seconds => write!(out, "{seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_wait_is_read_from_three_headers() {
        let now = Timestamp::UNIX_EPOCH;
        let asked = |pairs: &[(&'static str, &str)]| requested_wait(&headers(pairs), now).map(|wait| wait.as_secs());
        assert_eq!(asked(&[("retry-after", "7"), ("x-ratelimit-reset", "60")]), Some(7));
        assert_eq!(asked(&[("retry-after", "Thu, 01 Jan 1970 00:00:42 GMT")]), Some(42));
        let on_its_clock = [
            ("retry-after", "Sun, 22 Nov 2026 12:00:42 GMT"),
            ("date", "Sun, 22 Nov 2026 12:00:02 GMT"),
        ];
        assert_eq!(asked(&on_its_clock), Some(40));
        assert_eq!(asked(&[("retry-after", "Wed, 31 Dec 1969 23:00:00 GMT")]), Some(0));
        assert_eq!(asked(&[("retry-after", "soon"), ("x-ratelimit-reset", "60")]), Some(60));
        assert_eq!(asked(&[("x-ratelimit-reset", "3")]), Some(3));
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn the_backoff_doubles_up_to_its_cap_and_jitter_only_shortens_it() {
        let policy = RetryPolicy::default();
        let waits = |jitter: Jitter| {
            (1..=7)
                .map(|n| policy.backoff(n, &jitter).as_secs())
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(Jitter::ceiling()), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(waits(Jitter::none()), [0; 7]);
        let random = Jitter::random();
        assert!((0..200).all(|n| policy.backoff(n, &random) <= policy.cap));
    }

    #[test]
    fn jitter_never_shortens_the_wait_that_the_service_requested() {
        let policy = RetryPolicy::default();
        let wait = |value: &str, times, jitter: &Jitter| {
            policy.throttle_backoff(
                &headers(&[("retry-after", value)]),
                Timestamp::UNIX_EPOCH,
                times,
                jitter,
            )
        };
        assert_eq!(wait("5", 1, &Jitter::none()), Duration::from_secs(5));
        assert_eq!(wait("5", 1, &Jitter::ceiling()), Duration::from_millis(5500));
        assert_eq!(wait("120", 1, &Jitter::ceiling()), Duration::from_secs(121));
        assert_eq!(wait("0", 1, &Jitter::none()), Duration::from_millis(200));
        assert_eq!(wait("0", 9, &Jitter::none()), Duration::from_secs(1));
    }
}
