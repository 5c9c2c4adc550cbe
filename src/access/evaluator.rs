//! Decides whether a principal may do something, and through which binding.

use std::sync::Arc;

use super::Operation;
use crate::model::{Crn, Principal, RoleBinding};

/// The answer to "may this principal do this here?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, through this binding.
    Allowed(Arc<RoleBinding>),
    /// No binding gives it.
    Denied,
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// Role bindings, indexed for deciding.
#[derive(Clone, Debug, Default)]
pub struct Evaluator;

impl Evaluator {
    /// Indexes `bindings`.
    pub fn new(_bindings: impl IntoIterator<Item = RoleBinding>) -> Self {
        Self
    }

    /// Adds one binding.
    pub fn insert(&mut self, _binding: RoleBinding) {}

    /// Takes one binding away.
    pub fn remove(&mut self, _binding: &RoleBinding) {}

    /// Whether `principal` may do `operation` on `resource`.
    #[must_use]
    pub fn decide(&self, _principal: &Principal, _operation: Operation, _resource: &Crn) -> Decision {
        Decision::Denied
    }
}
