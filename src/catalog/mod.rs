//! What this program knows about connectors without asking anybody: the facts about fully managed plugins. Pure: no I/O,
//! no clock.
//!
//! - [`facts`]: plugins, their keys, types, defaults and transforms; embedded from `data/`, read on first use
//! - [`file`]: a connector file as it is judged; who reads it from disk is `manifest`'s business
//! - [`secret`]: which values are secrets, and how a file refers to one
//!
//! The facts are a snapshot: a plugin that is not in them is unknown here, never wrong, and the service's own validation
//! has the last word.

pub mod facts;
pub mod file;
mod reader;
pub mod secret;

pub use facts::{Catalog, Direction, Importance, KeyFact, Plugin, ValueType, catalog};
pub use file::{ConnectorFile, Entry, Form, ValueKind};
pub use secret::Reference;
