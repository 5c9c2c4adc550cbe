//! Looks before the leap: what must hold before anything is written, and what helps a colleague find out why it does
//! not.
//!
//! [`preflight()`] is what `onboard` looks at before it asks; the rest is `doctor`'s. Each file there is about one thing:
//! it says how to look at it, and judges what was seen without looking again, so that every judgement can be tried.

pub mod assumptions;
mod check;
mod cluster;
pub mod heard;
pub mod kafka;
pub mod key;
pub mod network;
pub mod place;
pub mod platform;
pub mod plugin;
pub mod preflight;
pub mod profile;
pub mod rights;
pub mod state;
pub mod stock_config;
pub mod time;

pub use check::{Check, CheckState, Diagnosis, Examined, Topic};
pub use preflight::{acl_room, preflight};
