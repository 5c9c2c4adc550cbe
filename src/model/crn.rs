//! Confluent Resource Names (CRNs) and CRN patterns of role bindings. No other module builds CRNs.
//!
//! Shapes: published Cloud API reference and the Terraform provider's documentation
//! (docs/reference/rbac.md#crn-patterns). Connectors are children of `cloud-cluster=`, topics and groups of `kafka=`,
//! subjects of `schema-registry=`, service accounts of the organization.

mod address;
mod pattern;

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use address::StageAddress;
pub use pattern::{CrnPattern, NamePattern};

use super::OrganizationId;

const AUTHORITY: &str = "crn://confluent.cloud/";

/// Error: the text is not a CRN or CRN pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrnError {
    /// Missing prefix `crn://confluent.cloud/`.
    #[error("`{0}` is not a CRN: expected the prefix `{AUTHORITY}`")]
    Authority(String),
    /// A segment is not `type=value`.
    #[error("invalid segment `{part}` in `{crn}`: expected `type=value`")]
    Segment {
        /// The invalid segment.
        part: String,
        /// The whole text.
        crn: String,
    },
    /// A `*` that is not the last character of the last value.
    #[error("invalid pattern `{0}`: `*` is allowed only as the last character of the last value")]
    Wildcard(String),
}

/// Resource kind of a CRN, taken from its last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants are Confluent's names")]
pub enum ResourceKind {
    Organization,
    Environment,
    Cluster,
    /// The Kafka part of a cluster (`kafka=lkc-…`): parent of topics, groups and transactional ids.
    Kafka,
    SchemaRegistry,
    Topic,
    Group,
    TransactionalId,
    Subject,
    Connector,
    ServiceAccount,
    User,
    ApiKey,
    RoleBinding,
    /// Any other kind.
    Other,
}

impl ResourceKind {
    /// Kinds that a template can grant on, with their display names.
    pub const GRANTABLE: [(ResourceKind, &'static str); 9] = [
        (Self::Organization, "organization"),
        (Self::Environment, "environment"),
        (Self::Cluster, "cluster"),
        (Self::Topic, "topic"),
        (Self::Group, "group"),
        (Self::TransactionalId, "transactional-id"),
        (Self::Subject, "subject"),
        (Self::Connector, "connector"),
        (Self::ServiceAccount, "service-account"),
    ];

    /// Returns the segment type in a CRN.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Environment => "environment",
            Self::Cluster => "cloud-cluster",
            Self::Kafka => "kafka",
            Self::SchemaRegistry => "schema-registry",
            Self::Topic => "topic",
            Self::Group => "group",
            Self::TransactionalId => "transactional-id",
            Self::Subject => "subject",
            Self::Connector => "connector",
            Self::ServiceAccount => "service-account",
            Self::User => "user",
            Self::ApiKey => "api-key",
            Self::RoleBinding => "role-binding",
            Self::Other => "?",
        }
    }

    /// Returns the display name: [`Self::token`], but `cluster` for a Kafka cluster.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            other => other.token(),
        }
    }

    fn from_token(token: &str) -> Self {
        const ALL: [ResourceKind; 14] = [
            ResourceKind::Organization,
            ResourceKind::Environment,
            ResourceKind::Cluster,
            ResourceKind::Kafka,
            ResourceKind::SchemaRegistry,
            ResourceKind::Topic,
            ResourceKind::Group,
            ResourceKind::TransactionalId,
            ResourceKind::Subject,
            ResourceKind::Connector,
            ResourceKind::ServiceAccount,
            ResourceKind::User,
            ResourceKind::ApiKey,
            ResourceKind::RoleBinding,
        ];
        ALL.into_iter()
            .find(|kind| kind.token() == token)
            .unwrap_or(Self::Other)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Segment {
    token: String,
    value: String,
}

impl fmt::Display for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.token, self.value)
    }
}

fn parse_segments(text: &str) -> Result<Vec<Segment>, CrnError> {
    let path = text
        .strip_prefix(AUTHORITY)
        .ok_or_else(|| CrnError::Authority(text.to_owned()))?;
    path.split('/')
        .map(|part| match part.split_once('=') {
            // The API may return `:` as `%3A` (terraform-provider-confluent `normalizeCrn`).
            Some((token, value)) if !token.is_empty() && !value.is_empty() => {
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                Ok(Segment {
                    token: token.to_owned(),
                    value,
                })
            }
            _ => Err(CrnError::Segment {
                part: part.to_owned(),
                crn: text.to_owned(),
            }),
        })
        .collect()
}

fn write_path<'a>(out: &mut fmt::Formatter<'_>, path: impl Iterator<Item = &'a Segment>) -> fmt::Result {
    out.write_str(AUTHORITY)?;
    for (index, segment) in path.enumerate() {
        if index > 0 {
            out.write_str("/")?;
        }
        write!(out, "{segment}")?;
    }
    Ok(())
}

/// CRN of one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Crn(Vec<Segment>);

impl Crn {
    /// Returns the CRN of an organization.
    #[must_use]
    pub fn organization(id: &OrganizationId) -> Self {
        Self(vec![Segment {
            token: ResourceKind::Organization.token().to_owned(),
            value: id.to_string(),
        }])
    }

    /// Returns the resource kind.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        self.0
            .last()
            .map_or(ResourceKind::Other, |last| ResourceKind::from_token(&last.token))
    }

    /// Returns the resource name, which is the value of the last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.last().map_or("", |last| &last.value)
    }

    /// Returns the value of the segment of `kind`.
    #[must_use]
    pub fn value_of(&self, kind: ResourceKind) -> Option<&str> {
        self.0
            .iter()
            .find(|segment| segment.token == kind.token())
            .map(|segment| segment.value.as_str())
    }

    /// Returns the CRN of the parent; `None` for an organization.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        (self.0.len() > 1).then(|| Self(self.0[..self.0.len() - 1].to_vec()))
    }
}

impl fmt::Display for Crn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(out, self.0.iter())
    }
}

impl FromStr for Crn {
    type Err = CrnError;

    fn from_str(text: &str) -> Result<Self, CrnError> {
        parse_segments(text).map(Self)
    }
}

macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
serde_as_text!(Crn, CrnPattern);

#[cfg(test)]
mod tests;
