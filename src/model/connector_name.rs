//! Pattern of connector names.

use std::{fmt, str::FromStr};

use globset::{Glob, GlobMatcher};
use serde::{Serialize, Serializer};

use super::Prefix;

/// Glob for the part of a connector name after the department's prefix (`*-{source,sink}`): the platform's naming
/// convention. The default matches every name.
#[derive(Clone, Debug)]
pub struct ConnectorNamePattern {
    text: String,
    matcher: GlobMatcher,
}

impl ConnectorNamePattern {
    /// Returns whether `name` follows the convention of a department with `prefix`; a name outside of the prefix does
    /// not.
    #[must_use]
    pub fn allows(&self, prefix: &Prefix, name: &str) -> bool {
        name.strip_prefix(prefix.as_str())
            .is_some_and(|rest| !rest.is_empty() && self.matcher.is_match(rest))
    }

    /// Returns whether it matches every name.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.text == "*"
    }

    /// Returns the glob as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Default for ConnectorNamePattern {
    fn default() -> Self {
        "*".parse()
            .unwrap_or_else(|error| unreachable!("`*` is a glob: {error}"))
    }
}

impl FromStr for ConnectorNamePattern {
    type Err = globset::Error;

    fn from_str(text: &str) -> Result<Self, globset::Error> {
        Ok(Self {
            text: text.to_owned(),
            matcher: Glob::new(text)?.compile_matcher(),
        })
    }
}

impl PartialEq for ConnectorNamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ConnectorNamePattern {}

impl fmt::Display for ConnectorNamePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Serialize for ConnectorNamePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_name_follows_the_convention_after_the_prefix() {
        let prefix = Prefix::parse("claims-").unwrap();
        let any = ConnectorNamePattern::default();
        assert!(any.is_any() && any.allows(&prefix, "claims-orders"));
        assert!(!any.allows(&prefix, "claims-"));
        assert!(!any.allows(&prefix, "fraud-orders"));
        let named: ConnectorNamePattern = "*-{source,sink}".parse().unwrap();
        assert!(!named.is_any() && named.allows(&prefix, "claims-orders-sink"));
        assert!(!named.allows(&prefix, "claims-orders"));
    }
}
