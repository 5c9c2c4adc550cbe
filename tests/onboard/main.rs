//! The onboarding from end to end: the binary in a sealed home on its own embedded Confluent Cloud, and, where every
//! single request matters, the library on a sandbox in memory. Time steps, so nothing sleeps.

#[path = "../common/mod.rs"]
mod common;
mod home;
mod rig;

mod abreast;
mod access;
mod acls;
mod attacks;
mod audit;
mod crash;
mod isolation;
mod changes;
#[cfg(all(feature = "age", unix))]
mod delivery;
#[cfg(feature = "age")]
mod handover;
mod job;
mod keys;
mod offboard;
mod proof;
#[cfg(feature = "age")]
mod receive;
mod refusals;
mod rivals;
mod settings;
mod storm;
mod weather;
