//! Lists and numbers in sentences, as the stock CLI writes them (dossier `native-cli.md` §4.5, §4.6).

/// `1 connector`, `2 connectors`, `no connectors`.
#[must_use]
pub fn count(number: usize, one: &str) -> String {
    match number {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// `a`, `a and b`, `a, b, and c`.
#[must_use]
pub fn list(items: &[impl AsRef<str>]) -> String {
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

/// [`list`] with every item in double quotes.
#[must_use]
pub fn quoted(items: &[impl AsRef<str>]) -> String {
    let items = items
        .iter()
        .map(|item| format!("\"{}\"", item.as_ref()))
        .collect::<Vec<_>>();
    list(&items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_a_comma_before_and_from_three_on() {
        assert_eq!(quoted(&["lcc-456"]), "\"lcc-456\"");
        assert_eq!(quoted(&["lcc-123", "lcc-111"]), "\"lcc-123\" and \"lcc-111\"");
        assert_eq!(quoted(&["a", "b", "c"]), "\"a\", \"b\", and \"c\"");
        assert_eq!(list(&[] as &[&str]), "");
    }

    #[test]
    fn counts_have_the_right_number() {
        assert_eq!(
            [0, 1, 2].map(|n| count(n, "error")),
            ["no errors", "1 error", "2 errors"]
        );
    }
}
