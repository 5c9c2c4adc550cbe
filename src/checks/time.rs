//! Whether this computer's clock agrees with the service's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{CheckResult, network::HostReachability};

/// More than this is wrong: tokens that live for minutes are then too early or too late, and so is what evidence and
/// journals say.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Judges the time that an answer told, on the system `os`. `inside` is whether the service is a part of this program.
#[must_use]
pub fn check_clock(reachability: &HostReachability, os: &str, inside: bool) -> CheckResult {
    const NAME: &str = "clock";
    if inside {
        return CheckResult::ok(NAME, "the sandbox inside this program has its own");
    }
    let date = match &reachability.response {
        Ok(answer) => answer.date,
        Err(_) => return CheckResult::unknown(NAME, "not compared: there was no answer"),
    };
    let Some(date) = date else {
        return CheckResult::unknown(NAME, "not compared: the answer tells no time");
    };
    let skew = clock_skew(date, reachability.started_at, reachability.elapsed);
    if skew.abs() <= TOLERANCE {
        return CheckResult::ok(NAME, "agrees with the service's, to the minute");
    }
    let direction = if skew.is_positive() { "behind" } else { "ahead of" };
    let fix = match os {
        "windows" => "`w32tm /resync` sets it, run as an administrator.",
        "macos" => "`sudo sntp -sS time.apple.com` sets it.",
        _ => "`sudo timedatectl set-ntp true` lets the system set it.",
    };
    CheckResult::problem(
        NAME,
        format!("{} {direction} the service's", format_skew(skew.abs())),
        fix,
    )
}

/// By how much the service is ahead. It said `date` somewhere between the question and its answer, and counts in whole
/// seconds; what lies within that is no difference.
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
        hours @ 48.. => format!("{} days", hours / 24),
        hours @ 2.. => format!("{hours} hours"),
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
            ("2026-11-22T12:05:01Z", "5 min behind the service's"),
            ("2026-11-22T11:30:00Z", "29 min ahead of the service's"),
            ("2026-11-22T17:00:00Z", "4 hours behind the service's"),
            ("2025-11-22T12:00:00Z", "364 days ahead of the service's"),
        ] {
            let check = run_check(Some(date), 0);
            assert_eq!((check.state, check.detail.as_str()), (CheckState::Problem, expected));
            assert!(check.fix.unwrap().contains("timedatectl"));
        }
        assert_eq!(run_check(None, 0).state, CheckState::Unknown);
    }
}
