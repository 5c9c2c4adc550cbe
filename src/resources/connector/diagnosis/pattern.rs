//! Message patterns, in which `*` matches any text and a leading `^` the beginning of the line.

use std::{ops::Range, sync::LazyLock};

use super::{DiagnosisRule, Speaker, codes::with_codes, message::logical_lines, rules, speaker::speaker};

/// Rules with their patterns in lowercase.
static COMPILED: LazyLock<Vec<(&'static DiagnosisRule, Vec<String>)>> = LazyLock::new(|| {
    let lowercase = |rule: &DiagnosisRule| rule.patterns.iter().map(|pattern| pattern.to_lowercase()).collect();
    rules().map(|rule| (rule, lowercase(rule))).collect()
});

/// Returns the first rule that matches a text.
pub(super) fn matching_rule(text: &str) -> Option<&'static DiagnosisRule> {
    let lines = logical_lines(text);
    let lines: Vec<String> = lines.iter().map(|line| line.to_lowercase()).collect();
    let speaker = speaker(&lines.join("\n"));
    let lines: Vec<String> = lines.iter().map(|line| with_codes(line)).collect();
    let admits = |said_by: &[Speaker]| said_by.is_empty() || said_by.contains(&speaker);
    COMPILED
        .iter()
        .filter(|(rule, _)| admits(rule.said_by))
        .find(|(_, patterns)| {
            patterns
                .iter()
                .any(|pattern| lines.iter().any(|line| find(line, pattern).is_some()))
        })
        .map(|(rule, _)| *rule)
}

impl DiagnosisRule {
    /// Returns whether a pattern of the rule matches a line.
    pub(super) fn matches_line(&self, line: &str) -> bool {
        let line = with_codes(&line.to_lowercase());
        let mut patterns = self.patterns.iter();
        patterns.any(|pattern| find(&line, &pattern.to_lowercase()).is_some())
    }

    /// Shortens a message to about `most` characters around the words that the rule matches.
    #[must_use]
    pub fn excerpt(&self, message: &str, most: usize) -> String {
        let length = message.chars().count();
        if length <= most {
            return message.to_owned();
        }
        let line = message.to_lowercase();
        let mut found = self
            .patterns
            .iter()
            .filter_map(|pattern| find(&line, &pattern.to_lowercase()));
        let found = found.next().filter(|found| found.end > 0).unwrap_or(0..0);
        let characters = |end: usize| line.get(..end).map_or(0, |before| before.chars().count());
        let (from, to) = (characters(found.start), characters(found.end));
        if to <= most {
            return format!("{}…", message.chars().take(most).collect::<String>());
        }
        let width = most.max(to - from);
        let first = from
            .saturating_sub((width - (to - from)) / 2)
            .min(length.saturating_sub(width));
        let text: String = message.chars().skip(first).take(width).collect();
        let end = if first + width < length { "…" } else { "" };
        format!("…{text}{end}")
    }
}

/// Returns where a lowercase pattern matches a lowercase line. A number in a pattern matches only a whole number.
fn find(line: &str, pattern: &str) -> Option<Range<usize>> {
    let (pattern, anchored) = match pattern.strip_prefix('^') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let indented = line.len() - line.trim_start().len();
    let parts: Vec<&str> = pattern.split('*').collect();
    let (mut start, mut end) = (None, if anchored { indented } else { 0 });
    for (place, part) in parts.iter().enumerate() {
        let is_last = place + 1 == parts.len();
        let mut places = line[end..].match_indices(part).map(|(at, _)| end + at);
        let at = places.find(|at| {
            let digit_before =
                part.starts_with(|c: char| c.is_ascii_digit()) && line[..*at].ends_with(|c: char| c.is_ascii_digit());
            let number_goes_on = is_last
                && part.ends_with(|c: char| c.is_ascii_digit())
                && line[at + part.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
            !digit_before && !number_goes_on && (!anchored || place > 0 || *at == indented)
        })?;
        start.get_or_insert(at);
        end = at + part.len();
    }
    Some(start.unwrap_or(0)..end)
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::resources::connector::diagnosis::find_rule;

    #[test]
    fn the_parts_of_a_pattern_match_in_order() {
        for (line, pattern, expected) in [
            ("error: connection refused", "connection refused", true),
            ("slot \"a\" is active for pid 7", "slot \"*\" is active", true),
            ("is active: slot \"a\"", "slot \"*\" is active", false),
            ("connection was refused", "connection refused", false),
            ("aba", "ab*ba", false),
            ("  resource not found", "^resource not found", true),
            ("requested resource not found", "^resource not found", false),
            ("not found: resource not found", "^not * resource", true),
            ("größe fehlt", "größe", true),
            ("error code 13 ", "error code 13", true),
            ("error code 136", "error code 13", false),
            ("x sqlstate=28p01", "sqlstate=28*", true),
        ] {
            assert_eq!(find(line, pattern).is_some(), expected, "{line} {pattern}");
        }
    }

    #[test]
    fn an_excerpt_contains_the_matched_words() {
        let message = format!("{} no pg_hba.conf entry {}", "ä".repeat(500), "b".repeat(500));
        let excerpt = find_rule("host-not-allowed").unwrap().excerpt(&message, 100);
        assert!(excerpt.contains("pg_hba.conf"), "{excerpt}");
        assert!(excerpt.chars().count() <= 102, "{excerpt}");
    }
}
