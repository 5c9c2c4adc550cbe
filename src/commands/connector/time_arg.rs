//! Time values of flags: an age or a timestamp.

use std::{str::FromStr, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::commands::duration::parse_duration;

/// Time as an age or a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeArg {
    /// Age: `30m`, `now-30m`, `now`.
    Ago(Duration),
    /// Timestamp with an offset: `2026-08-20T08:00:00Z`, `2026-08-20T10:00:00+02:00`.
    At(Timestamp),
    /// Timestamp in the local time zone: `2026-08-20T10:00`.
    Local(DateTime),
}

impl FromStr for TimeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self::At(moment));
        }
        if let Ok(time) = text.parse::<DateTime>() {
            return Ok(Self::Local(time));
        }
        let ago = match text.strip_prefix("now") {
            Some("") => return Ok(Self::Ago(Duration::ZERO)),
            Some(rest) => rest.strip_prefix('-').unwrap_or(text),
            None => text,
        };
        let wrong = || "expected an age, such as 30m or 2h, or a timestamp, such as 2026-08-20T08:00:00Z".to_owned();
        parse_duration(ago).map(Self::Ago).map_err(|_| wrong())
    }
}

impl TimeArg {
    /// Returns the timestamp, relative to `now`.
    pub(super) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.saturating_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(moment) => moment,
            Self::Local(time) => time.to_zoned(TimeZone::system()).map_or(now, |zoned| zoned.timestamp()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Formats of docs/reference/logs.md#limits-and-errors and of the Confluent CLI (docs/reference/cli.md#log-command).
    #[test]
    fn a_time_is_an_age_or_a_timestamp() {
        let now: Timestamp = "2026-08-20T12:00:00Z".parse().unwrap();
        let moment = |text: &str| text.parse::<TimeArg>().map(|when| when.resolve(now).to_string());
        for (text, expected) in [
            ("30m", "2026-08-20T11:30:00Z"),
            ("now-2h", "2026-08-20T10:00:00Z"),
            ("now", "2026-08-20T12:00:00Z"),
            ("1d", "2026-08-19T12:00:00Z"),
            ("2026-08-20T08:00:00Z", "2026-08-20T08:00:00Z"),
            ("2026-08-20T10:00:00.250+02:00", "2026-08-20T08:00:00.25Z"),
        ] {
            assert_eq!(moment(text).unwrap(), expected, "{text}");
        }
        let here: DateTime = "2026-08-20T10:00".parse().unwrap();
        assert_eq!("2026-08-20T10:00".parse(), Ok(TimeArg::Local(here)));
        for wrong in ["", "yesterday", "now+1h", "30", "-5m", "2026-13-01T00:00:00Z"] {
            assert!(moment(wrong).unwrap_err().contains("30m or 2h"), "{wrong}");
        }
    }
}
