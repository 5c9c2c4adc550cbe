//! Kafka ACLs: one operation that is allowed or denied for one principal on a name or a name prefix.
//!
//! An ACL can grant less than any role. For example, no role lets a connector create and write its dead letter queue
//! without also letting it delete foreign ones (docs/reference/rbac.md#roles-of-a-connectors-account).

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CrnPattern, NamePattern, Principal, ResourceKind, StageAddress};

macro_rules! string_enum {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the variants are Kafka's names")]
        pub enum $name {
            $($variant,)+
            /// A value that is unknown here, as written.
            Other(String),
        }

        impl $name {
            /// All known values.
            pub const KNOWN: &'static [$name] = &[$($name::$variant),+];

            /// The value in the API.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl FromStr for $name {
            type Err = Infallible;
            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(match text {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Ok(word) = String::deserialize(deserializer)?.parse();
                Ok(word)
            }
        }
    };
}

string_enum! {
    /// Resource type of an ACL (ccloud-sdk-go-v2 `kafkarest/v3`, `AclResourceType`).
    AclResource {
        Topic = "TOPIC",
        Group = "GROUP",
        TransactionalId = "TRANSACTIONAL_ID",
        Cluster = "CLUSTER",
        DelegationToken = "DELEGATION_TOKEN",
    }
}

string_enum! {
    /// Operation of an ACL (the same document, `AclOperation`).
    AclOperation {
        All = "ALL",
        Create = "CREATE",
        Read = "READ",
        Write = "WRITE",
        Delete = "DELETE",
        Alter = "ALTER",
        Describe = "DESCRIBE",
        AlterConfigs = "ALTER_CONFIGS",
        DescribeConfigs = "DESCRIBE_CONFIGS",
        ClusterAction = "CLUSTER_ACTION",
        IdempotentWrite = "IDEMPOTENT_WRITE",
    }
}

string_enum! {
    /// Permission of an ACL: allow or deny (the same document, `AclPermission`).
    AclPermission {
        Allow = "ALLOW",
        Deny = "DENY",
    }
}

impl AclResource {
    /// Returns the resource kind; a cluster maps to its Kafka part. `None` for types without a kind.
    #[must_use]
    pub fn kind(&self) -> Option<ResourceKind> {
        match self {
            Self::Topic => Some(ResourceKind::Topic),
            Self::Group => Some(ResourceKind::Group),
            Self::TransactionalId => Some(ResourceKind::TransactionalId),
            Self::Cluster => Some(ResourceKind::Kafka),
            Self::DelegationToken | Self::Other(_) => None,
        }
    }

    /// Returns the ACL resource type of `kind`; `None` where Kafka has no ACLs.
    #[must_use]
    pub fn for_kind(kind: ResourceKind) -> Option<Self> {
        Self::KNOWN.iter().find(|known| known.kind() == Some(kind)).cloned()
    }
}

/// Wildcard principal: matches every principal.
pub const ALL_PRINCIPALS: &str = "User:*";
/// Wildcard host; Confluent Cloud supports no other value (docs `access-control/acls`).
pub const ANY_HOST: &str = "*";
/// The only cluster name that ACLs accept (ccloud-sdk-go-v2 `kafkarest/v3`, 40002).
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// A Kafka ACL. It has no id: its seven fields identify it, so creating it is idempotent.
///
/// Equivalent notations are normalized to one value: `LITERAL` `*` and `PREFIXED` with an empty name both match every
/// name, and `UserV2:sa-…` is the same principal as `User:sa-…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct AclBinding {
    /// Principal; [`ALL_PRINCIPALS`] for everyone.
    pub principal: Principal,
    /// Resource type.
    pub resource: AclResource,
    /// Resource name or name prefix.
    pub pattern: NamePattern,
    /// Operation.
    pub operation: AclOperation,
    /// Allow or deny.
    pub permission: AclPermission,
    /// Client host; normally [`ANY_HOST`].
    pub host: String,
}

