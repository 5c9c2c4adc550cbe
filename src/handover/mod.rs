//! Where secrets go: files that only their owner can read, or only their recipients, proved before they get their final
//! name; and evidence, which holds no secret and is made to be kept.

pub mod age;
pub mod evidence;
pub mod sink;

pub use age::AgeError;
pub use evidence::{Evidence, EvidenceKey};
pub use sink::{Contents, Place, Recipients, Sink, SinkError};
