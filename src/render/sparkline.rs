//! Sparkline: values over time as one line of characters, from zero to the maximum.

/// Characters from zero to the maximum.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// ASCII characters from zero to the maximum.
const ASCII: [char; 8] = ['_', '-', '=', '+', '*', '%', '#', '@'];
/// Character for a missing value, which differs from zero.
const NO_BLOCK: char = '·';
/// ASCII character for a missing value.
const NO_ASCII: char = '.';

/// Draws `values` in at most `columns` characters. A character that covers several values shows the largest, so that no
/// peak is lost.
pub(super) fn draw_sparkline(values: &[Option<u64>], columns: usize, unicode: bool) -> String {
    let (glyphs, nothing) = if unicode { (BLOCKS, NO_BLOCK) } else { (ASCII, NO_ASCII) };
    let largest = values.iter().flatten().copied().max().unwrap_or(0);
    let columns = columns.min(values.len());
    let edge = |column: usize| column * values.len() / columns;
    let glyph = |column: usize| {
        let here = values[edge(column)..edge(column + 1)].iter().flatten().copied().max();
        here.map_or(nothing, |value| glyphs[bar_level(value, largest)])
    };
    (0..columns).map(glyph).collect()
}

/// Returns 0 for zero, 7 for the maximum; every value above zero is at least 1.
fn bar_level(value: u64, largest: u64) -> usize {
    let sevenths = (u128::from(value) * 7).div_ceil(u128::from(largest.max(1)));
    usize::try_from(sevenths).unwrap_or(7).min(7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zero_is_lowest_the_maximum_is_highest_and_a_gap_has_its_own_symbol() {
        let values = [Some(0), Some(1), Some(50), None, Some(100)];
        assert_eq!(draw_sparkline(&values, 60, true), "▁▂▅·█");
        assert_eq!(draw_sparkline(&values, 60, false), "_-*.@");
        assert_eq!(draw_sparkline(&[Some(0), Some(0), None], 60, true), "▁▁·");
        assert_eq!(draw_sparkline(&[None, None], 60, false), "..");
        assert_eq!(draw_sparkline(&[], 60, true), "");
        assert_eq!(draw_sparkline(&values, 0, true), "");
    }

    #[test]
    fn a_peak_and_a_gap_stay_visible_when_the_columns_are_few() {
        let mut values = vec![Some(1); 60];
        values[17] = Some(700);
        values[30..36].fill(None);
        assert_eq!(draw_sparkline(&values, 10, true), "▂▂█▂▂·▂▂▂▂");
        // A value next to a gap is kept.
        values[33] = Some(1);
        assert_eq!(draw_sparkline(&values, 10, true), "▂▂█▂▂▂▂▂▂▂");
    }

    proptest! {
        #[test]
        fn a_sparkline_fills_its_width_and_keeps_the_order_of_its_values(
            values in proptest::collection::vec(proptest::option::of(any::<u64>()), 0..200),
            columns in 0_usize..80,
        ) {
            for unicode in [false, true] {
                let drawn: Vec<char> = draw_sparkline(&values, columns, unicode).chars().collect();
                prop_assert_eq!(drawn.len(), columns.min(values.len()));
                prop_assert!(unicode || drawn.iter().all(char::is_ascii));
                if drawn.is_empty() {
                    continue;
                }
                let (top, nothing, bottom) = if unicode { ('█', '·', '▁') } else { ('@', '.', '_') };
                let largest = values.iter().flatten().max();
                prop_assert_eq!(drawn.contains(&top), largest.is_some_and(|largest| *largest > 0));
                prop_assert_eq!(drawn.iter().all(|c| *c == nothing), largest.is_none());
                if drawn.len() == values.len() {
                    for (value, c) in values.iter().zip(&drawn) {
                        prop_assert_eq!(*value == Some(0), *c == bottom);
                        prop_assert_eq!(value.is_none(), *c == nothing);
                    }
                }
            }
        }
    }
}
