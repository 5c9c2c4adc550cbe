//! Advice that travels with an error: what a person can do next.

/// One piece of advice: a whole sentence, commands in backticks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint(String);

impl Hint {
    /// Advice from a sentence that ends in a full stop.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Hint {
    fn from(sentence: T) -> Self {
        Self::new(sentence)
    }
}

impl std::fmt::Display for Hint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Errors that know what to do about themselves.
pub trait Advice {
    /// What to do next; empty when nothing useful can be said.
    fn hints(&self) -> Vec<Hint>;
}

/// The nearest of `known` to `written`, for "did you mean": at most a third of its letters differ.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_finds_a_transposition_and_refuses_a_stranger() {
        assert_eq!(nearest("quickstrat", ["quickstart", "topics"]), Some("quickstart"));
        assert_eq!(nearest("zebra", ["quickstart", "topics"]), None);
        assert_eq!(
            nearest("Developerread", ["DeveloperRead", "DeveloperWrite"]),
            Some("DeveloperRead")
        );
    }
}
