//! Role bindings that nobody could ask this sandbox for: of people, groups and identity pools that it does not have, or left
//! behind by something that is gone. For tests and labs about what an audit must find.

use super::{
    Sandbox, SandboxError,
    seed::natural_key,
    state::{BindingRecord, Lifetime, StateChange},
};
use crate::model::{RoleBinding, RoleBindingId};

impl Sandbox {
    /// Puts `binding` there, whoever it is for and wherever it is, and tells its id.
    pub fn insert_binding(&self, binding: RoleBinding) -> Result<RoleBindingId, SandboxError> {
        let now = self.now()?;
        let key = natural_key(&binding);
        let id: RoleBindingId = self.read_state(|state, _| {
            let id = format!("rb-{}", state.ids().lowercase_id(&["planted", &key], 8));
            id.parse().expect("an id made from letters and digits is valid")
        })?;
        let planted = BindingRecord {
            id: id.clone(),
            binding,
            lifetime: Lifetime::immediate(now),
        };
        self.apply_changes(|_| vec![StateChange::Binding(planted)])?;
        Ok(id)
    }
}
