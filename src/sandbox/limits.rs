//! Rate limits: how many requests a principal and the whole organization may send in a window of time.

use std::collections::HashMap;

use http::HeaderName;
use jiff::Timestamp;

use super::settings::RateLimit;

/// The windows that are open. They are not stored: a new process begins with full ones.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// Start of the window and requests in it, per principal; the organization is the empty name.
    open: HashMap<String, (i64, u32)>,
}

/// What a request is told about the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    limit: u32,
    remaining: u32,
    /// Seconds from now on (not since 1970) until the window ends (dossier `rbac.md` §4.7).
    reset: i64,
    pub(crate) exceeded: bool,
}

impl Windows {
    /// Counts a request.
    pub(crate) fn count(&mut self, limit: RateLimit, principal: &str, now: Timestamp) -> Verdict {
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
        Verdict {
            limit: limit.per_principal,
            remaining: limit.per_principal.saturating_sub(mine),
            reset: start + length - now.as_second(),
            exceeded: mine > limit.per_principal || all > limit.per_organization,
        }
    }
}

impl Verdict {
    /// The headers of the answer.
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

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn a_window_fills_and_the_next_one_is_empty() {
        let limit = RateLimit {
            per_principal: 2,
            per_organization: 3,
            window_seconds: 10,
        };
        let mut windows = Windows::default();
        let now: Timestamp = "2026-11-22T10:00:04Z".parse().unwrap();
        let exceeded = |windows: &mut Windows, who: &str, at| windows.count(limit, who, at).exceeded;
        assert!(!exceeded(&mut windows, "sa-1", now));
        assert!(!exceeded(&mut windows, "sa-1", now));
        let third = windows.count(limit, "sa-1", now);
        assert!(third.exceeded);
        assert_eq!((third.remaining, third.reset), (0, 6));
        assert!(
            exceeded(&mut windows, "sa-2", now),
            "the organization's limit counts all"
        );
        assert!(!exceeded(&mut windows, "sa-1", now + 6.seconds()));
    }
}
