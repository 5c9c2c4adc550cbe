//! CRN patterns: the scope or the resources that a role binding grants on.

use std::{fmt, str::FromStr};

use super::{Crn, CrnError, ResourceKind, Segment, parse_segments, write_path};

/// A name or a name prefix: the last value of a CRN pattern (MDS: LITERAL and PREFIXED).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamePattern {
    /// Exactly one name.
    Literal(String),
    /// All names with this prefix; an empty prefix matches every name (`*`).
    Prefixed(String),
}

impl NamePattern {
    /// Parses `name`, `prefix*` or `*`.
    ///
    /// # Errors
    /// A `*` that is not at the end.
    pub fn parse(text: &str) -> Result<Self, CrnError> {
        let (pattern, stem) = match text.strip_suffix('*') {
            Some(begin) => (Self::Prefixed(begin.to_owned()), begin),
            None => (Self::Literal(text.to_owned()), text),
        };
        if stem.contains('*') {
            Err(CrnError::Wildcard(text.to_owned()))
        } else {
            Ok(pattern)
        }
    }

    /// Whether the pattern matches `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::Prefixed(begin) => name.starts_with(begin.as_str()),
        }
    }

    /// Whether the pattern matches every name that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(mine), Self::Literal(theirs)) => mine == theirs,
            (Self::Literal(_), Self::Prefixed(_)) => false,
            (Self::Prefixed(begin), Self::Literal(name) | Self::Prefixed(name)) => name.starts_with(begin.as_str()),
        }
    }

    /// Whether at least one name matches both patterns.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Returns the name or the prefix, without the `*`.
    #[must_use]
    pub fn stem(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Prefixed(text) => text,
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(name) => out.pad(name),
            Self::Prefixed(begin) => out.pad(&format!("{begin}*")),
        }
    }
}

/// Scope or resources of a role binding: one scope, or resources by name or name prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrnPattern {
    pub(super) parents: Vec<Segment>,
    pub(super) token: String,
    pub(super) name: NamePattern,
}

impl CrnPattern {
    /// Returns the resource kind.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        ResourceKind::from_token(&self.token)
    }

    /// Returns the name pattern of the last segment.
    #[must_use]
    pub fn name(&self) -> &NamePattern {
        &self.name
    }

    /// Returns the value of the segment of `kind`; the stem for the last segment.
    #[must_use]
    pub fn value_of(&self, kind: ResourceKind) -> Option<&str> {
        if self.token == kind.token() {
            return Some(self.name.stem());
        }
        self.parents
            .iter()
            .find(|segment| segment.token == kind.token())
            .map(|segment| segment.value.as_str())
    }

    /// Whether `resource` matches the pattern or is a descendant of a match.
    #[must_use]
    pub fn covers(&self, resource: &Crn) -> bool {
        let depth = self.parents.len();
        resource.0.len() > depth
            && resource.0[..depth] == self.parents[..]
            && resource.0[depth].token == self.token
            && self.name.matches(&resource.0[depth].value)
    }

    /// Whether `resource` itself matches the pattern, not only one of its ancestors.
    #[must_use]
    pub fn matches_exactly(&self, resource: &Crn) -> bool {
        resource.0.len() == self.parents.len() + 1 && self.covers(resource)
    }

    /// Whether the pattern covers every resource that `other` covers.
    #[must_use]
    pub fn covers_pattern(&self, other: &Self) -> bool {
        let depth = self.parents.len();
        if other.parents.len() > depth {
            let at = &other.parents[depth];
            return other.parents[..depth] == self.parents[..]
                && at.token == self.token
                && self.name.matches(&at.value);
        }
        other.parents == self.parents && other.token == self.token && self.name.covers(&other.name)
    }

    /// Whether at least one resource is covered by both patterns.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers_pattern(other)
            || other.covers_pattern(self)
            || (self.parents == other.parents && self.token == other.token && self.name.overlaps(&other.name))
    }

    /// Returns the CRN if the pattern has a literal name.
    #[must_use]
    pub fn literal(&self) -> Option<Crn> {
        match &self.name {
            NamePattern::Literal(name) => {
                let mut path = self.parents.clone();
                path.push(Segment {
                    token: self.token.clone(),
                    value: name.clone(),
                });
                Some(Crn(path))
            }
            NamePattern::Prefixed(_) => None,
        }
    }

    /// Returns the parent scope; `None` for an organization.
    #[must_use]
    pub fn parent(&self) -> Option<Crn> {
        (!self.parents.is_empty()).then(|| Crn(self.parents.clone()))
    }

    /// Formats kind and name for a table: `connector claims-*`.
    #[must_use]
    pub fn to_short_string(&self) -> String {
        format!("{} {}", self.kind().display_name(), self.name)
    }
}

impl fmt::Display for CrnPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = Segment {
            token: self.token.clone(),
            value: self.name.to_string(),
        };
        write_path(out, self.parents.iter().chain([&last]))
    }
}

impl FromStr for CrnPattern {
    type Err = CrnError;

    fn from_str(text: &str) -> Result<Self, CrnError> {
        let mut parents = parse_segments(text)?;
        if let Some(stray) = parents[..parents.len() - 1]
            .iter()
            .find(|segment| segment.value.contains('*'))
        {
            return Err(CrnError::Wildcard(stray.to_string()));
        }
        let last = parents.pop().ok_or_else(|| CrnError::Authority(text.to_owned()))?;
        Ok(Self {
            parents,
            token: last.token,
            name: NamePattern::parse(&last.value)?,
        })
    }
}

impl From<Crn> for CrnPattern {
    fn from(Crn(mut path): Crn) -> Self {
        // A CRN has at least one segment: both constructors ensure it.
        let last = path.pop().unwrap_or(Segment {
            token: String::new(),
            value: String::new(),
        });
        Self {
            parents: path,
            token: last.token,
            name: NamePattern::Literal(last.value),
        }
    }
}
