//! Whether everything that a regular expression matches begins with a given text. Answers no when in doubt.

/// Alternatives that are followed before giving up.
const LIMIT: usize = 64;

/// Whether every name that `regex` matches as a whole begins with `prefix`. Kafka matches whole names, so a leading `^` is
/// allowed and not needed.
pub(super) fn always_starts_with(regex: &str, prefix: &str) -> bool {
    let mut left = LIMIT;
    branch_starts_with(regex, prefix, &mut left)
}

fn branch_starts_with(regex: &str, prefix: &str, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    let Some(branches) = alternatives(regex) else {
        return false;
    };
    if branches.len() > 1 {
        return branches
            .into_iter()
            .all(|branch| branch_starts_with(branch, prefix, left));
    }
    let mut rest = regex;
    let mut wanted = prefix;
    loop {
        if wanted.is_empty() {
            return true;
        }
        if let Some(after) = rest.strip_prefix('^') {
            rest = after;
            continue;
        }
        if let Some(group) = rest.strip_prefix('(') {
            return group_starts_with(group, wanted, left);
        }
        let Some((character, after)) = literal(rest) else {
            return false;
        };
        // What may be missing proves nothing; `+` means once at least, but then the next wanted letter may come late.
        let mut next = after.chars();
        match next.next() {
            Some('*' | '?' | '{') => return false,
            Some('+') => return wanted.starts_with(character) && wanted.chars().count() == 1,
            _ => {}
        }
        match wanted.strip_prefix(character) {
            Some(shorter) => wanted = shorter,
            None => return false,
        }
        rest = after;
    }
}

/// A group at the beginning: each of its alternatives, followed by what comes after.
fn group_starts_with(group: &str, wanted: &str, left: &mut usize) -> bool {
    let inside = match group.strip_prefix("?:") {
        Some(inside) => inside,
        None if group.starts_with('?') => return false,
        None => group,
    };
    let Some(end) = closing(inside) else { return false };
    let (body, after) = (&inside[..end], &inside[end + 1..]);
    if after.starts_with(['*', '?', '{', '+']) {
        return false;
    }
    let Some(branches) = alternatives(body) else {
        return false;
    };
    branches
        .into_iter()
        .all(|branch| branch_starts_with(&format!("{branch}{after}"), wanted, left))
}

/// The first character of `regex` if it stands for itself: a plain one, an escaped one, or a class of one.
fn literal(regex: &str) -> Option<(char, &str)> {
    let mut chars = regex.chars();
    match chars.next()? {
        '\\' => {
            let escaped = chars.next()?;
            (!escaped.is_alphanumeric()).then_some((escaped, chars.as_str()))
        }
        '[' => {
            let (inside, after) = chars.as_str().split_once(']')?;
            let inside = inside.strip_prefix('\\').unwrap_or(inside);
            let mut only = inside.chars();
            let character = only.next()?;
            (only.next().is_none() && character != '^').then_some((character, after))
        }
        '.' | '*' | '+' | '?' | '{' | '}' | '(' | ')' | ']' | '|' | '$' => None,
        plain => Some((plain, chars.as_str())),
    }
}

/// The branches of `a|b|c`, outside of groups and classes.
fn alternatives(regex: &str) -> Option<Vec<&str>> {
    let mut branches = Vec::new();
    let mut start = 0;
    for (index, character, depth) in positions(regex)? {
        if depth == 0 && character == '|' {
            branches.push(&regex[start..index]);
            start = index + 1;
        }
    }
    branches.push(&regex[start..]);
    Some(branches)
}

/// Where the group ends whose opening parenthesis stands before `inside`.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut class = false;
    let mut escaped = false;
    for (index, character) in inside.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class && depth == 0 => return Some(index),
            ')' if !class => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The characters that are neither escaped nor in a class, with the number of groups around each. `None` when groups do
/// not close.
fn positions(regex: &str) -> Option<Vec<(usize, char, usize)>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut class = false;
    let mut escaped = false;
    for (index, character) in regex.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.checked_sub(1)?,
            _ if !class => found.push((index, character, depth)),
            _ => {}
        }
    }
    (depth == 0 && !class).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchored_expressions_start_with_the_prefix() {
        for regex in [
            "claims-.*",
            "^claims-.*",
            "^claims-.*$",
            r"claims\-.*",
            "claims[-].*",
            "claims-(orders|items)",
            "(claims-orders|claims-items)",
            "(?:claims-a|claims-b).*",
            "claims-orders|claims-items",
            "c(laims-a|laims-b)",
            "claims-+x",
            "claims-",
        ] {
            assert!(always_starts_with(regex, "claims-"), "{regex}");
        }
        assert!(always_starts_with(r"claims\.orders", "claims."));
        assert!(always_starts_with("claims[.]orders", "claims."));
    }

    #[test]
    fn other_expressions_do_not_start_with_the_prefix() {
        for regex in [
            ".*",
            "",
            "claims",
            "claims-*",
            "claims-?x",
            "claims-{0,1}x",
            "claims.orders",
            ".*claims-.*",
            "(claims-)?orders",
            "(claims-)*orders",
            "claims-a|fraud-b",
            "(claims-a|fraud-b)",
            "(?i)claims-.*",
            "[cf]laims-.*",
            "[^c]laims-.*",
            r"\claims-.*",
            "(claims-.*",
            "claims-.*)",
            "claims-a|",
            "|claims-a",
        ] {
            assert!(!always_starts_with(regex, "claims-"), "{regex}");
        }
        assert!(
            !always_starts_with("claims.orders", "claims."),
            "a dot is any character"
        );
        // Nested alternatives beyond the limit are refused, not followed for ever.
        let bomb = "(a|a)".repeat(40);
        assert!(!always_starts_with(&bomb, &"a".repeat(40)));
    }
}
