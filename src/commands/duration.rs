//! Duration values of flags.

use std::time::Duration;

/// Parses a duration such as `30s`, `5m`, `2h` or `90d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number and a unit (s, m, h or d), such as 30s or 5m".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => Some(number),
        'm' => number.checked_mul(60),
        'h' => number.checked_mul(60 * 60),
        'd' => number.checked_mul(24 * 60 * 60),
        _ => None,
    };
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let seconds = |text| parse_duration(text).map(|duration| duration.as_secs()).ok();
        assert_eq!(
            ["30s", "5m", "2h", "90d"].map(seconds),
            [Some(30), Some(300), Some(7200), Some(7_776_000)]
        );
        assert_eq!(
            ["", "5", "m", "-1s", "1.5h", "5é", "9999999999999999999d"].map(seconds),
            [None; 7]
        );
    }
}
