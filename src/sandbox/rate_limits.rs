//! Rate limits: fixed windows per principal and organization, and sliding windows per resource.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use http::HeaderName;
use jiff::Timestamp;

use super::settings::RateLimit;

/// Current windows of the general rate limit. Not stored: a new process starts with empty windows.
#[derive(Debug, Default)]
pub(crate) struct RateLimitWindows {
    /// Start of the window and its number of requests per principal; the empty name is the organization.
    open: HashMap<String, (i64, u32)>,
}

/// Rate limit information for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimitStatus {
    limit: u32,
    remaining: u32,
    /// Seconds from now (not since 1970) until the window ends (docs/reference/rbac.md#rate-limits-and-retries).
    reset: i64,
    pub(crate) exceeded: bool,
}

impl RateLimitWindows {
    /// Counts a request.
    pub(crate) fn record_request(&mut self, limit: RateLimit, principal: &str, now: Timestamp) -> RateLimitStatus {
        let length = i64::from(limit.window_seconds);
        let start = now.as_second().div_euclid(length) * length;
        let mut used = |name: &str| {
            let window = self.open.entry(name.to_owned()).or_insert((start, 0));
            if window.0 != start {
                *window = (start, 0);
            }
            window.1 = window.1.saturating_add(1);
            window.1
        };
        let (mine, all) = (used(principal), used(""));
        RateLimitStatus {
            limit: limit.per_principal,
            remaining: limit.per_principal.saturating_sub(mine),
            reset: start + length - now.as_second(),
            exceeded: mine > limit.per_principal || all > limit.per_organization,
        }
    }
}

impl RateLimitStatus {
    /// Returns the rate limit headers of the response.
    pub(crate) fn headers(self) -> Vec<(HeaderName, String)> {
        let named = |name, value: String| (HeaderName::from_static(name), value);
        let mut headers = vec![
            named("x-ratelimit-limit", self.limit.to_string()),
            named("x-ratelimit-remaining", self.remaining.to_string()),
            named("x-ratelimit-reset", self.reset.to_string()),
        ];
        if self.exceeded {
            headers.push(named("retry-after", self.reset.to_string()));
        }
        headers
    }
}

/// Sliding windows per resource. Not stored, like [`RateLimitWindows`].
#[derive(Debug, Default)]
pub(crate) struct RequestMeters {
    recent: HashMap<String, VecDeque<Timestamp>>,
}

impl RequestMeters {
    /// Counts a request for `what`, with a limit of `most` requests in any period of length `within`. The error is the
    /// time until the next allowed request. Rejected requests do not count.
    pub(crate) fn consume(&mut self, what: &str, most: u32, within: Duration, now: Timestamp) -> Result<(), Duration> {
        let spent = self.recent.entry(what.to_owned()).or_default();
        let age = |then: Timestamp| Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO);
        while spent.front().is_some_and(|then| age(*then) >= within) {
            spent.pop_front();
        }
        if spent.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            let first = spent.front().copied().unwrap_or(now);
            return Err(within.saturating_sub(age(first)));
        }
        spent.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn a_rate_limit_window_fills_up_and_the_next_one_is_empty() {
        let limit = RateLimit {
            per_principal: 2,
            per_organization: 3,
            window_seconds: 10,
        };
        let mut windows = RateLimitWindows::default();
        let now: Timestamp = "2026-11-22T10:00:04Z".parse().unwrap();
        let exceeded = |windows: &mut RateLimitWindows, who: &str, at| windows.record_request(limit, who, at).exceeded;
        assert!(!exceeded(&mut windows, "sa-1", now));
        assert!(!exceeded(&mut windows, "sa-1", now));
        let third = windows.record_request(limit, "sa-1", now);
        assert!(third.exceeded);
        assert_eq!((third.remaining, third.reset), (0, 6));
        assert!(
            exceeded(&mut windows, "sa-2", now),
            "the organization's limit counts all principals"
        );
        assert!(!exceeded(&mut windows, "sa-1", now + 6.seconds()));
    }

    // Source: docs/reference/logs.md#limits-and-errors. Five per minute; the sixth is rejected.
    #[test]
    fn any_minute_allows_at_most_five_requests() {
        let mut meters = RequestMeters::default();
        let now: Timestamp = "2026-11-22T10:00:30Z".parse().unwrap();
        let mut spend = |seconds: i64| {
            let at = now + jiff::SignedDuration::from_secs(seconds);
            meters.consume("lcc-1", 5, Duration::from_mins(1), at).err()
        };
        for second in [0, 10, 20, 30, 40] {
            assert_eq!(spend(second), None);
        }
        assert_eq!(spend(50), Some(Duration::from_secs(10)));
        assert_eq!(spend(60), None, "the first is a minute ago");
        assert_eq!(spend(61), Some(Duration::from_secs(9)));
        assert_eq!(meters.consume("lcc-2", 5, Duration::from_mins(1), now), Ok(()));
    }
}
