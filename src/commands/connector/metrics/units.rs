//! Formats numbers: one unit per column, and never zero for a positive value.

/// Unit that numbers are displayed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// Divisor.
    factor: f64,
    /// Name of the unit.
    pub(super) unit: &'static str,
    /// Decimal places.
    digits: usize,
}

/// Limit from which records are displayed in thousands, millions or billions.
const UNIT_THRESHOLD: f64 = 10_000_000.0;

const BYTES: [(f64, &str); 5] = [
    (1.0, "B"),
    (1_024.0, "KiB"),
    (1_048_576.0, "MiB"),
    (1_073_741_824.0, "GiB"),
    (1_099_511_627_776.0, "TiB"),
];

const RECORDS: [(f64, &str); 4] = [
    (1.0, "Records"),
    (1e3, "Thousand Records"),
    (1e6, "Million Records"),
    (1e9, "Billion Records"),
];

impl Scale {
    /// Unscaled.
    pub(super) const PLAIN: Self = Self {
        factor: 1.0,
        unit: "",
        digits: 0,
    };

    /// Returns the largest unit of bytes in which `largest` is at least 1.
    pub(super) fn bytes(largest: f64) -> Self {
        let fits = BYTES.iter().rev().find(|(one, _)| largest >= *one);
        let (one, unit) = *fits.unwrap_or(&BYTES[0]);
        Self {
            factor: one,
            unit,
            digits: usize::from(one > 1.0),
        }
    }

    /// Returns a unit of records in which `largest` is readable.
    pub(super) fn records(largest: f64) -> Self {
        let fits = RECORDS.iter().find(|(one, _)| largest < *one * UNIT_THRESHOLD);
        let (one, unit) = *fits.unwrap_or(&RECORDS[RECORDS.len() - 1]);
        Self {
            factor: one,
            unit,
            digits: 0,
        }
    }

    /// Formats a number; `-` for no value.
    pub(super) fn text(&self, value: Option<f64>) -> String {
        let Some(value) = value else { return "-".to_owned() };
        let value = value / self.factor;
        let text = format!("{value:.*}", self.digits);
        let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
        match is_zero && value > 0.0 {
            true if self.digits == 0 => "<1".to_owned(),
            true => "<0.1".to_owned(),
            false => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_and_records_are_scaled_to_larger_units() {
        let bytes = |largest: f64| Scale::bytes(largest).unit;
        assert_eq!(
            [0.0, 1_023.0, 1_024.0, 5e6, 2e9, 9e15].map(bytes),
            ["B", "B", "KiB", "MiB", "GiB", "TiB"]
        );
        let records = |largest: f64| Scale::records(largest).unit;
        assert_eq!(
            [0.0, 9_999_999.0, 1e7, 1e10, 1e13, 1e20].map(records),
            [
                "Records",
                "Records",
                "Thousand Records",
                "Million Records",
                "Billion Records",
                "Billion Records"
            ]
        );
        let scale = Scale::bytes(300_000.0);
        let texts = [Some(300_000.0), Some(1.0), Some(0.0), None].map(|value| scale.text(value));
        assert_eq!(texts, ["293.0", "<0.1", "0.0", "-"]);
        let texts = [Some(12.4), Some(0.2), Some(0.0)].map(|value| Scale::PLAIN.text(value));
        assert_eq!(texts, ["12", "<1", "0"]);
    }

    proptest! {
        #[test]
        fn no_value_zero_and_a_small_value_are_displayed_differently(value in 1e-9_f64..1e18, largest in 0.0_f64..1e18) {
            for scale in [Scale::bytes(largest), Scale::records(largest), Scale::PLAIN] {
                let (some, zero, nothing) = (scale.text(Some(value)), scale.text(Some(0.0)), scale.text(None));
                prop_assert!(some != zero && zero != nothing && some != nothing, "{some} {zero} {nothing}");
            }
        }
    }
}
