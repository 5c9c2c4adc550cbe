//! Hand-over of secrets: private or encrypted profile files, commands that deliver them, and evidence without secrets.

pub mod age;
pub mod command;
pub mod evidence;
pub mod profile_store;
pub mod shell_split;

pub use age::AgeError;
pub use command::{HandoverCommand, HandoverError, HandoverRequest};
pub use evidence::{EvidenceKey, EvidenceRecord};
pub use profile_store::{ProfileId, ProfileStore, ProfileStoreError, Recipients, StoredKeys};
pub use shell_split::ShellSplitError;
