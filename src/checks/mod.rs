//! Looks before the leap: what must hold before anything is written, and what helps a colleague find out why it does
//! not.

pub mod preflight;

pub use preflight::{Check, CheckState, preflight};
