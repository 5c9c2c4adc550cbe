//! Who may do what: roles → operations, and an evaluator over role bindings and ACLs. Pure: no I/O, no clock.
//!
//! - [`bindable`]: where the service lets a role be bound, with what is not confirmed as [`Assumptions`]
//! - [`roles`]: what a role gives on what it is bound on, and beyond it
//! - [`acl`]: what a Kafka ACL gives and takes
//! - [`evaluator`]: both over many bindings: may this principal, who may, on what
//! - [`isolation`]: the proof that departments cannot reach one another
//! - [`scene`]: bindings, who holds them and where they came from, for questions with three answers
//! - [`doubt`]: what could not be looked at, the third answer
//! - [`matrix`] and [`assertion`]: all that a department may do, and what is demanded of it
//! - [`question`]: the words of questions
//! - [`audit`]: what should not be there, one rule for each threat
//!
//! The tables come from docs/reference/rbac.md (each with its source line); tests state the expectation from there.

pub mod acl;
pub mod assertion;
pub mod audit;
pub mod bindable;
pub mod uncertainty;
pub mod evaluator;
mod shared_names;
mod index;
pub mod isolation;
pub mod matrix;
pub mod operation;
mod overlap;
mod grant;
pub mod query;
pub mod roles;
pub mod access_model;

pub use access_model::{AccessDecision, AccessModel, GrantOrigin, PersonaAccount};
pub use acl::ResolvedAcl;
pub use bindable::{BindCheck, RbacAssumptions, check_bind_kind, check_bind_pattern};
pub use evaluator::{Evaluator, PolicyDecision};
pub use grant::AccessGrant;
pub use isolation::{DepartmentPrincipals, IsolationResult, check_isolation};
pub use operation::{Operation, OperationSet};
pub use roles::operations_of_binding;
pub use uncertainty::Uncertainty;
