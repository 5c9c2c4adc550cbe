//! Direct insertion of role bindings that the API would reject: for users, groups and identity pools that do not exist
//! in the sandbox, and orphaned bindings. Tests use them to check the audit.

use super::{
    Sandbox, SandboxError,
    seed::natural_key,
    state::{BindingRecord, Lifetime, StateChange},
};
use crate::model::{RoleBinding, RoleBindingId};

impl Sandbox {
    /// Inserts a role binding without any checks and returns its id.
    pub fn insert_binding(&self, binding: RoleBinding) -> Result<RoleBindingId, SandboxError> {
        let now = self.now()?;
        let key = natural_key(&binding);
        let id: RoleBindingId = self.read_state(|state, _| {
            let id = format!("rb-{}", state.ids().lowercase_id(&["planted", &key], 8));
            id.parse().expect("an id made from letters and digits is valid")
        })?;
        let record = BindingRecord {
            id: id.clone(),
            binding,
            lifetime: Lifetime::immediate(now),
        };
        self.apply_changes(|_| vec![StateChange::Binding(record)])?;
        Ok(id)
    }
}
