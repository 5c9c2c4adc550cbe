//! Grants of templates: roles and ACLs on targets that are resolved per department.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{
    AclBinding, AclOperation, AclResource, CrnPattern, NamePattern, Prefix, Principal, ResourceKind, Role,
    ServiceAccountId, StageAddress,
};

/// Target of a grant, not yet resolved for a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantTarget {
    /// A fixed name or name prefix (`group:connect-lcc*`); scopes ignore the name.
    Fixed(ResourceKind, NamePattern),
    /// All names with the department's prefix (`connector:{prefix}*`).
    Prefix(ResourceKind),
    /// One name with the department's prefix (`topic:{prefix}audit`), or all names with a longer prefix
    /// (`topic:{prefix}dlq-*`).
    Prefixed(ResourceKind, NamePattern),
    /// Service account of a persona of the same department (`service-account:{runtime}`); its id is known after apply.
    Account(String),
}

impl GrantTarget {
    /// Returns the resource kind of the target.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Fixed(kind, _) | Self::Prefix(kind) | Self::Prefixed(kind, _) => *kind,
            Self::Account(_) => ResourceKind::ServiceAccount,
        }
    }

    /// Returns the name pattern for a department; `None` for an account, because accounts are identified by id.
    #[must_use]
    pub fn name_pattern(&self, prefix: &Prefix) -> Option<NamePattern> {
        match self {
            Self::Fixed(_, name) => Some(name.clone()),
            Self::Prefix(_) => Some(prefix.pattern()),
            Self::Prefixed(_, NamePattern::Literal(rest)) => Some(NamePattern::Literal(format!("{prefix}{rest}"))),
            Self::Prefixed(_, NamePattern::Prefixed(stem)) => Some(NamePattern::Prefixed(format!("{prefix}{stem}"))),
            Self::Account(_) => None,
        }
    }

    /// Resolves the target to a CRN pattern for a department. `account` returns the account id of a persona.
    ///
    /// `None` if the address lacks the parent resource (subjects without a Schema Registry) or the account does not
    /// exist yet.
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

/// A grant of one role on one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleGrant {
    /// Role.
    pub role: Role,
    /// Target.
    pub on: GrantTarget,
    /// Role to bind instead if the API rejects the first one on this scope with status 400.
    pub fallback: Option<Role>,
    /// Reason, for reviewers.
    pub why: String,
}

/// A grant of Kafka ACL operations on one target, for cases in which every suitable role would allow too much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AclGrant {
    /// Operations; each becomes one ACL.
    pub operations: Vec<AclOperation>,
    /// Target.
    pub on: GrantTarget,
    /// Reason, for reviewers.
    pub why: String,
}

impl AclGrant {
    /// Returns the ACLs for `principal` in a department with `prefix`.
    pub fn acls(&self, principal: &Principal, prefix: &Prefix) -> impl Iterator<Item = AclBinding> {
        let place = AclResource::for_kind(self.on.kind()).zip(self.on.name_pattern(prefix));
        self.operations.iter().filter_map(move |operation| {
            let (resource, names) = place.clone()?;
            Some(AclBinding::allow(principal.clone(), operation.clone(), resource, names))
        })
    }
}

/// Kind of API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Cloud API key for the control plane (IAM, Connect).
    Cloud,
    /// API key of the Kafka cluster.
    Kafka,
    /// API key of the Schema Registry.
    SchemaRegistry,
}

/// A person or program that acts for a department through its own service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Persona {
    /// Name; part of the account name.
    pub name: String,
    /// Kinds of API keys it gets; empty for an identity used by connectors only.
    pub keys: Vec<KeyKind>,
    /// Purpose, one sentence.
    pub description: String,
    /// Granted roles.
    pub grants: Vec<RoleGrant>,
    /// Granted Kafka ACLs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acls: Vec<AclGrant>,
}

/// A template: the personas of a department and their grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Template {
    /// Name: the file name without `.toml`.
    pub name: String,
    /// Purpose, one sentence.
    pub description: String,
    /// Short hash of the grants.
    pub hash: String,
    /// Personas.
    pub personas: Vec<Persona>,
}

impl Template {
    /// Returns the persona called `name`.
    #[must_use]
    pub fn persona(&self, name: &str) -> Option<&Persona> {
        self.personas.iter().find(|persona| persona.name == name)
    }
}
