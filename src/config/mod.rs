//! Settings in layers with their origin, profiles, snapshots, and where secrets are kept on disk.

pub mod credentials;
pub mod endpoint;
pub mod folders;
pub mod git;
pub mod hosts;
pub mod layers;
pub mod mask;
pub mod profile;
pub mod references;
mod profile_reader;
mod profile_text;
pub mod save;
pub mod snapshot;

pub use credentials::{Credentials, CredentialsError, KeyPair};
pub use endpoint::{Endpoint, EndpointError};
pub use folders::Folders;
pub use hosts::{Hosts, HostsError, NamedHosts};
pub use layers::{Layer, Origin, Setting, Settings, SettingsError};
pub use profile::{LoadedProfile, Profile, ProfileKeys};
pub use save::{Existing, SaveError};
pub use snapshot::{SavedSnapshot, SnapshotError};
