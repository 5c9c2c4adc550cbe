//! Access control: operations of roles and ACLs, and an evaluator over role bindings and ACLs. Pure: no I/O, no clock.
//!
//! - [`bindable`]: scopes on which roles can be bound, with unconfirmed facts as [`RbacAssumptions`]
//! - [`roles`]: operations that a role allows
//! - [`acl`]: operations that a Kafka ACL allows and denies
//! - [`evaluator`]: decisions over many role bindings and ACLs
//! - [`isolation`]: check that departments are isolated from each other
//! - [`access_model`]: grants, holders and origins, for queries with three-valued decisions
//! - [`uncertainty`]: reasons why a decision is unknown
//! - [`matrix`] and [`assertion`]: all access of a department, and assertions about it
//! - [`query`]: parser for operations, kinds and names in queries
//! - [`audit`]: rules that find unwanted access, one for each threat
//!
//! The tables come from docs/reference/rbac.md (each with its source line); the tests restate the expected values from
//! there.

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
pub use uncertainty::{Uncertainty, disputed};
