//! Name prefixes: every resource name of a department begins with its prefix, which isolates departments from each
//! other.
//!
//! This module checks the syntax of a prefix and conflicts between two prefixes (docs/reference/rbac.md#threats, T1).
//! The `manifest` module checks the rules of an organization.

use std::fmt;

use serde::{Serialize, Serializer};

use super::NamePattern;

/// Delimiters; a prefix ends in one of them.
pub const DELIMITERS: [char; 3] = ['-', '.', '_'];

/// Error: the text is not a valid prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// The text is empty.
    #[error("a prefix cannot be empty")]
    Empty,
    /// No delimiter at the end: `fin` would also match `finance-…`.
    #[error("prefix `{0}` does not end with a delimiter (`-`, `.` or `_`)")]
    NoDelimiter(String),
    /// A character that some systems require to be escaped.
    #[error("prefix `{prefix}` contains {character:?}: allowed are a-z, 0-9 and the delimiters `-`, `.` and `_`")]
    Character {
        /// The prefix as written.
        prefix: String,
        /// The first invalid character.
        character: char,
    },
    /// The first character is not a letter.
    #[error("prefix `{0}` does not start with a letter")]
    FirstCharacter(String),
}

/// Prefix of all resource names of one department, including the delimiter (`claims-`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// Parses `text`.
    ///
    /// # Errors
    /// See [`PrefixError`].
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let first = text.chars().next().ok_or(PrefixError::Empty)?;
        let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || DELIMITERS.contains(&c);
        if let Some(character) = text.chars().find(|&c| !safe(c)) {
            return Err(PrefixError::Character {
                prefix: text.to_owned(),
                character,
            });
        }
        if !first.is_ascii_lowercase() {
            return Err(PrefixError::FirstCharacter(text.to_owned()));
        }
        if !text.ends_with(DELIMITERS) {
            return Err(PrefixError::NoDelimiter(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the prefix as text, including the delimiter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the prefix in lower case, with `.` replaced by `_`. Topic metrics and several systems behind Connect
    /// treat the two as equal.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// Whether one prefix begins with the other after folding, so that a name could match both.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.folded(), other.folded());
        mine.starts_with(&theirs) || theirs.starts_with(&mine)
    }

    /// Whether `name` begins with the prefix.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        name.starts_with(&self.0)
    }

    /// Returns the pattern that matches all names with the prefix.
    #[must_use]
    pub fn pattern(&self) -> NamePattern {
        NamePattern::Prefixed(self.0.clone())
    }
}

/// Returns `text` in lower case, with `.` replaced by `_`.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase().replace('.', "_")
}

impl fmt::Display for Prefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_prefix_ends_in_a_delimiter() {
        assert_eq!(Prefix::parse("fin"), Err(PrefixError::NoDelimiter("fin".into())));
        assert_eq!(Prefix::parse(""), Err(PrefixError::Empty));
        assert!(matches!(
            Prefix::parse("Fin-"),
            Err(PrefixError::Character { character: 'F', .. })
        ));
        assert!(matches!(
            Prefix::parse("fin*-"),
            Err(PrefixError::Character { character: '*', .. })
        ));
        assert_eq!(Prefix::parse("-fin-"), Err(PrefixError::FirstCharacter("-fin-".into())));
    }

    #[test]
    fn dots_and_underscores_conflict() {
        let parse = |text| Prefix::parse(text).unwrap();
        assert!(parse("fin.ops.").conflicts_with(&parse("fin_ops_")));
        assert!(parse("fin-").conflicts_with(&parse("fin-ops-")));
        assert!(!parse("fin-").conflicts_with(&parse("finance-")));
    }

    proptest! {
        #[test]
        fn conflicts_are_symmetric_and_prefixes_without_conflict_share_no_name(a in "[ab]{1,3}[-._]", b in "[ab]{1,3}[-._]", tail in "[ab]{0,3}") {
            let (a, b) = (Prefix::parse(&a).unwrap(), Prefix::parse(&b).unwrap());
            prop_assert_eq!(a.conflicts_with(&b), b.conflicts_with(&a));
            if !a.conflicts_with(&b) {
                let name = format!("{a}{tail}");
                prop_assert!(!b.owns(&name));
            }
        }
    }
}
