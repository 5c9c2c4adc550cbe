//! Patterns of messages: words, with `*` for what differs from case to case.

/// Whether a line, written in small letters, holds what a pattern says.
pub(super) fn holds(line: &str, pattern: &str) -> bool {
    let mut rest = line;
    pattern.to_lowercase().split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn parts_stand_in_their_order() {
        for (line, pattern, expected) in [
            ("error: connection refused", "Connection refused", true),
            ("slot \"a\" is active for pid 7", "slot \"*\" is active", true),
            ("is active: slot \"a\"", "slot \"*\" is active", false),
            ("connection was refused", "Connection refused", false),
            ("aba", "ab*ba", false),
            ("größe fehlt", "größe", true),
        ] {
            assert_eq!(holds(line, pattern), expected, "{line} {pattern}");
        }
    }
}
