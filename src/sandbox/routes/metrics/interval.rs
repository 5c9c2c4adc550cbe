//! Intervals of the Metrics API: ISO 8601, plus `now` for the current time (metrics/v2 `QueryRequest.intervals`).

use jiff::{SignedDuration, Span, Timestamp, tz::TimeZone};

/// Parses `start/end`, `start/duration` or `duration/end`.
pub(super) fn parse_interval(text: &str, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let (first, second) = text.split_once('/')?;
    let (from, to) = match (parse_moment(first, now), parse_moment(second, now)) {
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) => (from, from.checked_add(parse_duration(second)?).ok()?),
        (None, Some(to)) => (to.checked_sub(parse_duration(first)?).ok()?, to),
        (None, None) => return None,
    };
    (from < to).then_some((from, to))
}

/// Parses a duration. Days are UTC days, so they have 24 hours.
fn parse_duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    duration.is_positive().then_some(duration)
}

fn parse_moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let Some(rest) = text.strip_prefix("now") else {
        return text.parse().ok();
    };
    let mut moment = now;
    let mut rest = rest;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('|') {
            let unit = after.chars().next()?;
            moment = truncate_to(moment, unit)?;
            rest = &after[unit.len_utf8()..];
            continue;
        }
        let sign = match rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let digits = rest[1..].find(|letter: char| !letter.is_ascii_digit())?;
        let amount: i64 = rest[1..=digits].parse().ok()?;
        let unit = rest[1 + digits..].chars().next()?;
        let seconds = amount.checked_mul(sign)?.checked_mul(unit_seconds(unit)?)?;
        moment = moment.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        rest = &rest[1 + digits + unit.len_utf8()..];
    }
    Some(moment)
}

fn unit_seconds(unit: char) -> Option<i64> {
    match unit {
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    }
}

fn truncate_to(moment: Timestamp, unit: char) -> Option<Timestamp> {
    let unit = match unit {
        'm' => jiff::Unit::Minute,
        'h' => jiff::Unit::Hour,
        'd' => jiff::Unit::Day,
        _ => return None,
    };
    let rounded = jiff::ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Trunc);
    Some(moment.to_zoned(TimeZone::UTC).round(rounded).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Examples of the document, with its `now`.
    #[test]
    fn now_can_be_shifted_and_truncated() {
        let now: Timestamp = "2020-01-01T02:13:27Z".parse().unwrap();
        for (written, expected) in [
            ("now", "2020-01-01T02:13:27Z"),
            ("now-2m|m", "2020-01-01T02:11:00Z"),
            ("now|h", "2020-01-01T02:00:00Z"),
            ("now-1d|d", "2019-12-31T00:00:00Z"),
            ("now+1h", "2020-01-01T03:13:27Z"),
        ] {
            assert_eq!(parse_moment(written, now).unwrap().to_string(), expected, "{written}");
        }
        for wrong in ["now-", "now-2", "now-2x", "now|", "now|w", "now2m", "soon"] {
            assert_eq!(parse_moment(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn an_interval_has_two_ends_or_a_start_and_a_length() {
        let now: Timestamp = "2026-08-20T08:05:30Z".parse().unwrap();
        let read = |text| parse_interval(text, now).map(|(from, to)| format!("{from}/{to}"));
        let expected = Some("2026-08-20T07:00:00Z/2026-08-20T08:00:00Z".to_owned());
        assert_eq!(read("2026-08-20T07:00:00Z/2026-08-20T08:00:00Z"), expected);
        assert_eq!(read("2026-08-20T07:00:00.000Z/PT1H"), expected);
        assert_eq!(read("PT1H/2026-08-20T08:00:00+00:00"), expected);
        assert_eq!(read("now-65m|m/now-5m|m"), expected);
        assert_eq!(
            read("P1D/now|d").as_deref(),
            Some("2026-08-19T00:00:00Z/2026-08-20T00:00:00Z")
        );
        for wrong in ["", "/", "now", "PT1H/PT1H", "now/now", "now/now-1h", "x/y"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
