//! Answers about access: from Confluent Cloud, a saved snapshot, or the platform configuration.

mod assertions;
mod can_i;
mod grant_row;
mod matrix;
mod principal;
mod question;
mod source;
mod who_can;

pub use assertions::{AccessTestOutcome, CounterExampleRow, IsolationRow, test_access};
pub use can_i::{CanIAnswer, CanIOutcome, can_i};
pub use grant_row::{AccessPrincipal, GrantRow};
pub use matrix::{MatrixOutcome, MatrixRow, access_matrix};
pub use principal::resolve_principal;
pub use question::AccessQuestion;
pub(super) use source::load_snapshot;
pub use source::{AccessContext, AccessSource, Caller, load_planned_access, load_saved_access, observe_access};
pub use who_can::{WhoCanOutcome, who_can};
