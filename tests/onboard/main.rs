//! The onboarding end to end: the binary in a sealed home with its own sandbox, and, for tests of single requests, the
//! library with an in-memory sandbox. The clock is simulated, so nothing sleeps.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod acls;
mod impersonating_accounts;
mod audit;
mod client_quotas;
mod department_changes;
#[cfg(all(feature = "age", unix))]
mod delivery;
#[cfg(feature = "age")]
mod profile_encryption;
mod ci_job;
mod keys;
mod many_departments;
mod library;
mod offboard;
mod personas;
mod platform_git;
mod stages;
mod suggestions;
mod isolation_check;
#[cfg(feature = "age")]
mod profile_import;
mod secret_places;
mod preconditions;
mod concurrent_writers;
mod sandbox_settings;
mod slow;
