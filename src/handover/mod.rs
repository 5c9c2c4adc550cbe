//! Where secrets go: files that only their owner can read, or only their recipients, proved before they get their final
//! name; commands that take them from there; and evidence, which holds no secret and is made to be kept.

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
