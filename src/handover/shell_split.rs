//! Shell-like splitting of a command line.

/// Reason why a command line is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShellSplitError {
    /// There is no word.
    #[error("the command is empty")]
    Empty,
    /// A quote is not closed.
    #[error("the quote `{0}` is not closed")]
    UnclosedQuote(char),
}

/// Splits a command line at whitespace outside of quotes. A backslash escapes a following quote, whitespace or
/// backslash, except in single quotes; elsewhere it is literal, so Windows paths work. Nothing is expanded.
pub(super) fn split(text: &str) -> Result<Vec<String>, ShellSplitError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => {
                let special = |next: &char| match quote {
                    Some(_) => matches!(next, '"' | '\\'),
                    None => matches!(next, '"' | '\'' | '\\') || next.is_whitespace(),
                };
                let meant = letters.next_if(special).unwrap_or('\\');
                word.get_or_insert_default().push(meant);
            }
            (open, Some(close)) if open == close => quote = None,
            ('"' | '\'', None) => {
                quote = Some(letter);
                // An empty pair of quotes is an empty word.
                word.get_or_insert_default();
            }
            (blank, None) if blank.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    match quote {
        Some(quote) => Err(ShellSplitError::UnclosedQuote(quote)),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::handover::HandoverCommand;

    #[test]
    fn commands_are_split_like_a_shell_without_expansion() {
        for (text, expected) in [
            ("vault kv put a=-", &["vault", "kv", "put", "a=-"] as &[&str]),
            ("  a\t b\n", &["a", "b"]),
            (
                "sh -c 'cat > \"$X\"; echo \\n'",
                &["sh", "-c", "cat > \"$X\"; echo \\n"],
            ),
            (r#"a "b c" d"e f"g ''"#, &["a", "b c", "de fg", ""]),
            (r#"a\ b "c\"d\\" \'e"#, &["a b", "c\"d\\", "'e"]),
            (r"C:\tools\put.exe \\server\x", &[r"C:\tools\put.exe", r"\server\x"]),
            (
                "$HOME `id` $(id) * | > ; &",
                &["$HOME", "`id`", "$(id)", "*", "|", ">", ";", "&"],
            ),
        ] {
            assert_eq!(split(text).unwrap(), expected, "{text}");
        }
        assert_eq!(split("a 'b").unwrap_err(), ShellSplitError::UnclosedQuote('\''));
        assert_eq!(split("a \"b' c").unwrap_err(), ShellSplitError::UnclosedQuote('"'));
        for empty in ["", " \t"] {
            assert_eq!(
                HandoverCommand::parse(empty, Duration::ZERO).unwrap_err(),
                ShellSplitError::Empty
            );
        }
    }

    proptest! {
        #[test]
        fn splitting_arbitrary_text_never_panics(text in "\\PC*") {
            let _ = split(&text);
        }

        #[test]
        fn quoted_words_round_trip(wanted in proptest::collection::vec("[^']*", 0..5)) {
            let text: Vec<String> = wanted.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(split(&text.join(" ")).unwrap(), wanted);
        }
    }
}
