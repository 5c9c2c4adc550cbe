//! Proof that every match of a regular expression starts with a prefix. The answer is no if that cannot be proved.

/// Maximum number of alternatives to follow.
const LIMIT: usize = 64;

/// Returns whether every name that `regex` matches starts with `prefix`. Kafka matches whole names, so a leading `^` is
/// optional.
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
        // An optional character proves nothing. After `+` the character may repeat, so the next expected one may come
        // later.
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

/// Handles a group at the beginning: each alternative, followed by the rest of the expression.
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

/// Returns the first character of `regex` if it is literal: plain, escaped, or a class of one character.
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

/// Returns the branches of `a|b|c`, outside of groups and classes.
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

/// Returns the end of the group whose opening parenthesis precedes `inside`.
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

/// Returns the characters that are neither escaped nor in a class, with their group depth. `None` if a group is not
/// closed.
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
        // Nested alternatives beyond the limit yield "no", so that the search always ends.
        let bomb = "(a|a)".repeat(40);
        assert!(!always_starts_with(&bomb, &"a".repeat(40)));
    }
}
