//! Configuration: layered settings, profiles, snapshots, and files with secrets.

pub mod credentials;
pub mod endpoint;
pub mod dirs;
pub mod git;
pub mod hosts;
pub mod layers;
pub mod profile_redaction;
pub mod profile;
pub mod references;
mod profile_reader;
mod profile_text;
pub mod save;
pub mod snapshot;
pub mod trust;

pub use credentials::{CredentialsError, KeyPair, SourcedKey};
pub use dirs::StandardDirs;
pub use endpoint::{EndpointError, ServiceEndpoint};
pub use hosts::{ConfiguredHosts, HostsError, ServiceHosts};
pub use layers::{Layer, ResolvedSetting, SettingSource, Settings, SettingsError};
pub use profile::{LoadedProfile, Profile, ProfileKeys};
pub use save::{IfExists, SaveError};
pub use snapshot::{SnapshotError, SnapshotFile};
