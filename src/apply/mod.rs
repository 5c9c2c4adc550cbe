//! Runs a plan: events, concurrency, journal, resume, stale guard.

pub mod event;

pub use event::Event;
