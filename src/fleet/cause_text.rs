//! Shortens error messages to one line.

/// Removes the exception class from a message and shortens it to at most `most` characters.
pub(crate) fn shorten(cause: &str, most: usize) -> String {
    let mut text = cause.trim();
    while let Some((class, rest)) = text.split_once(": ") {
        let is_class = class.contains('.') && class.chars().all(|c| c.is_ascii_alphanumeric() || "._$".contains(c));
        let named = class
            .rsplit('.')
            .next()
            .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
        if !(is_class && named) {
            break;
        }
        text = rest.trim_start();
    }
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most).collect();
    let at_word = head.rsplit_once(' ').map_or(head.as_str(), |(words, _)| words);
    format!("{}…", at_word.trim_end_matches([',', ';', ':', '.']))
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn exception_classes_are_removed_and_the_length_is_limited() {
        for (cause, expected) in [
            (
                "org.apache.kafka.connect.errors.ConnectException: java.net.UnknownHostException: db.example: Name not known",
                "db.example: Name not known",
            ),
            (
                "connection.user, connection.password: FATAL: refused",
                "connection.user, connection.password: FATAL: refused",
            ),
            ("database.hostname: refused", "database.hostname: refused"),
            ("  plain  ", "plain"),
        ] {
            assert_eq!(shorten(cause, 110), expected);
        }
        let long = shorten(&"word ".repeat(60), 110);
        assert!(long.ends_with("word…") && long.chars().count() <= 111, "{long}");
    }
}
