//! A Kafka ACL: one operation that is allowed or denied to one principal, on a name or on the beginning of names.
//!
//! Where a role would give too much, an ACL gives exactly one thing: no role lets a connector create and write its dead
//! letter queue without letting it delete those of others (docs/reference/rbac.md#roles-of-a-connectors-account).

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CrnPattern, NamePattern, Principal, ResourceKind, StageAddress};

macro_rules! string_enum {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the variants are Kafka's own words")]
        pub enum $name {
            $($variant,)+
            /// A word this program has no rule about, as written.
            Other(String),
        }

        impl $name {
            /// Every word this program knows.
            pub const KNOWN: &'static [$name] = &[$($name::$variant),+];

            /// The word on the wire.
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
    /// What an ACL is about (ccloud-sdk-go-v2 `kafkarest/v3`, `AclResourceType`).
    AclResource {
        Topic = "TOPIC",
        Group = "GROUP",
        TransactionalId = "TRANSACTIONAL_ID",
        Cluster = "CLUSTER",
        DelegationToken = "DELEGATION_TOKEN",
    }
}

string_enum! {
    /// What an ACL allows or denies (the same document, `AclOperation`).
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
    /// Whether an ACL gives or takes (the same document, `AclPermission`).
    AclPermission {
        Allow = "ALLOW",
        Deny = "DENY",
    }
}

impl AclResource {
    /// The kind of resource, where this program has one: the cluster is its Kafka half.
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

    /// What an ACL on a `kind` is about, where Kafka knows ACLs on it.
    #[must_use]
    pub fn for_kind(kind: ResourceKind) -> Option<Self> {
        Self::KNOWN.iter().find(|known| known.kind() == Some(kind)).cloned()
    }
}

/// Every principal there is.
pub const ALL_PRINCIPALS: &str = "User:*";
/// Every host; Confluent Cloud knows no others (docs `access-control/acls`).
pub const ANY_HOST: &str = "*";
/// The one name that a cluster has in ACLs (ccloud-sdk-go-v2 `kafkarest/v3`, 40002).
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// An ACL. It has no id: it *is* its seven parts, and making it a second time changes nothing.
///
/// Two texts that mean the same are one value: every name is `LITERAL` `*` and not `PREFIXED` with an empty name, and a
/// principal in the service's newer notation (`UserV2:sa-…`) is the one in the older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct AclBinding {
    /// Who; possibly [`EVERYBODY`].
    pub principal: Principal,
    /// On what.
    pub resource: AclResource,
    /// On which of them.
    pub pattern: NamePattern,
    /// What.
    pub operation: AclOperation,
    /// Whether it is given or taken.
    pub permission: AclPermission,
    /// From where; [`ANY_HOST`] as a rule.
    pub host: String,
}

/// The seven parts as they travel.
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
            // A type that is not known counts as the wider one of the two.
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

/// `UserV2:sa-…` asks for ids instead of numbers, and means the same principal (docs `access-control/acls/operations`).
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
    /// `operation` on what `pattern` means of `resource`, for `principal`.
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

    /// `LITERAL` or `PREFIXED`.
    #[must_use]
    pub fn pattern_type(&self) -> &'static str {
        match &self.pattern {
            NamePattern::Prefixed(begin) if !begin.is_empty() => PREFIXED,
            _ => LITERAL,
        }
    }

    /// The name beside the pattern's type: `*` is every name.
    #[must_use]
    pub fn resource_name(&self) -> &str {
        match &self.pattern {
            NamePattern::Prefixed(begin) if begin.is_empty() => ANY_NAME,
            pattern => pattern.stem(),
        }
    }

    /// Whether it is about `principal`.
    #[must_use]
    pub fn applies_to(&self, principal: &Principal) -> bool {
        self.principal == *principal || self.is_for_all_principals()
    }

    /// Whether it is about every principal there is.
    #[must_use]
    pub fn is_for_all_principals(&self) -> bool {
        self.principal.is_all_principals()
    }

    /// What it is about in the cluster at `address`; `None` for what this program has no rule about.
    #[must_use]
    pub fn crn_pattern(&self, address: &StageAddress) -> Option<CrnPattern> {
        match self.resource.kind()? {
            ResourceKind::Kafka => Some(address.kafka_crn().into()),
            kind => address.pattern(kind, self.pattern.clone()),
        }
    }

    /// What and where, short enough for a table: `ALLOW WRITE on topic dlq-lcc*`.
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

/// The canonical form: the id that Terraform's provider gives to an ACL, without the cluster
/// (terraform-provider-confluent `createKafkaAclId`).
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

/// A text that is not the canonical form of an ACL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ACL: TYPE#NAME#PATTERN#PRINCIPAL#HOST#OPERATION#PERMISSION is expected")]
pub struct AclError(String);

impl FromStr for AclBinding {
    type Err = AclError;

    fn from_str(text: &str) -> Result<Self, AclError> {
        let wrong = || AclError(text.to_owned());
        let (resource, rest) = text.split_once('#').ok_or_else(wrong)?;
        // A group may have a `#` in its name, so the name is what is left between both ends.
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

    // The example of the OpenAPI document, `KafkaAcl`.
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
        // The beginning `*` is a name that begins with a star, which no topic has.
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

        // Kafka's own rule (`ResourcePattern`): the literal `*` is every name, PREFIXED is `startsWith`, LITERAL is `==`.
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
