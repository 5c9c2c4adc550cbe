//! Escaping of values in Markdown that a forge shows.

use super::escape::escape;

/// Escapes `text` for one line of Markdown, also in a table: no value can mention a person, open HTML, a link, code or
/// another column.
#[must_use]
pub fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in escape(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An entity mentions nobody and refers to no issue, also where a backslash would.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '!' => out.push_str("&#33;"),
            '|' => out.push_str("&#124;"),
            // A scheme would become a link.
            ':' => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaped_text_is_one_line_without_markup(text in ".{0,40}") {
            let escaped = escape_markdown(&text);
            prop_assert!(!escaped.contains(['\n', '\r', '<', '>', '@', '|']), "{escaped}");
            let mut previous = ' ';
            for c in escaped.chars() {
                prop_assert!(!"`*_[]~".contains(c) || previous == '\\', "{escaped}");
                // Two backslashes are one escaped backslash.
                previous = if c == '\\' && previous == '\\' { ' ' } else { c };
            }
        }
    }
}
