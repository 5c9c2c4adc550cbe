//! Line wrapping: evenly for cells (like the Confluent CLI), greedily for sentences.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    escape::escape,
    style::{Palette, Style},
    view::TextLine,
};

/// Returns the width of `text` on a terminal.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Returns the width of an unwrapped line.
pub(super) fn line_width(line: &TextLine) -> usize {
    line.spans.iter().map(|span| width(&escape(&span.text))).sum()
}

/// Wraps `text` into lines of at most `limit` columns and similar length. A longer word raises the limit, as in the
/// Confluent CLI.
pub(super) fn wrap_evenly(text: &str, limit: usize) -> Vec<String> {
    let words = text.split_whitespace().collect::<Vec<_>>();
    let widths = words.iter().map(|word| width(word)).collect::<Vec<_>>();
    let limit = widths.iter().copied().max().unwrap_or(0).max(limit);

    // Minimal raggedness: `best[i]` is the minimal sum of squared gaps of all lines but the last for the words from `i`
    // on, and `end[i]` is the end of their first line.
    let mut best = vec![0_usize; words.len() + 1];
    let mut end = vec![words.len(); words.len() + 1];
    for start in (0..words.len()).rev() {
        let mut length = 0;
        let mut least = usize::MAX;
        for stop in start + 1..=words.len() {
            length += widths[stop - 1] + usize::from(stop > start + 1);
            if length > limit {
                break;
            }
            let gap = if stop == words.len() { 0 } else { limit - length };
            let cost = gap * gap + best[stop];
            // A single last line has no cost and wins against an equally good earlier break.
            if cost < least || stop == words.len() && cost == 0 {
                least = cost;
                end[start] = stop;
            }
        }
        best[start] = least;
    }

    let mut lines = Vec::new();
    let mut start = 0;
    while start < words.len() {
        lines.push(words[start..end[start]].join(" "));
        start = end[start];
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Splits `text` into pieces of at most `limit` columns, regardless of words.
pub(super) fn split_at_width(text: &str, limit: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns > limit && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        used += columns;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

/// Wraps `text` into lines of at most `limit` columns; later lines are indented by `hang` columns.
pub(crate) fn wrap_paragraph(text: &str, hang: usize, limit: usize) -> String {
    let mut out = String::new();
    write_wrapped(
        &TextLine::from(text).with_hanging_indent(hang),
        limit,
        Palette::PLAIN,
        &mut out,
    );
    out
}

/// Appends `line`, wrapped to `limit` columns, with a final line break. Later lines get the indentation of the first
/// plus the hanging indent; a long word stays whole, so that it can be copied.
pub(super) fn write_wrapped(line: &TextLine, limit: usize, palette: Palette, out: &mut String) {
    let mut letters = Vec::new();
    for span in &line.spans {
        letters.extend(escape(&span.text).chars().map(|c| (c, span.style)));
    }
    while letters.last().is_some_and(|(c, _)| *c == ' ') {
        letters.pop();
    }
    let lead = letters.iter().take_while(|(c, _)| *c == ' ').count();
    // Limit the indentation to half the line, so that there is space for words.
    let indent = (lead + line.hanging_indent).min(limit / 2);

    let mut start = 0;
    loop {
        let before = if start == 0 { 0 } else { indent };
        let stop = line_end(&letters, start, limit.saturating_sub(before));
        out.extend(std::iter::repeat_n(' ', before));
        paint(&letters[start..stop], palette, out);
        out.push('\n');
        start = stop + letters[stop..].iter().take_while(|(c, _)| *c == ' ').count();
        if start >= letters.len() {
            return;
        }
    }
}

/// Returns the end of the line that begins at `start`: the space before the first word that does not fit.
fn line_end(letters: &[(char, Style)], start: usize, room: usize) -> usize {
    let mut used = 0;
    let mut fits = None;
    let mut word_seen = false;
    for (at, (c, _)) in letters.iter().enumerate().skip(start) {
        if *c == ' ' && word_seen && (at == 0 || letters[at - 1].0 != ' ') {
            if used > room {
                return fits.unwrap_or(at);
            }
            fits = Some(at);
        }
        word_seen |= *c != ' ';
        used += c.width().unwrap_or(0);
    }
    if used > room {
        fits.unwrap_or(letters.len())
    } else {
        letters.len()
    }
}

fn paint(letters: &[(char, Style)], palette: Palette, out: &mut String) {
    for run in letters.chunk_by(|(_, a), (_, b)| a == b) {
        let text = run.iter().map(|(c, _)| *c).collect::<String>();
        palette.paint(run[0].1, &text, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_wrapped_evenly() {
        assert_eq!(wrap_evenly("aaa bb cc ddddd", 6), ["aaa", "bb cc", "ddddd"]);
        assert_eq!(wrap_evenly("a short text", 30), ["a short text"]);
        assert_eq!(wrap_evenly("", 30), [""]);
    }

    #[test]
    fn a_long_word_widens_its_cell() {
        assert_eq!(
            wrap_evenly("io.confluent.connect.jdbc.JdbcSourceConnector is it", 30).len(),
            2
        );
    }

    #[test]
    fn sentences_wrap_with_a_hanging_indent_and_keep_long_words_whole() {
        let line = TextLine::from("  one two three").with_hanging_indent(2);
        let mut out = String::new();
        write_wrapped(&line, 10, Palette::PLAIN, &mut out);
        assert_eq!(out, "  one two\n    three\n");

        let mut out = String::new();
        write_wrapped(
            &TextLine::from("see incomprehensibilities now"),
            10,
            Palette::PLAIN,
            &mut out,
        );
        assert_eq!(out, "see\nincomprehensibilities\nnow\n");
    }

    #[test]
    fn a_style_continues_after_a_line_break() {
        let line = TextLine::new()
            .with_text("a ")
            .with_styled_text(Style::Added, "green word");
        let mut out = String::new();
        write_wrapped(
            &line,
            8,
            Palette {
                colour: true,
                ..Palette::PLAIN
            },
            &mut out,
        );
        assert_eq!(out, "a \u{1b}[32mgreen\u{1b}[0m\n\u{1b}[32mword\u{1b}[0m\n");
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_word(words in proptest::collection::vec("[a-z]{1,12}", 0..20), limit in 1_usize..40) {
            let text = words.join(" ");
            prop_assert_eq!(wrap_evenly(&text, limit).join(" "), text.clone());
            let folded = wrap_paragraph(&text, 0, limit);
            prop_assert_eq!(folded.split_whitespace().collect::<Vec<_>>(), words);
            prop_assert!(folded.lines().all(|line| width(line) <= limit.max(12)));
        }
    }
}
