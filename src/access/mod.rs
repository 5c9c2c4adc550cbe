//! Who may do what: roles → operations, and an evaluator over role bindings. Pure: no I/O, no clock.
//!
//! The tables come from dossier `rbac.md` (each with its source line); tests state the expectation from there.

pub mod evaluator;
pub mod operation;
pub mod roles;

pub use evaluator::{Decision, Evaluator};
pub use operation::Operation;
