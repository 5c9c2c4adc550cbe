//! Escaping of untrusted text for terminals. Names, descriptions and traces may contain sequences that move the cursor,
//! hide text or reverse its direction; they are printed as escapes.

use std::borrow::Cow;

/// Returns whether `c` controls a terminal, or is invisible and could make two texts look the same.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control() // C0, DEL and C1
        || matches!(c,
            '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}' // zero-width and direction marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separator, embeddings and overrides
            | '\u{2060}'..='\u{206f}' // word joiner, isolates, deprecated format characters
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e007f}') // tags
}

/// Escapes `text` to one line: all deceptive characters and line breaks.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_except(text, |_| false)
}

/// Escapes `text` but keeps its line breaks; tabs become four spaces.
#[must_use]
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    let text = if text.contains(['\t', '\r']) {
        Cow::Owned(text.replace("\r\n", "\n").replace('\t', "    "))
    } else {
        Cow::Borrowed(text)
    };
    match text {
        Cow::Borrowed(text) => escape_except(text, |c| c == '\n'),
        Cow::Owned(text) => Cow::Owned(escape_except(&text, |c| c == '\n').into_owned()),
    }
}

fn escape_except(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let escaped = |c: char| is_deceptive(c) && !keep(c);
    if !text.contains(escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !escaped(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_and_deceptive_characters_are_escaped() {
        assert_eq!(escape("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(escape("a\u{9b}2Jb"), "a\\u{9b}2Jb");
        assert_eq!(escape("user\u{202e}nimda"), "user\\u{202e}nimda");
        assert_eq!(escape("claims\u{200b}-a"), "claims\\u{200b}-a");
        assert_eq!(escape("one\r\ntwo\t3"), "one\\r\\ntwo\\t3");
        assert_eq!(escape_lines("one\r\ntwo\t3\u{7}"), "one\ntwo    3\\u{7}");
    }

    #[test]
    fn text_without_control_characters_is_borrowed() {
        assert!(matches!(escape("Prämien für München → 日本"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(is_deceptive));
            prop_assert!(!escape_lines(&text).replace('\n', "").contains(is_deceptive));
        }
    }
}
