//! Connector logs: read once, or followed.
//!
//! - [`tail`]: which lines of an answer are new; pure
//! - [`fold`]: identical stack traces; pure
//! - [`spool`]: pages that wait for their turn
//! - [`follow`]: one connector, for as long as somebody wants to see it
//! - [`cache`]: lines that were read before, on disk

pub mod cache;
pub mod trace_dedup;
pub mod follow;
pub mod page_buffer;
pub mod cursor;
