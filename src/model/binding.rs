//! Role bindings.

use serde::{Deserialize, Serialize};

use super::{CrnPattern, Principal, Role};

/// A role binding without its id. All fields are immutable, and together they identify the binding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleBinding {
    /// Principal that holds the role.
    pub principal: Principal,
    /// Role.
    #[serde(rename = "role_name")]
    pub role: Role,
    /// Scope or resources the role applies to.
    #[serde(rename = "crn_pattern")]
    pub pattern: CrnPattern,
}

impl RoleBinding {
    /// Creates a binding of `role` for `principal` on `pattern`.
    pub fn new(principal: impl Into<Principal>, role: Role, pattern: impl Into<CrnPattern>) -> Self {
        Self {
            principal: principal.into(),
            role,
            pattern: pattern.into(),
        }
    }
}
