//! Confluent Resource Names and the patterns that role bindings grant on. Every CRN is built here and nowhere else.
//!
//! Shapes: published Cloud API reference and the Terraform provider's documentation (dossier `rbac.md` §3). Connectors
//! hang off `cloud-cluster=`, topics and groups off `kafka=`, subjects off `schema-registry=`, service accounts off the
//! organization.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ClusterId, EnvironmentId, OrganizationId, SchemaRegistryId, ServiceAccountId};

const AUTHORITY: &str = "crn://confluent.cloud/";

/// A text that is not a CRN, or not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrnError {
    /// It does not begin with `crn://confluent.cloud/`.
    #[error("`{0}` does not begin with `{AUTHORITY}`")]
    Authority(String),
    /// A part is not `type=value`.
    #[error("`{part}` in `{crn}` is not of the form type=value")]
    Segment {
        /// The part in question.
        part: String,
        /// The whole text.
        crn: String,
    },
    /// A `*` stands where it means nothing: only the last character of the last value may be one.
    #[error("`*` may only be the last character of the last value, not as in `{0}`")]
    Wildcard(String),
}

/// What a CRN names, by its last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants are the field's own words")]
pub enum ResourceKind {
    Organization,
    Environment,
    Cluster,
    /// The Kafka half of a cluster (`kafka=lkc-…`), parent of topics, groups and transactional ids.
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
    /// Anything this program has no rule about.
    Other,
}

impl ResourceKind {
    /// The kinds a template may grant on, with the word that people write.
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

    /// The token in a CRN.
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

