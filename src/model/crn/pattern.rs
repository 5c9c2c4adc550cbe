//! What role bindings grant on: a scope, or resources by name or by the beginning of their names.

use std::{fmt, str::FromStr};

use super::{Crn, CrnError, ResourceKind, Segment, parse_segments, write_path};

/// A name, or the beginning of names: what the last value of a CRN pattern means (MDS: LITERAL and PREFIXED).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamePattern {
    /// Exactly this name.
    Literal(String),
    /// Every name that begins so; an empty beginning is every name (`*`).
    Prefixed(String),
}

impl NamePattern {
    /// Reads `name`, `begin*` or `*`.
    ///
    /// # Errors
    /// A `*` anywhere but at the end: the service knows no such pattern.
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

    /// Whether `name` is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::Prefixed(begin) => name.starts_with(begin.as_str()),
        }
    }

    /// Whether every name that `other` means is meant by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(mine), Self::Literal(theirs)) => mine == theirs,
            (Self::Literal(_), Self::Prefixed(_)) => false,
            (Self::Prefixed(begin), Self::Literal(name) | Self::Prefixed(name)) => name.starts_with(begin.as_str()),
        }
    }

    /// Whether at least one name is meant by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The name or the beginning, without the `*`.
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

/// What a role binding grants on: one scope, or resources by name or by the beginning of their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrnPattern {
    pub(super) parents: Vec<Segment>,
    pub(super) token: String,
    pub(super) name: NamePattern,
}

impl CrnPattern {
    /// What it grants on.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        ResourceKind::from_token(&self.token)
    }

    /// The name or beginning of names of its last segment.
    #[must_use]
    pub fn name(&self) -> &NamePattern {
        &self.name
    }

    /// The value of the segment of `kind`, for its scopes; the stem for the last segment.
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

    /// Whether `resource` is the thing granted on, or hangs below it.
    #[must_use]
    pub fn covers(&self, resource: &Crn) -> bool {
        let depth = self.parents.len();
        resource.0.len() > depth
            && resource.0[..depth] == self.parents[..]
            && resource.0[depth].token == self.token
            && self.name.matches(&resource.0[depth].value)
    }

    /// Whether `resource` is the thing granted on itself, not something below it.
    #[must_use]
    pub fn matches_exactly(&self, resource: &Crn) -> bool {
        resource.0.len() == self.parents.len() + 1 && self.covers(resource)
    }

    /// Whether everything that `other` grants on is granted on by this one too.
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

    /// Whether at least one resource can be granted on by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers_pattern(other)
            || other.covers_pattern(self)
            || (self.parents == other.parents && self.token == other.token && self.name.overlaps(&other.name))
    }

    /// The resource it names, when it is not a pattern of names.
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

    /// The scope it hangs off (for a scope itself: that scope's own parent).
    #[must_use]
    pub fn parent(&self) -> Option<Crn> {
        (!self.parents.is_empty()).then(|| Crn(self.parents.clone()))
    }

    /// `kind name`, short enough for a table: `connector claims-*`.
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
        // A CRN has at least one segment: both constructors make sure of it.
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
