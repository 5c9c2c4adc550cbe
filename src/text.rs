//! Plurals and lists in messages, in the style of the Confluent CLI (docs/reference/cli.md#error-messages-of-the-cli
//! and docs/reference/cli.md#prompts).

/// Returns `1 connector`, `2 connectors` or `no connectors`.
#[must_use]
pub fn count_noun(number: usize, one: &str) -> String {
    match number {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// Returns `a`, `a and b` or `a, b, and c`.
#[must_use]
pub fn join_list(items: &[impl AsRef<str>]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [one, two] => format!("{} and {}", one.as_ref(), two.as_ref()),
        [rest @ .., last] => {
            let rest = rest.iter().map(AsRef::as_ref).collect::<Vec<_>>();
            format!("{}, and {}", rest.join(", "), last.as_ref())
        }
    }
}

/// Joins names in double quotes with commas and "and", as the Confluent CLI does.
#[must_use]
pub fn join_quoted(items: &[impl AsRef<str>]) -> String {
    let items = items
        .iter()
        .map(|item| format!("\"{}\"", item.as_ref()))
        .collect::<Vec<_>>();
    join_list(&items)
}

/// Joins names in backticks with commas and "and".
#[must_use]
pub fn join_code(items: &[impl AsRef<str>]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("`{}`", item.as_ref())).collect();
    join_list(&items)
}

/// Returns `text` with a capital letter at the beginning.
#[must_use]
pub fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_three_or_more_have_an_oxford_comma() {
        assert_eq!(join_quoted(&["lcc-456"]), "\"lcc-456\"");
        assert_eq!(join_quoted(&["lcc-123", "lcc-111"]), "\"lcc-123\" and \"lcc-111\"");
        assert_eq!(join_quoted(&["a", "b", "c"]), "\"a\", \"b\", and \"c\"");
        assert_eq!(join_list(&[] as &[&str]), "");
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(
            [0, 1, 2].map(|n| count_noun(n, "error")),
            ["no errors", "1 error", "2 errors"]
        );
    }
}
