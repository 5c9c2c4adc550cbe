//! Markdown that a forge shows: escaping of values, and comments of limited length.

use super::escape::escape;

/// Maximum length of a comment in bytes. GitHub and GitLab accept longer comments.
pub(super) const MAX_COMMENT_LENGTH: usize = 60_000;

/// Returns the hidden mark by which a pipeline finds its former comment about `subject`.
pub(super) fn comment_mark(kind: &str, subject: &str) -> String {
    // `--` would end the HTML comment.
    let subject: String = subject
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-/".contains(*c))
        .collect();
    let subject = subject
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    format!("<!-- {} -->", ["confluent-ebs", kind, &subject].join(" ").trim_end())
}

/// Joins `head`, as many `sections` as fit below the maximum length, and `footer`. If a section does not fit, it and the
/// rest are replaced by `too_long`.
pub(super) fn join_sections(
    head: String,
    sections: impl IntoIterator<Item = String>,
    footer: &str,
    too_long: &str,
) -> String {
    let room = MAX_COMMENT_LENGTH.saturating_sub(footer.len() + too_long.len());
    let mut out = head;
    for section in sections {
        if out.len() + section.len() > room {
            out.push_str(too_long);
            break;
        }
        out.push_str(&section);
    }
    out + footer
}

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
