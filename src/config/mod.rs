//! Configuration: profiles, keys, endpoints, snapshots, and files with secrets.

pub mod credentials;
pub mod endpoint;
pub mod dirs;
pub mod git;
pub mod hosts;
pub mod profile_redaction;
pub mod profile;
pub mod references;
mod profile_keys;
mod profile_reader;
mod profile_text;
pub mod save;
pub mod setting;
pub mod snapshot;
pub mod trust;

pub use credentials::{CredentialsError, KeyPair, SourcedKey};
pub use dirs::StandardDirs;
pub use endpoint::{EndpointError, ServiceEndpoint};
pub use hosts::{ConfiguredHosts, HostsError, ServiceHosts};
pub use profile::{LoadedProfile, Profile};
pub use profile_keys::ProfileKeys;
pub use save::{IfExists, SaveError};
pub use setting::{ResolvedSetting, SettingSource};
pub use snapshot::{SnapshotError, SnapshotFile};
