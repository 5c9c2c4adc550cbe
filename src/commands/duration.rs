//! Duration values of flags.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// Parses a duration such as `30s`, `5m`, `1h 30m` or `90d`. A day has 24 hours.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let span: Option<Span> = text.parse().ok();
    let signed = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let duration = signed.and_then(|signed| Duration::try_from(signed).ok());
    duration.ok_or_else(|| "expected a number and a unit (s, m, h or d), such as 30s or 5m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let seconds = |text| parse_duration(text).map(|duration| duration.as_secs()).ok();
        assert_eq!(
            ["30s", "5m", "2h", "1h 30m", "90d"].map(seconds),
            [Some(30), Some(300), Some(7200), Some(5400), Some(7_776_000)]
        );
        assert_eq!(
            ["", "5", "m", "-1s", "5é", "2mo", "9999999999999999999d"].map(seconds),
            [None; 7]
        );
    }
}
