//! The words of a command, split without a shell.

/// Why the text of a command is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// There is no word.
    #[error("the command is empty")]
    Empty,
    /// A quote that is not closed.
    #[error("a {0} is not closed")]
    Open(char),
}

/// The words of a command, as a shell splits them: at blanks, except in quotes. A backslash takes the meaning from a
/// quote, a blank or a backslash that follows, except in single quotes; anywhere else it stands for itself, so that paths
/// of Windows can be written. Nothing is ever filled in.
pub(super) fn words(text: &str) -> Result<Vec<String>, WordsError> {
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
                // A pair of quotes is a word even with nothing in it.
                word.get_or_insert_default();
            }
            (blank, None) if blank.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    match quote {
        Some(quote) => Err(WordsError::Open(quote)),
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
    fn words_are_split_as_a_shell_does_and_nothing_is_filled_in() {
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
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        assert_eq!(words("a 'b").unwrap_err(), WordsError::Open('\''));
        assert_eq!(words("a \"b' c").unwrap_err(), WordsError::Open('"'));
        for empty in ["", " \t"] {
            assert_eq!(
                HandoverCommand::parse(empty, Duration::ZERO).unwrap_err(),
                WordsError::Empty
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC*") {
            let _ = words(&text);
        }

        #[test]
        fn quoted_words_come_back(wanted in proptest::collection::vec("[^']*", 0..5)) {
            let text: Vec<String> = wanted.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(words(&text.join(" ")).unwrap(), wanted);
        }
    }
}