/// Wire format of an ACL.
#[derive(Serialize, Deserialize)]
struct Wire {
    resource_type: AclResource,
    resource_name: String,
    pattern_type: String,
    principal: String,
    host: String,
    operation: AclOperation,
    permission: AclPermission,
}

const LITERAL: &str = "LITERAL";
const PREFIXED: &str = "PREFIXED";
const ANY_NAME: &str = "*";

impl From<Wire> for AclBinding {
    fn from(wire: Wire) -> Self {
        let pattern = match (wire.pattern_type.as_str(), wire.resource_name) {
            (LITERAL, name) if name == ANY_NAME => NamePattern::Prefixed(String::new()),
            (LITERAL, name) => NamePattern::Literal(name),
            // Treat an unknown pattern type as the wider one, a prefix.
            (_, begin) => NamePattern::Prefixed(begin),
        };
        Self {
            principal: parse_principal(&wire.principal),
            resource: wire.resource_type,
            pattern,
            operation: wire.operation,
            permission: wire.permission,
            host: wire.host,
        }
    }
}

/// Parses a principal. `UserV2:sa-…` requests ids instead of numbers and means the same principal (docs
/// `access-control/acls/operations`).
fn parse_principal(text: &str) -> Principal {
    let plain = text.strip_prefix("UserV2:").map(|id| format!("User:{id}"));
    let Ok(principal) = plain.as_deref().unwrap_or(text).parse();
    principal
}

impl From<AclBinding> for Wire {
    fn from(acl: AclBinding) -> Self {
        Self {
            pattern_type: acl.pattern_type().to_owned(),
            resource_name: acl.resource_name().to_owned(),
            resource_type: acl.resource,
            principal: acl.principal.to_string(),
            host: acl.host,
            operation: acl.operation,
            permission: acl.permission,
        }
    }
}

impl AclBinding {
    /// Creates an ACL that allows `operation` on `pattern` for `principal`.
    pub fn allow(
        principal: impl Into<Principal>,
        operation: AclOperation,
        resource: AclResource,
        pattern: NamePattern,
    ) -> Self {
        Self {
            principal: principal.into(),
            resource,
            pattern,
            operation,
            permission: AclPermission::Allow,
            host: ANY_HOST.to_owned(),
        }
    }

    /// Returns the pattern type, `LITERAL` or `PREFIXED`.
    #[must_use]
    pub fn pattern_type(&self) -> &'static str {
        match &self.pattern {
            NamePattern::Prefixed(begin) if !begin.is_empty() => PREFIXED,
            _ => LITERAL,
        }
    }

    /// Returns the resource name that goes with the pattern type; `*` for every name.
    #[must_use]
    pub fn resource_name(&self) -> &str {
        match &self.pattern {
            NamePattern::Prefixed(begin) if begin.is_empty() => ANY_NAME,
            pattern => pattern.stem(),
        }
    }

    /// Whether the ACL applies to `principal`, directly or through the wildcard.
    #[must_use]
    pub fn applies_to(&self, principal: &Principal) -> bool {
        self.principal == *principal || self.is_for_all_principals()
    }

    /// Whether the ACL applies to every principal.
    #[must_use]
    pub fn is_for_all_principals(&self) -> bool {
        self.principal.is_all_principals()
    }

    /// Returns the CRN pattern of the resource in the cluster at `address`; `None` for unknown resource types.
    #[must_use]
    pub fn crn_pattern(&self, address: &StageAddress) -> Option<CrnPattern> {
        match self.resource.kind()? {
            ResourceKind::Kafka => Some(address.kafka_crn().into()),
            kind => address.pattern(kind, self.pattern.clone()),
        }
    }

    /// Formats the ACL for a table: `ALLOW WRITE on topic dlq-lcc*`.
    #[must_use]
    pub fn to_short_string(&self) -> String {
        let (permission, operation) = (&self.permission, &self.operation);
        match self.resource.kind() {
            Some(ResourceKind::Kafka) => format!("{permission} {operation} on cluster"),
            Some(kind) => format!("{permission} {operation} on {} {}", kind.display_name(), self.pattern),
            None => format!("{permission} {operation} on {} {}", self.resource, self.pattern),
        }
    }
}

