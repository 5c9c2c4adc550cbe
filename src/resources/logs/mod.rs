//! Connector logs: reading and following.
//!
//! - [`cursor`]: finds new lines in overlapping windows; pure
//! - [`trace_dedup`]: recognizes repeated stack traces; pure
//! - [`page_buffer`]: buffers pages to reverse their order
//! - [`follow`]: follows the logs of a connector
//! - [`cache`]: keeps lines on disk

pub mod cache;
pub mod trace_dedup;
pub mod follow;
pub mod page_buffer;
pub mod cursor;
