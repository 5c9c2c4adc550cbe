//! API keys of departments: list, rotate and revoke.

mod list;
mod outcome;
mod revocation;
mod revoke;
mod rotate;

pub use list::{KeyListRow, KeysListInput, list_keys};
pub use outcome::KeysOutcome;
pub use revoke::{RevokeInput, Urgency, revoke_keys};
pub use rotate::{RotateInput, rotate_keys};
