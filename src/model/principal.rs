//! Principals of role bindings and ACLs.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ServiceAccountId, UserId};

/// Principal of a role binding or ACL; in the API always `User:` and an id, for every kind of principal
/// (docs/reference/rbac.md#crn-patterns).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A service account.
    ServiceAccount(ServiceAccountId),
    /// A user.
    User(UserId),
    /// Any other principal, as written: identity pools, group mappings, invitations, future kinds.
    Other(String),
}

impl Principal {
    /// Returns the id without `User:`.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::ServiceAccount(id) => id.as_str(),
            Self::User(id) => id.as_str(),
            Self::Other(text) => text.strip_prefix("User:").unwrap_or(text),
        }
    }

    /// Whether it is the wildcard `User:*` of ACLs.
    #[must_use]
    pub fn is_all_principals(&self) -> bool {
        matches!(self, Self::Other(_)) && self.id() == "*"
    }

    /// Returns the id of the service account; `None` for other principals.
    #[must_use]
    pub fn service_account(&self) -> Option<&ServiceAccountId> {
        match self {
            Self::ServiceAccount(id) => Some(id),
            _ => None,
        }
    }

    /// Creates a principal from a bare id (`sa-…`, `u-…`, other).
    #[must_use]
    pub fn from_id(id: &str) -> Self {
        let account = || id.parse().map(Self::ServiceAccount);
        let user = || id.parse().map(Self::User);
        account()
            .or_else(|_| user())
            .unwrap_or_else(|_| Self::Other(format!("User:{id}")))
    }
}

impl From<ServiceAccountId> for Principal {
    fn from(id: ServiceAccountId) -> Self {
        Self::ServiceAccount(id)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(text) => out.pad(text),
            known => out.pad(&format!("User:{}", known.id())),
        }
    }
}

impl FromStr for Principal {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix("User:") {
            Some(id) => Self::from_id(id),
            None => Self::Other(text.to_owned()),
        })
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(principal) = String::deserialize(deserializer)?.parse();
        Ok(principal)
    }
}