    /// The word that people write and read: like [`Self::token`], but `cluster` for a Kafka cluster.
    #[must_use]
    pub const fn word(self) -> &'static str {
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

fn segments(text: &str) -> Result<Vec<Segment>, CrnError> {
    let path = text
        .strip_prefix(AUTHORITY)
        .ok_or_else(|| CrnError::Authority(text.to_owned()))?;
    path.split('/')
        .map(|part| match part.split_once('=') {
            // The service may answer `:` as `%3A` (terraform-provider-confluent `normalizeCrn`).
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

/// The name of one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Crn(Vec<Segment>);

impl Crn {
    /// The organization itself.
    #[must_use]
    pub fn organization(id: &OrganizationId) -> Self {
        Self(vec![Segment {
            token: ResourceKind::Organization.token().to_owned(),
            value: id.to_string(),
        }])
    }

    /// What it names.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        self.0
            .last()
            .map_or(ResourceKind::Other, |last| ResourceKind::from_token(&last.token))
    }

    /// The last value: the name of the resource itself.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.last().map_or("", |last| &last.value)
    }

    /// The value of the segment of `kind`, if there is one.
    #[must_use]
    pub fn value_of(&self, kind: ResourceKind) -> Option<&str> {
        self.0
            .iter()
            .find(|segment| segment.token == kind.token())
            .map(|segment| segment.value.as_str())
    }

    /// The CRN of what it hangs off, if it hangs off something.
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
        segments(text).map(Self)
    }
}

/// What a role binding grants on: one scope, or resources by name or by the beginning of their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrnPattern {
    parents: Vec<Segment>,
    token: String,
    name: NamePattern,
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
    pub fn names(&self, resource: &Crn) -> bool {
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
    pub fn short(&self) -> String {
        format!("{} {}", self.kind().word(), self.name)
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
        let mut parents = segments(text)?;
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

macro_rules! as_text {
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
as_text!(Crn, CrnPattern);

/// Where one stage lives. All CRNs of a stage are made from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The organization.
    pub organization: OrganizationId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
    pub cluster: ClusterId,
    /// The Schema Registry of the environment, when it has one.
    pub schema_registry: Option<SchemaRegistryId>,
}

impl Address {
    fn path(&self, parts: &[(ResourceKind, &str)]) -> Vec<Segment> {
        let organization = (ResourceKind::Organization, self.organization.as_str());
        [organization]
            .iter()
            .chain(parts)
            .map(|(kind, value)| Segment {
                token: kind.token().to_owned(),
                value: (*value).to_owned(),
            })
            .collect()
    }

    /// The CRN of the organization.
    #[must_use]
    pub fn organization_crn(&self) -> Crn {
        Crn::organization(&self.organization)
    }

    /// The CRN of the environment.
    #[must_use]
    pub fn environment_crn(&self) -> Crn {
        Crn(self.path(&[(ResourceKind::Environment, self.environment.as_str())]))
    }

    /// The CRN of the Kafka cluster as a role scope, without `/kafka=`.
    #[must_use]
    pub fn cluster_crn(&self) -> Crn {
        let environment = (ResourceKind::Environment, self.environment.as_str());
        Crn(self.path(&[environment, (ResourceKind::Cluster, self.cluster.as_str())]))
    }

    /// The CRN of the Kafka half of the cluster, off which topics, groups and transactional ids hang.
    #[must_use]
    pub fn kafka_crn(&self) -> Crn {
        let mut kafka = self.cluster_crn();
        kafka.0.push(Segment {
            token: ResourceKind::Kafka.token().to_owned(),
            value: self.cluster.as_str().to_owned(),
        });
        kafka
    }

    /// The CRN of the Schema Registry, when there is one.
    #[must_use]
    pub fn schema_registry_crn(&self) -> Option<Crn> {
        let environment = (ResourceKind::Environment, self.environment.as_str());
        let registry = self.schema_registry.as_ref()?;
        Some(Crn(
            self.path(&[environment, (ResourceKind::SchemaRegistry, registry.as_str())])
        ))
    }

    /// The CRN of a service account.
    #[must_use]
    pub fn service_account_crn(&self, account: &ServiceAccountId) -> Crn {
        Crn(self.path(&[(ResourceKind::ServiceAccount, account.as_str())]))
    }

    /// The pattern of `kind` for `name`. For the kinds that are scopes themselves (organization, environment, cluster)
    /// the name is ignored: there is one of each at an address.
    ///
    /// `None` when the address has no place for it: subjects without a Schema Registry, kinds that cannot be granted on.
    #[must_use]
    pub fn pattern(&self, kind: ResourceKind, name: NamePattern) -> Option<CrnPattern> {
        let parents = match kind {
            ResourceKind::Organization => return Some(self.organization_crn().into()),
            ResourceKind::Environment => return Some(self.environment_crn().into()),
            ResourceKind::Cluster => return Some(self.cluster_crn().into()),
            ResourceKind::Connector => self.cluster_crn(),
            ResourceKind::Topic | ResourceKind::Group | ResourceKind::TransactionalId => self.kafka_crn(),
            ResourceKind::Subject => self.schema_registry_crn()?,
            ResourceKind::ServiceAccount => self.organization_crn(),
            _ => return None,
        };
        Some(CrnPattern {
            parents: parents.0,
            token: kind.token().to_owned(),
            name,
        })
    }

    /// The CRN of one resource of `kind`; `None` as for [`Self::pattern`].
    #[must_use]
    pub fn resource(&self, kind: ResourceKind, name: &str) -> Option<Crn> {
        self.pattern(kind, NamePattern::Literal(name.to_owned()))?.literal()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address() -> Address {
        Address {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-abc123".parse().unwrap(),
            cluster: "lkc-abc123".parse().unwrap(),
            schema_registry: Some("lsrc-abc123".parse().unwrap()),
        }
    }

    // The stock CLI's own requests (`traces/stock-cli.jsonl`, `iam rbac role-binding create`).
    #[test]
    fn patterns_are_the_ones_the_stock_cli_sends() {
        let prefix = || NamePattern::Prefixed("claims-".into());
        let org = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555";
        let cluster = format!("{org}/environment=env-abc123/cloud-cluster=lkc-abc123");
        let expected = [
            (ResourceKind::Connector, format!("{cluster}/connector=claims-*")),
            (
                ResourceKind::Topic,
                format!("{cluster}/kafka=lkc-abc123/topic=claims-*"),
            ),
            (
                ResourceKind::Group,
                format!("{cluster}/kafka=lkc-abc123/group=claims-*"),
            ),
            (
                ResourceKind::TransactionalId,
                format!("{cluster}/kafka=lkc-abc123/transactional-id=claims-*"),
            ),
            (
                ResourceKind::Subject,
                format!("{org}/environment=env-abc123/schema-registry=lsrc-abc123/subject=claims-*"),
            ),
            (ResourceKind::Cluster, cluster.clone()),
            (ResourceKind::Organization, org.to_owned()),
        ];
        for (kind, text) in expected {
            let pattern = address().pattern(kind, prefix()).unwrap();
            assert_eq!(pattern.to_string(), text);
            assert_eq!(text.parse::<CrnPattern>().unwrap(), pattern);
        }
    }

    #[test]
    fn a_cluster_covers_what_hangs_below_it_and_nothing_beside_it() {
        let cluster = CrnPattern::from(address().cluster_crn());
        assert!(cluster.covers(&address().resource(ResourceKind::Topic, "x").unwrap()));
        assert!(cluster.covers(&address().resource(ResourceKind::Connector, "x").unwrap()));
        assert!(!cluster.covers(&address().resource(ResourceKind::Subject, "x").unwrap()));
        assert!(!cluster.covers(&address().environment_crn()));
    }

    #[test]
    fn stray_wildcards_are_refused_and_escapes_are_read() {
        let org = "crn://confluent.cloud/organization=o";
        assert!(
            format!("{org}/environment=*/cloud-cluster=lkc-1")
                .parse::<CrnPattern>()
                .is_err()
        );
        assert!(format!("{org}/service-account=a*b").parse::<CrnPattern>().is_err());
        let escaped: CrnPattern = format!("{org}/subject=%3A.ctx%3A*").parse().unwrap();
        assert_eq!(escaped.name(), &NamePattern::Prefixed(":.ctx:".into()));
    }

    fn name_pattern() -> impl Strategy<Value = NamePattern> {
        ("[ab]{0,4}", any::<bool>()).prop_map(|(stem, prefixed)| match prefixed {
            true => NamePattern::Prefixed(stem),
            false => NamePattern::Literal(format!("x{stem}")),
        })
    }

    proptest! {
        #[test]
        fn covering_agrees_with_matching(a in name_pattern(), b in name_pattern(), name in "x?[ab]{0,5}") {
            if a.covers(&b) && b.matches(&name) { prop_assert!(a.matches(&name)); }
            if a.matches(&name) && b.matches(&name) { prop_assert!(a.overlaps(&b)); }
        }

        #[test]
        fn text_and_value_are_the_same(name in "[a-z0-9._-]{1,12}", star in any::<bool>()) {
            let text = if star { format!("{name}*") } else { name };
            let pattern = address().pattern(ResourceKind::Topic, NamePattern::parse(&text).unwrap()).unwrap();
            prop_assert_eq!(pattern.to_string().parse::<CrnPattern>().unwrap(), pattern);
        }
    }
}
