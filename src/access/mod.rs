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
//! The tables come from dossier `rbac.md` (each with its source line); tests state the expectation from there.

pub mod acl;
pub mod assertion;
pub mod audit;
pub mod bindable;
pub mod doubt;
pub mod evaluator;
mod exposure;
mod index;
pub mod isolation;
pub mod matrix;
pub mod operation;
mod overlap;
mod permit;
pub mod question;
pub mod roles;
pub mod scene;

pub use acl::PlacedAcl;
pub use bindable::{Assumptions, Bindable, bindable, bindable_on};
pub use doubt::Doubt;
pub use evaluator::{Decision, Evaluator};
pub use isolation::{Isolation, Party, prove};
pub use operation::{Operation, OperationSet};
pub use permit::Permit;
pub use roles::given;
pub use scene::{Answer, Member, Origin, Scene};
