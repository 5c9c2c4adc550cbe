//! What a template gives to a persona: roles on patterns that are still to be filled in, typed, never as text.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{
    AclBinding, AclOperation, AclResource, CrnPattern, NamePattern, Prefix, Principal, ResourceKind, Role,
    ServiceAccountId, StageAddress,
};

/// Where a grant applies, before a department is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantTarget {
    /// A fixed name or beginning of names (`group:connect-lcc*`); for scopes the name is ignored.
    Fixed(ResourceKind, NamePattern),
    /// What begins with the department's prefix (`connector:{prefix}*`).
    Prefix(ResourceKind),
    /// One name that begins with the department's prefix (`topic:{prefix}audit`).
    Prefixed(ResourceKind, String),
    /// The service account of a persona of the same department (`service-account:{runtime}`), known after apply.
    Account(String),
}

impl GrantTarget {
    /// What is granted on.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Fixed(kind, _) | Self::Prefix(kind) | Self::Prefixed(kind, _) => *kind,
            Self::Account(_) => ResourceKind::ServiceAccount,
        }
    }

    /// The names that are meant for a department; `None` for an account, which has an id.
    #[must_use]
    pub fn name_pattern(&self, prefix: &Prefix) -> Option<NamePattern> {
        match self {
            Self::Fixed(_, name) => Some(name.clone()),
            Self::Prefix(_) => Some(prefix.pattern()),
            Self::Prefixed(_, rest) => Some(NamePattern::Literal(format!("{prefix}{rest}"))),
            Self::Account(_) => None,
        }
    }

    /// The pattern for a department. `account` answers the id of a persona's account.
    ///
    /// `None` when the address has no place for it (subjects without a Schema Registry) or the account is not known yet.
    #[must_use]
    pub fn resolve(
        &self,
        address: &StageAddress,
        prefix: &Prefix,
        account: impl FnOnce(&str) -> Option<ServiceAccountId>,
    ) -> Option<CrnPattern> {
        match self {
            Self::Account(persona) => Some(address.service_account_crn(&account(persona)?).into()),
            named => address.pattern(named.kind(), named.name_pattern(prefix)?),
        }
    }
}

impl fmt::Display for GrantTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(kind, name) => write!(out, "{}:{name}", kind.display_name()),
            Self::Prefix(kind) => write!(out, "{}:{{prefix}}*", kind.display_name()),
            Self::Prefixed(kind, rest) => write!(out, "{}:{{prefix}}{rest}", kind.display_name()),
            Self::Account(persona) => write!(out, "service-account:{{{persona}}}"),
        }
    }
}

impl Serialize for GrantTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One role on one target, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// Where.
    pub on: GrantTarget,
    /// The role to ask for when the service refuses the first one at this scope with 400.
    pub fallback: Option<Role>,
    /// The reason, for whoever reviews it.
    pub why: String,
}

/// Operations that Kafka ACLs allow on one target, with the reason: for what no role gives without giving more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AclGrant {
    /// The operations, one ACL each.
    pub operations: Vec<AclOperation>,
    /// Where.
    pub on: GrantTarget,
    /// The reason, for whoever reviews it.
    pub why: String,
}

impl AclGrant {
    /// The ACLs for `principal` in a department with this prefix.
    pub fn acls(&self, principal: &Principal, prefix: &Prefix) -> impl Iterator<Item = AclBinding> {
        let place = AclResource::for_kind(self.on.kind()).zip(self.on.name_pattern(prefix));
        self.operations.iter().filter_map(move |operation| {
            let (resource, names) = place.clone()?;
            Some(AclBinding::allow(principal.clone(), operation.clone(), resource, names))
        })
    }
}

/// The kinds of API keys a persona can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// A Cloud key: the control plane (IAM, Connect).
    Cloud,
    /// A key of the Kafka cluster.
    Kafka,
    /// A key of the Schema Registry.
    SchemaRegistry,
}

/// Somebody or something that acts for a department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Persona {
    /// Its name, a part of the account's name.
    pub name: String,
    /// The keys it gets; none for an identity that only connectors use.
    pub keys: Vec<KeyKind>,
    /// What it is for, one sentence.
    pub description: String,
    /// What it may do.
    pub grants: Vec<RoleGrant>,
    /// What it may do in Kafka beyond its roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acls: Vec<AclGrant>,
}

/// A template: what a department's personas may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Template {
    /// Its name, the file's name without `.toml`.
    pub name: String,
    /// What it is for, one sentence.
    pub description: String,
    /// First digits of the hash of the file's content.
    pub hash: String,
    /// Who acts.
    pub personas: Vec<Persona>,
}

impl Template {
    /// The persona of that name.
    #[must_use]
    pub fn persona(&self, name: &str) -> Option<&Persona> {
        self.personas.iter().find(|persona| persona.name == name)
    }
}
