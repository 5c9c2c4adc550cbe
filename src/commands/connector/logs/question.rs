//! What is asked, as it is written on the command line: times, levels, tasks.

use std::{str::FromStr, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::commands::duration::duration;

/// The levels that the stock CLI knows (dossier `logs.md` §2.7).
const LEVELS: [&str; 3] = ["INFO", "WARN", "ERROR"];

/// A moment: so long ago, or at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// `30m`, `now-30m`, `now`.
    Ago(Duration),
    /// `2026-08-20T08:00:00Z`, `2026-08-20T10:00:00+02:00`.
    At(Timestamp),
    /// `2026-08-20T10:00`, where this computer is.
    Here(DateTime),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self::At(moment));
        }
        if let Ok(time) = text.parse::<DateTime>() {
            return Ok(Self::Here(time));
        }
        let ago = match text.strip_prefix("now") {
            Some("") => return Ok(Self::Ago(Duration::ZERO)),
            Some(rest) => rest.strip_prefix('-').unwrap_or(text),
            None => text,
        };
        let wrong = || "write how long ago, such as 30m or 2h, or a time, such as 2026-08-20T08:00:00Z".to_owned();
        duration(ago).map(Self::Ago).map_err(|_| wrong())
    }
}

impl When {
    /// The moment that is meant at `now`.
    pub(super) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.saturating_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(moment) => moment,
            Self::Here(time) => time.to_zoned(TimeZone::system()).map_or(now, |zoned| zoned.timestamp()),
        }
    }
}

/// Levels, as the stock CLI writes them: `ERROR|WARN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Levels(pub(super) Vec<String>);

impl Default for Levels {
    fn default() -> Self {
        Self(LEVELS.map(str::to_owned).into())
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut levels = Vec::new();
        for word in text.split(['|', ',']) {
            let level = word.trim().to_ascii_uppercase();
            if !LEVELS.contains(&level.as_str()) {
                return Err(format!("`{word}` is not a level: they are INFO, WARN, and ERROR"));
            }
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        Ok(Self(levels))
    }
}

/// Reads `0` and `task-0`.
pub(super) fn task(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix("task-").unwrap_or(text);
    number
        .parse()
        .map_err(|_| "write the number of a task, such as 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The forms of dossier `logs.md` §2.8, and the stock CLI's (§2.7).
    #[test]
    fn a_time_is_so_long_ago_or_absolute() {
        let now: Timestamp = "2026-08-20T12:00:00Z".parse().unwrap();
        let moment = |text: &str| text.parse::<When>().map(|when| when.moment(now).to_string());
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
        assert_eq!("2026-08-20T10:00".parse(), Ok(When::Here(here)));
        for wrong in ["", "yesterday", "now+1h", "30", "-5m", "2026-13-01T00:00:00Z"] {
            assert!(moment(wrong).unwrap_err().contains("30m or 2h"), "{wrong}");
        }
    }

    #[test]
    fn levels_are_written_as_for_the_stock_cli() {
        let levels = |text: &str| text.parse::<Levels>().map(|levels| levels.0.join(" "));
        assert_eq!(levels("ERROR|WARN").unwrap(), "ERROR WARN");
        assert_eq!(levels("error, info,error").unwrap(), "ERROR INFO");
        assert!(levels("INFOL").unwrap_err().contains("`INFOL` is not a level"));
        assert!(levels("").is_err());
        assert_eq!((task("1"), task("task-12")), (Ok(1), Ok(12)));
        assert!(task("x").is_err() && task("task--1").is_err());
    }
}
