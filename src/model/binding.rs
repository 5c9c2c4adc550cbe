//! A role binding: who may do what, where.

use serde::{Deserialize, Serialize};

use super::{CrnPattern, Principal, Role};

/// The natural key of a role binding. Everything about a binding is immutable, so this is also all there is to it,
/// apart from the id that the service gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleBinding {
    /// Who.
    pub principal: Principal,
    /// What.
    #[serde(rename = "role_name")]
    pub role: Role,
    /// Where.
    #[serde(rename = "crn_pattern")]
    pub pattern: CrnPattern,
}

impl RoleBinding {
    /// `role` for `principal` on `pattern`.
    pub fn new(principal: impl Into<Principal>, role: Role, pattern: impl Into<CrnPattern>) -> Self {
        Self {
            principal: principal.into(),
            role,
            pattern: pattern.into(),
        }
    }
}
