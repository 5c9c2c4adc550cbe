//! Check of the local clock against the service's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{CheckResult, network::HostReachability};

/// Maximum tolerated skew. A larger one breaks tokens that live for minutes and falsifies the times in evidence and
/// journals.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Compares the local clock with the date of a response, on the system `os`. `inside` tells whether the service runs in
/// this process.
#[must_use]
pub fn check_clock(reachability: &HostReachability, os: &str, inside: bool) -> CheckResult {
    const NAME: &str = "clock";
    if inside {
        return CheckResult::ok(NAME, "not compared: the sandbox has its own clock");
    }
    let date = match &reachability.response {
        Ok(answer) => answer.date,
        Err(_) => return CheckResult::unknown(NAME, "not compared: no response"),
    };
    let Some(date) = date else {
        return CheckResult::unknown(NAME, "not compared: the response has no date");
    };
    let skew = clock_skew(date, reachability.started_at, reachability.elapsed);
    if skew.abs() <= TOLERANCE {
        return CheckResult::ok(NAME, "within one minute of the service's clock");
    }
    let direction = if skew.is_positive() { "behind" } else { "ahead of" };
    let fix = match os {
        "windows" => "Set it with `w32tm /resync`, run as an administrator.",
        "macos" => "Set it with `sudo sntp -sS time.apple.com`.",
        _ => "Enable time synchronization with `sudo timedatectl set-ntp true`.",
    };
    CheckResult::problem(
        NAME,
        format!("{} {direction} the service's clock", format_skew(skew.abs())),
        fix,
    )
}

/// Returns how far the service's clock is ahead. The service read its clock between request and response and reports
/// whole seconds; a difference within that range counts as zero.
fn clock_skew(date: Timestamp, began: Timestamp, took: Duration) -> SignedDuration {
    let took = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX);
    let earliest = began
        .saturating_sub(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MIN);
    let latest = began.saturating_add(took).unwrap_or(Timestamp::MAX);
    if date < earliest {
        date.duration_since(earliest)
    } else if date > latest {
        date.duration_since(latest)
    } else {
        SignedDuration::ZERO
    }
}

fn format_skew(difference: SignedDuration) -> String {
    match difference.as_hours() {
        hours @ 48.. => format!("{} d", hours / 24),
        hours @ 2.. => format!("{hours} h"),
        _ => format!("{} min", difference.as_mins()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{CheckState, network::HostResponse};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn run_check(date: Option<&str>, took: u64) -> CheckResult {
        let knock = HostReachability {
            host: "api.confluent.cloud".into(),
            started_at: at("2026-11-22T12:00:00.9Z"),
            elapsed: Duration::from_secs(took),
            response: Ok(HostResponse {
                date: date.map(at),
                ..HostResponse::default()
            }),
        };
        check_clock(&knock, "linux", false)
    }

    #[test]
    fn a_skew_below_a_minute_and_a_slow_response_are_ok() {
        for (date, took) in [
            ("2026-11-22T12:00:00Z", 0),
            ("2026-11-22T12:01:00Z", 0),
            ("2026-11-22T11:59:00Z", 0),
            ("2026-11-22T12:02:30Z", 90),
        ] {
            assert_eq!(run_check(Some(date), took).state, CheckState::Ok, "{date} {took}");
        }
    }

    #[test]
    fn a_larger_skew_is_reported_with_its_direction_and_a_command() {
        for (date, expected) in [
            ("2026-11-22T12:05:01Z", "5 min behind the service's clock"),
            ("2026-11-22T11:30:00Z", "29 min ahead of the service's clock"),
            ("2026-11-22T17:00:00Z", "4 h behind the service's clock"),
            ("2025-11-22T12:00:00Z", "364 d ahead of the service's clock"),
        ] {
            let check = run_check(Some(date), 0);
            assert_eq!((check.state, check.detail.as_str()), (CheckState::Problem, expected));
            assert!(check.fix.unwrap().contains("timedatectl"));
        }
        assert_eq!(run_check(None, 0).state, CheckState::Unknown);
    }
}
