//! Role bindings that nobody could ask this sandbox for: of people, groups and identity pools that it does not have, or left
//! behind by something that is gone. For tests and labs about what an audit must find.

use super::{
    Sandbox, SandboxError,
    seed::natural,
    state::{Binding, Change, Life},
};
use crate::model::{RoleBinding, RoleBindingId};

impl Sandbox {
    /// Puts `binding` there, whoever it is for and wherever it is, and tells its id.
    pub fn plant(&self, binding: RoleBinding) -> Result<RoleBindingId, SandboxError> {
        let now = self.now()?;
        let key = natural(&binding);
        let id: RoleBindingId = self.look(|state, _| {
            let id = format!("rb-{}", state.ids().lower(&["planted", &key], 8));
            id.parse().expect("an id made from letters and digits is valid")
        })?;
        let planted = Binding {
            id: id.clone(),
            binding,
            life: Life::at(now),
        };
        self.set(|_| vec![Change::Binding(planted)])?;
        Ok(id)
    }
}
