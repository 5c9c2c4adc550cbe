//! Message patterns, in which `*` matches any text and a leading `^` the beginning of the line.

/// Returns whether a lowercase line matches a pattern.
pub(super) fn matches(line: &str, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let (mut rest, pattern) = match pattern.strip_prefix('^') {
        Some(pattern) => {
            let line = line.trim_start();
            if !line.starts_with(pattern.split('*').next().unwrap_or_default()) {
                return false;
            }
            (line, pattern)
        }
        None => (line, pattern.as_str()),
    };
    pattern.split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn the_parts_of_a_pattern_match_in_order() {
        for (line, pattern, expected) in [
            ("error: connection refused", "Connection refused", true),
            ("slot \"a\" is active for pid 7", "slot \"*\" is active", true),
            ("is active: slot \"a\"", "slot \"*\" is active", false),
            ("connection was refused", "Connection refused", false),
            ("aba", "ab*ba", false),
            ("  resource not found", "^resource not found", true),
            ("requested resource not found", "^resource not found", false),
            ("not found: resource not found", "^not * resource", true),
            ("größe fehlt", "größe", true),
        ] {
            assert_eq!(matches(line, pattern), expected, "{line} {pattern}");
        }
    }
}