/// Canonical form: the ACL id of Terraform's provider, without the cluster (terraform-provider-confluent
/// `createKafkaAclId`).
impl fmt::Display for AclBinding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}#{}#{}#{}#{}#{}#{}",
            self.resource,
            self.resource_name(),
            self.pattern_type(),
            self.principal,
            self.host,
            self.operation,
            self.permission
        )
    }
}

/// Error: the text is not an ACL in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ACL: expected `TYPE#NAME#PATTERN#PRINCIPAL#HOST#OPERATION#PERMISSION`")]
pub struct AclError(String);

impl FromStr for AclBinding {
    type Err = AclError;

    fn from_str(text: &str) -> Result<Self, AclError> {
        let wrong = || AclError(text.to_owned());
        let (resource, rest) = text.split_once('#').ok_or_else(wrong)?;
        // A group name may contain `#`, so split off the other fields from both ends.
        let mut parts = rest.rsplitn(6, '#');
        let mut last = || parts.next().map(str::to_owned).ok_or_else(wrong);
        let (permission, operation, host) = (last()?, last()?, last()?);
        let (principal, pattern_type, resource_name) = (last()?, last()?, last()?);
        let (Ok(resource_type), Ok(operation), Ok(permission)) =
            (resource.parse(), operation.parse(), permission.parse());
        let known = [LITERAL, PREFIXED].contains(&pattern_type.as_str());
        known.then_some(()).ok_or_else(wrong)?;
        Ok(Wire {
            resource_type,
            resource_name,
            pattern_type,
            principal,
            host,
            operation,
            permission,
        }
        .into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(parts: serde_json::Value) -> AclBinding {
        serde_json::from_value(parts).unwrap()
    }

    fn wire(pattern_type: &str, name: &str, principal: &str) -> serde_json::Value {
        json!({
            "resource_type": "TOPIC", "resource_name": name, "pattern_type": pattern_type, "principal": principal,
            "host": "*", "operation": "WRITE", "permission": "ALLOW",
        })
    }

    // Example from the OpenAPI document, `KafkaAcl`.
    #[test]
    fn an_acl_is_read_and_written_in_wire_form() {
        let text = json!({
            "resource_type": "CLUSTER", "resource_name": "kafka-cluster", "pattern_type": "LITERAL",
            "principal": "User:alice", "host": "*", "operation": "DESCRIBE", "permission": "DENY",
        });
        let acl = read(text.clone());
        assert_eq!(acl.permission, AclPermission::Deny);
        assert_eq!(acl.to_short_string(), "DENY DESCRIBE on cluster");
        assert_eq!(
            acl.to_string(),
            "CLUSTER#kafka-cluster#LITERAL#User:alice#*#DESCRIBE#DENY"
        );
        assert_eq!(serde_json::to_value(acl).unwrap(), text);
    }

    #[test]
    fn two_notations_of_one_acl_are_equal() {
        let every = read(wire("LITERAL", "*", "User:sa-abc123"));
        assert_eq!(every.pattern, NamePattern::Prefixed(String::new()));
        assert_eq!(read(wire("PREFIXED", "", "User:sa-abc123")), every);
        assert_eq!(read(wire("LITERAL", "*", "UserV2:sa-abc123")), every);
        assert_eq!(
            serde_json::to_value(&every).unwrap(),
            wire("LITERAL", "*", "User:sa-abc123")
        );
        // `PREFIXED` `*` matches names that begin with a star; topics cannot.
        assert!(
            !read(wire("PREFIXED", "*", "User:sa-abc123"))
                .pattern
                .matches("claims-x")
        );
        assert!(read(wire("PREFIXED", "dlq-lcc", "UserV2:*")).is_for_all_principals());
        assert_eq!(
            read(wire("PREFIXED", "dlq-lcc", "User:sa-abc123")).to_short_string(),
            "ALLOW WRITE on topic dlq-lcc*"
        );
    }

    #[test]
    fn an_unknown_value_is_kept() {
        let mut parts = wire("LITERAL", "x", "User:1234567");
        parts["operation"] = json!("TWO_PHASE_COMMIT");
        let acl = read(parts.clone());
        assert_eq!(acl.operation, AclOperation::Other("TWO_PHASE_COMMIT".into()));
        assert_eq!(serde_json::to_value(acl).unwrap(), parts);
        for text in [
            "",
            "TOPIC",
            "TOPIC#x#REGEX#User:a#*#READ#ALLOW",
            "TOPIC#x#LITERAL#*#READ#ALLOW",
        ] {
            assert!(text.parse::<AclBinding>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_acl_resolves_to_the_crn_pattern_of_a_role_binding() {
        let address = StageAddress {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-abc123".parse().unwrap(),
            cluster: "lkc-abc123".parse().unwrap(),
            schema_registry: None,
        };
        let place = |resource: AclResource| {
            let acl = AclBinding {
                resource,
                ..read(wire("PREFIXED", "dlq-lcc", "User:sa-abc123"))
            };
            acl.crn_pattern(&address).map(|place| place.to_string())
        };
        // docs/reference/rbac.md#crn-patterns, `$K`.
        let kafka = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555/environment=env-abc123/\
                     cloud-cluster=lkc-abc123/kafka=lkc-abc123";
        assert_eq!(place(AclResource::Topic).unwrap(), format!("{kafka}/topic=dlq-lcc*"));
        assert_eq!(place(AclResource::Cluster).unwrap(), kafka);
        assert_eq!(place(AclResource::DelegationToken), None);
        for kind in ResourceKind::GRANTABLE.map(|(kind, _)| kind) {
            if let Some(resource) = AclResource::for_kind(kind) {
                assert_eq!(resource.kind(), Some(kind));
            }
        }
    }

    fn acl() -> impl Strategy<Value = AclBinding> {
        let one_of = |words: &'static [&'static str]| proptest::sample::select(words);
        (
            one_of(&["TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "NEW_KIND"]),
            "[ab*#.-]{0,5}",
            one_of(&["LITERAL", "PREFIXED"]),
            one_of(&["User:sa-1", "UserV2:sa-1", "User:*", "UserV2:*", "User:42", "Group:a"]),
            one_of(&["ALL", "CREATE", "READ", "WRITE", "NEW_WORD"]),
            one_of(&["ALLOW", "DENY"]),
        )
            .prop_map(|(resource, name, pattern, principal, operation, permission)| {
                read(json!({
                    "resource_type": resource, "resource_name": name, "pattern_type": pattern,
                    "principal": principal, "host": "*", "operation": operation, "permission": permission,
                }))
            })
    }

    proptest! {
        #[test]
        fn the_canonical_form_and_the_wire_form_round_trip(acl in acl()) {
            prop_assert_eq!(acl.to_string().parse::<AclBinding>().unwrap(), acl.clone());
            prop_assert_eq!(read(serde_json::to_value(&acl).unwrap()), acl);
        }

        #[test]
        fn the_canonical_form_is_the_identity(one in acl(), other in acl()) {
            prop_assert_eq!(one.to_string() == other.to_string(), one == other);
        }

        // Kafka's rule (`ResourcePattern`): the literal `*` matches every name, PREFIXED is `startsWith`, LITERAL is
        // `==`.
        #[test]
        fn a_pattern_matches_as_kafka_matches(name in "[ab*]{0,4}", prefixed in any::<bool>(), topic in "[ab]{1,5}") {
            let kind = if prefixed { "PREFIXED" } else { "LITERAL" };
            let acl = read(wire(kind, &name, "User:sa-1"));
            let expected = match prefixed {
                true => topic.starts_with(&name),
                false => name == "*" || name == topic,
            };
            prop_assert_eq!(acl.pattern.matches(&topic), expected);
        }
    }
}
