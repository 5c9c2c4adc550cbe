//! The onboarding from end to end: the binary in a sealed home on its own embedded Confluent Cloud, and, where every
//! single request matters, the library on a sandbox in memory. Time steps, so nothing sleeps.

#[path = "../common/mod.rs"]
mod common;
mod sandbox_cli_fixture;
mod onboarding_fixture;

mod access;
mod acls;
mod impersonating_accounts;
mod audit;
mod isolation;
mod department_changes;
#[cfg(all(feature = "age", unix))]
mod delivery;
#[cfg(feature = "age")]
mod profile_encryption;
mod ci_job;
mod keys;
mod offboard;
mod isolation_check;
#[cfg(feature = "age")]
mod profile_import;
mod preconditions;
mod concurrent_writers;
mod sandbox_settings;
mod slow;
